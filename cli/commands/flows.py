"""validate, publish, unpublish and flows."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.api import Api, Refused
from cli.columns import Column
from cli.context import njia_of
from cli.exit_codes import REFUSED

LISTED = (
    Column("ID"),
    Column("NAME", least=12, goes=2),
    Column("TRIGGER", goes=3),
    Column("NEWEST", goes=1),
    Column("PUBLISHED"),
)

FlowFile = Annotated[Path, typer.Argument(help="The flow as JSON; - reads standard input.", allow_dash=True)]
FlowName = Annotated[str, typer.Argument(help="A file with a flow, or the id of a saved flow.")]


def validate(context: typer.Context, file: FlowFile) -> None:
    """Checks a flow and lists all that is wrong with it. Exit code 1 when it cannot run."""
    njia = njia_of(context)
    text = text_of(str(file))
    with njia.api() as api:
        try:
            report = api.post_text("/api/workflows/validate", text)
        except Refused as refusal:
            if "valid" not in refusal.document:
                raise
            report = dict(refusal.document)
    if njia.output.as_json:
        njia.output.document(report)
    else:
        errors, warnings = report["errors"], report["warnings"]
        njia.output.issues(errors, warnings)
        verdict = "The flow is valid" if report["valid"] else "The flow cannot run"
        njia.output.say(f"{verdict}: {counted(errors, 'error')}, {counted(warnings, 'warning')}.")
    if not report["valid"]:
        raise typer.Exit(REFUSED)


def publish(
    context: typer.Context,
    flow: FlowName,
    version: Annotated[int | None, typer.Option(help="Of a saved flow; default is the newest.", min=1)] = None,
) -> None:
    """Saves a flow from a file, if it is one, and publishes it: from now on it answers its trigger."""
    njia = njia_of(context)
    with njia.api() as api:
        workflow_id, version, warnings = _saved(api, flow, version)
        document = {} if version is None else {"version": version}
        try:
            published = api.post(f"/api/workflows/{workflow_id}/publish", document)
        except Refused:
            if is_file(flow):
                njia.output.aside(f"{workflow_id} is saved as version {version}, but not published.")
            raise
    if njia.output.as_json:
        njia.output.document(published)
        return
    njia.output.issues([], warnings)
    njia.output.say(f"{workflow_id} is published in version {published['publishedVersion']}.")


def unpublish(context: typer.Context, workflow_id: Annotated[str, typer.Argument(help="Id of the flow.")]) -> None:
    """Takes a flow off its trigger; executions that have begun go on."""
    njia = njia_of(context)
    with njia.api() as api:
        answer = api.post(f"/api/workflows/{workflow_id}/unpublish")
    if njia.output.as_json:
        njia.output.document(answer)
    else:
        njia.output.say(f"{workflow_id} is not published any more.")


def flows(context: typer.Context) -> None:
    """Lists the saved flows."""
    njia = njia_of(context)
    found: list[dict[str, Any]] = []
    with njia.api() as api:
        cursor: str | None = None
        while True:
            page = api.get("/api/workflows", cursor=cursor)
            found += page["workflows"]
            cursor = page.get("nextCursor")
            if cursor is None:
                break
    if njia.output.as_json:
        njia.output.document({"workflows": found})
        return
    njia.output.rows(
        LISTED,
        (
            (row["workflowId"], row["name"], row["triggerType"], row["latestVersion"], row["publishedVersion"] or "-")
            for row in found
        ),
        empty="No flow is saved. Publish one: njia publish FILE",
    )


def text_of(file: str) -> bytes:
    """Reads a file, or standard input for -. Ends the process when that fails."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as problem:
        raise typer.BadParameter(f"{file} cannot be read: {problem.strerror or problem}") from problem


def is_file(flow: str) -> bool:
    """Whether an argument names a file; else it is the id of a saved flow."""
    return flow == "-" or Path(flow).is_file() or flow.endswith(".json") or "/" in flow


def counted(things: list[Any], name: str) -> str:
    """Writes how many there are."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _saved(api: Api, flow: str, version: int | None) -> tuple[str, int | None, list[dict[str, Any]]]:
    if not is_file(flow):
        return flow, version, []
    if version is not None:
        raise typer.BadParameter("--version is for saved flows; a file is saved as a new version")
    saved = api.post_text("/api/workflows", text_of(flow))
    return saved["workflowId"], saved["version"], saved["warnings"]
