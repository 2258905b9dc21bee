"""A delivery report."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from njia.engine.v1.engine_service_pb2 import HandleDeliveryReportRequest
from services.at_adapter.callbacks.fields import phone_number, read_fields
from services.at_adapter.callbacks.reporting import Reporting


class DeliveryCallback:
    """POST /at/sms/delivery: 200 once the engine or the outbox has it, else 503."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        report = HandleDeliveryReportRequest(
            message_id=fields.required("id"),
            # Any word is kept: new ones appear without notice.
            status=fields.required("status"),
            msisdn=phone_number(fields.text("phoneNumber")),
            failure_reason=fields.text("failureReason").strip(),
            network_code=fields.text("networkCode").strip(),
        )
        return await self._reporting.answered(report)
