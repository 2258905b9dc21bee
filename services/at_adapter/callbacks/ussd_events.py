"""
The end of a USSD session, as Africa's Talking reports it to its events address. The event is known to stay away, so
nothing may depend on it: it only makes a wait end sooner.
"""

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from njia.engine.v1.engine_service_pb2 import HandleUssdEndRequest
from services.at_adapter.callbacks.fields import phone_number, read_fields
from services.at_adapter.callbacks.reporting import Reporting
from telemetry.masking import mask_msisdn, mask_text

_log = structlog.get_logger()


class UssdEndCallback:
    """POST /at/ussd/events: 200 once the engine or the outbox has it, else 503."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        session_id, status = fields.required("sessionId"), fields.text("status").strip()
        reason = mask_text(fields.text("errorMessage").strip())
        _log.info(
            "a USSD session ended",
            session_id=session_id,
            msisdn=mask_msisdn(phone_number(fields.text("phoneNumber"))),
            status=status,
            duration_ms=fields.text("durationInMillis"),
            hops=fields.text("hopsCount"),
            cost=fields.text("cost"),
            error=reason,
        )
        report = HandleUssdEndRequest(session_id=session_id, status=status, reason=reason)
        return await self._reporting.answered(report)
