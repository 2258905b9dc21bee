"""
The end of a USSD session, as Africa's Talking reports it to its events address. It is written to the log and goes no
further: the engine has no call for it, and the event is known to stay away, so nothing may depend on it.
"""

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from services.at_adapter.callbacks.fields import phone_number, read_fields
from telemetry.masking import mask_msisdn, mask_text

_log = structlog.get_logger()


async def ussd_events(request: Request) -> PlainTextResponse:
    """POST /at/ussd/events. Raises UnusableCallback, which is answered 400."""
    fields = await read_fields(request)
    _log.info(
        "a USSD session ended",
        session_id=fields.required("sessionId"),
        msisdn=mask_msisdn(phone_number(fields.text("phoneNumber"))),
        status=fields.text("status"),
        duration_ms=fields.text("durationInMillis"),
        hops=fields.text("hopsCount"),
        cost=fields.text("cost"),
        error=mask_text(fields.text("errorMessage")),
    )
    return PlainTextResponse("OK")
