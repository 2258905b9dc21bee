"""execute, executions, cancel and replay."""

import json
from typing import Annotated, Any

import typer

from cli.columns import Column
from cli.commands.flows import is_file, text_of
from cli.context import Njia, njia_of
from cli.exit_codes import REFUSED
from cli.output import seconds

LISTED = (
    Column("EXECUTION"),
    Column("FLOW", least=20),
    Column("STATUS"),
    Column("STARTED (UTC)", short="AT (UTC)"),
    Column("TOOK", goes=1),
    Column("WAITS FOR / ERROR", least=12, goes=2),
)

ExecutionId = Annotated[str, typer.Argument(help="Id of the execution.")]


def execute(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(help="A file with a flow, or the id of a saved flow.")],
    payload: Annotated[str, typer.Option(help="What the trigger brings, as JSON.")] = "{}",
    session: Annotated[str | None, typer.Option(help="Session to run on, or to go on with.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing and store nothing in sessions.")] = False,
) -> None:
    """Runs a flow and shows what became of it. Exit code 1 when it failed."""
    njia = njia_of(context)
    request: dict[str, Any] = {"triggerPayload": _json(payload, "--payload"), "options": {"dryRun": dry_run}}
    if is_file(flow):
        request["workflow"] = _json(text_of(flow), flow)
    else:
        request["workflowId"] = flow
    if session is not None:
        request["sessionId"] = session
    with njia.api() as api:
        result = api.post("/api/workflows/execute", request)
    _show(njia, result)
    if not njia.output.as_json and result.get("waitingFor", {}).get("kind") == "input":
        same = f"njia execute {flow} --session {result['sessionId']}"
        njia.output.aside(f"""\nIt waits for an answer, such as: {same} --payload '{{"input": "1"}}'""")
    if result["status"] in ("failed", "timeout"):
        raise typer.Exit(REFUSED)


def executions(
    context: typer.Context,
    execution_id: Annotated[str | None, typer.Argument(help="Shows this one, node by node.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only those of this flow.")] = None,
    status: Annotated[str | None, typer.Option(help="completed, failed, running, timeout or cancelled.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 20,
) -> None:
    """Lists executions, or shows one."""
    njia = njia_of(context)
    with njia.api() as api:
        if execution_id is not None:
            _show(njia, api.get(f"/api/workflows/executions/{execution_id}"))
            return
        page = api.get("/api/workflows/executions", workflowId=workflow, status=status, limit=limit)
    if njia.output.as_json:
        njia.output.document(page)
        return
    njia.output.rows(
        LISTED,
        (
            (
                row["executionId"],
                f"{row['workflowId']} v{row['workflowVersion']}",
                row["status"],
                njia.output.moment(row["startedAt"]),
                seconds(row.get("durationMs")),
                _why(row) or ("dry run: nothing was sent" if row.get("dryRun") else ""),
            )
            for row in page["executions"]
        ),
        empty="There are no such executions.",
    )


def cancel(context: typer.Context, execution_id: ExecutionId) -> None:
    """Stops an execution that runs or waits."""
    njia = njia_of(context)
    with njia.api() as api:
        _show(njia, api.post(f"/api/workflows/executions/{execution_id}/cancel"))


def replay(
    context: typer.Context,
    execution_id: ExecutionId,
    for_real: Annotated[bool, typer.Option("--for-real", help="Send and store again, instead of a dry run.")] = False,
) -> None:
    """Runs an execution again with the same inputs and shows what went otherwise. Exit code 1 when something did."""
    njia = njia_of(context)
    with njia.api() as api:
        answer = api.post(f"/api/workflows/executions/{execution_id}/replay", {"dryRun": not for_real})
    if njia.output.as_json:
        njia.output.document(answer)
    else:
        njia.output.table(
            ("NODE", "VISIT", "WHAT", "BEFORE", "NOW"),
            (
                (
                    row["nodeId"] or "execution",
                    row["visit"],
                    row["field"],
                    _written(row, "before"),
                    _written(row, "after"),
                )
                for row in answer["differences"]
            ),
            empty=f"{answer['execution']['executionId']} went the same way.",
        )
    if answer["differences"]:
        raise typer.Exit(REFUSED)


def _written(row: dict[str, Any], member: str) -> str:
    return json.dumps(row[member], ensure_ascii=False) if member in row else "did not run"


def _show(njia: Njia, execution: dict[str, Any]) -> None:
    """Writes one execution, node by node."""
    if njia.output.as_json:
        njia.output.document(execution)
        return
    flow = f"{execution['workflowId']} v{execution['workflowVersion']}"
    took = seconds(execution.get("durationMs"))
    rehearsed = " (dry run)" if execution.get("dryRun") else ""
    njia.output.say(f"{execution['executionId']}  {flow}  {execution['status']}{rehearsed}  {took}")
    if why := _why(execution):
        njia.output.say(why)
    njia.output.table(
        ("NODE", "STATUS", "LEFT BY", "ATTEMPT", "TOOK", "OUTPUT / ERROR"),
        (
            (
                row["nodeId"],
                row["status"],
                row.get("handle", "-"),
                row["attempt"] or "-",
                seconds(row["durationMs"]),
                _outcome(row),
            )
            for row in execution.get("nodeResults", ())
        ),
        empty="No node has run yet.",
    )
    if reply := execution.get("reply"):
        njia.output.say(f"\n{reply['text']}")


def _why(execution: dict[str, Any]) -> str:
    if error := execution.get("error"):
        return f"{error['code']}: {error['message']}"
    if waiting := execution.get("waitingFor"):
        until = f" until {waiting['expiresAt']}" if "expiresAt" in waiting else ""
        return f"{waiting['nodeId']} waits for {waiting['kind']}{until}"
    return ""


def _outcome(row: dict[str, Any]) -> str:
    if error := row.get("error"):
        return f"{error['code']}: {error['message']}"
    return json.dumps(row["output"], ensure_ascii=False) if row.get("output") else ""


def _json(text: str | bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{name} is not JSON: {problem}") from problem
