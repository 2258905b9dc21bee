"""
A delivery report. Nothing says that Africa's Talking repeats one that was refused, so what the engine cannot take now
is kept and handed over later.
"""

from typing import TYPE_CHECKING

import grpc
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from njia.engine.v1.engine_service_pb2 import HandleDeliveryReportRequest
from services.at_adapter.callbacks.fields import CallbackFields, phone_number, read_fields
from services.at_adapter.callbacks.outbox import OutboxFull, ReportOutbox
from storage.connection import StoreUnavailable

if TYPE_CHECKING:
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

ENGINE_TIMEOUT_SECONDS = 5.0

_log = structlog.get_logger()


class DeliveryCallback:
    """
    POST /at/sms/delivery: 200 once the engine or the outbox has it, else 503.

    Args:
        engine: Takes the reports.
        outbox: Keeps those that it cannot take now.
    """

    def __init__(self, engine: "EngineServiceAsyncStub", outbox: ReportOutbox) -> None:
        self._engine = engine
        self._outbox = outbox

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        report = _report(await read_fields(request))
        try:
            await self._engine.HandleDeliveryReport(report, timeout=ENGINE_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                _log.error("the engine cannot use a delivery report", message_id=report.message_id)
                return PlainTextResponse("the report cannot be used", 400)
            return await self._keep(report, error.code())
        return PlainTextResponse("OK")

    async def _keep(self, report: HandleDeliveryReportRequest, code: grpc.StatusCode) -> PlainTextResponse:
        try:
            await self._outbox.keep(report)
        except (OutboxFull, StoreUnavailable) as error:
            _log.error("a delivery report is lost", message_id=report.message_id, why=type(error).__name__)
            return PlainTextResponse("not recorded, please repeat", 503)
        _log.warning("a delivery report waits for the engine", message_id=report.message_id, code=code.name)
        return PlainTextResponse("OK")


def _report(fields: CallbackFields) -> HandleDeliveryReportRequest:
    return HandleDeliveryReportRequest(
        message_id=fields.required("id"),
        # Any word is kept: new ones appear without notice.
        status=fields.required("status"),
        msisdn=phone_number(fields.text("phoneNumber")),
        failure_reason=fields.text("failureReason").strip(),
        network_code=fields.text("networkCode").strip(),
    )
