"""unclaimed."""

import json
from typing import Annotated

import typer

from cli.columns import Column
from cli.context import njia_of

LISTED = (
    Column("CHANNEL"),
    Column("CAME IN (UTC)", short="AT (UTC)"),
    Column("FROM"),
    Column("PAYLOAD", least=20, goes=1),
)


def unclaimed(
    context: typer.Context,
    channel: Annotated[str | None, typer.Option(help="Only of this one: ussd, sms, voice, payment.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 20,
) -> None:
    """Lists what came in and no published flow claimed: dialled codes, SMS, calls, payments."""
    njia = njia_of(context)
    with njia.api() as api:
        page = api.get("/api/unclaimed", channel=channel, limit=limit)
    if njia.output.as_json:
        njia.output.document(page)
        return
    njia.output.rows(
        LISTED,
        (
            (
                row["channel"],
                njia.output.moment(row["receivedAt"]),
                row["payload"].get("msisdn"),
                json.dumps(row["payload"], ensure_ascii=False),
            )
            for row in page["unclaimed"]
        ),
        empty="A published flow claimed all that came in.",
    )
