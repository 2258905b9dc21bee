"""sessions and end-session."""

from typing import Annotated

import typer

from cli.columns import Column
from cli.context import njia_of

LISTED = (
    Column("SESSION"),
    Column("TYPE", goes=2),
    Column("PHONE"),
    Column("LIVE", goes=3),
    Column("LAST ACTIVITY (UTC)", short="LAST (UTC)"),
    Column("KEYS", least=8, goes=1),
)


def sessions(
    context: typer.Context,
    session_id: Annotated[str | None, typer.Argument(help="Shows this one with its data.")] = None,
    msisdn: Annotated[str | None, typer.Option(help="Only those of this phone, such as +254711000001.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="ussd, voice, sms, payment or other.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--ended", help="Only live ones, or only ended ones.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 20,
) -> None:
    """Lists sessions, or shows one."""
    njia = njia_of(context)
    with njia.api() as api:
        if session_id is not None:
            njia.output.document(api.get(f"/api/sessions/{session_id}"))
            return
        page = api.get("/api/sessions", msisdn=msisdn, type=kind, active=active, limit=limit)
    if njia.output.as_json:
        njia.output.document(page)
        return
    njia.output.rows(
        LISTED,
        (
            (
                row["sessionId"],
                row["type"],
                row.get("msisdn"),
                "yes" if row["isActive"] else "no",
                njia.output.moment(row["lastActivityAt"]),
                ", ".join(row.get("data", ())),
            )
            for row in page["sessions"]
        ),
        empty="There are no such sessions.",
    )


def end_session(context: typer.Context, session_id: Annotated[str, typer.Argument(help="Id of the session.")]) -> None:
    """Ends a session; nothing can be written to it any more."""
    njia = njia_of(context)
    with njia.api() as api:
        answer = api.delete(f"/api/sessions/{session_id}")
    if njia.output.as_json:
        njia.output.document(answer)
    else:
        njia.output.say(f"{session_id} is ended.")
