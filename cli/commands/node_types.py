"""node-types."""

from typing import Annotated, Any

import typer

from cli.context import njia_of
from cli.exit_codes import REFUSED
from cli.output import Output, seconds
from cli.schema_fields import fields
from workflow.suggestions import did_you_mean

TRIGGER = "trigger"

OF_EVERY_NODE = ("error", "timeout")
"""Handles that edges of every node may leave by."""


def node_types(
    context: typer.Context,
    node_type: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Shows this one, such as SEND_SMS.")] = None,
) -> None:
    """Lists the node types, or shows one: its config, its handles and what it puts out."""
    njia = njia_of(context)
    with njia.api() as api:
        catalogue = api.get("/api/node-types")
    rows = {row["type"]: row for row in catalogue["nodeTypes"]}
    if node_type is not None:
        if node_type.upper() not in rows:
            njia.output.failure(f'there is no node type "{node_type}"{did_you_mean(node_type, rows)}')
            njia.output.aside("`njia node-types` lists them")
            raise typer.Exit(REFUSED)
        shown(njia.output, rows[node_type.upper()])
    elif njia.output.as_json:
        njia.output.document(catalogue)
    else:
        njia.output.table(
            ("TYPE", "CATEGORY", "WHAT IT DOES"),
            ((row["type"], row["category"], row["description"]) for row in rows.values()),
            empty="There are no node types.",
        )


def shown(output: Output, row: dict[str, Any]) -> None:
    """Writes one row of the catalogue."""
    if output.as_json:
        output.document(row)
        return
    config, puts_out, is_trigger = row["configSchema"], row["outputSchema"], row["category"] == TRIGGER
    output.say(f"{row['type']}  {row['category']}\n{row['description']}{_how_it_runs(row)}")
    output.say(f"\nConfig. {config.get('description', '')}".rstrip())
    output.table(
        ("FIELD", "MAY BE", "DEFAULT", "REQUIRED", "WHAT IT DOES"),
        (
            (field.name, field.takes, field.default, "yes" if field.required else "", field.description)
            for field in fields(config)
        ),
        empty="It has no fields.",
    )
    output.say("\nHandles")
    if not is_trigger:
        output.say(f"in   {', '.join(row['inputHandles'])}")
    output.say(f"out  {', '.join(dict.fromkeys([*row['outputHandles'], *(() if is_trigger else OF_EVERY_NODE)]))}")
    output.say(f"\n{'Brings' if is_trigger else 'Puts out'}. {puts_out.get('description', '')}".rstrip())
    prefix = "" if is_trigger else "node_<id>.output."
    output.table(
        ("PLACEHOLDER", "IS"),
        ((f"{prefix}{field.name}", field.takes) for field in fields(puts_out)),
        empty="The names depend on the flow.",
    )


def _how_it_runs(row: dict[str, Any]) -> str:
    """Writes the defaults of a run, as sentences to go on with."""
    said = " It needs a session." if row.get("requiresSession") else ""
    if row.get("timeout") and row["category"] != TRIGGER:
        said += f" One attempt takes {seconds(row['timeout'])} at most."
    if attempts := row.get("retry", {}).get("maxAttempts"):
        said += f" What may be over by itself is tried {attempts} times in all."
    return said
