"""
Hands reports to the engine. Nothing says that Africa's Talking repeats one that was refused, so what the engine cannot
take now is kept and handed over later.
"""

from typing import TYPE_CHECKING

import grpc
import structlog
from starlette.responses import PlainTextResponse

from njia.engine.v1.engine_service_pb2 import HandleDeliveryReportRequest, HandleUssdEndRequest
from njia.engine.v1.money_pb2 import HandleAirtimeStatusRequest, HandlePaymentRequest
from njia.engine.v1.voice_pb2 import HandleVoiceEndRequest
from services.at_adapter.callbacks.outbox import AnyReport, OutboxFull, ReportOutbox
from storage.connection import StoreUnavailable
from storage.outages import Outage

if TYPE_CHECKING:
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

ENGINE_TIMEOUT_SECONDS = 5.0

_log = structlog.get_logger()


class Reporting:
    """
    Args:
        engine: Takes the reports.
        outbox: Keeps those that it cannot take now.
    """

    def __init__(self, engine: "EngineServiceAsyncStub", outbox: ReportOutbox) -> None:
        self._engine = engine
        self._outbox = outbox
        # Of many at once, in an outage, the log has some and a number.
        self._lost = Outage("a report is lost unless Africa's Talking repeats it")
        self._waiting = Outage("a report waits for the engine")

    async def answered(self, report: AnyReport) -> PlainTextResponse:
        """Returns what a callback is answered: 200 once the engine or the outbox has the report, else 503."""
        name = type(report).DESCRIPTOR.name
        try:
            await send(self._engine, report)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                _log.error("the engine cannot use a report", report=name, why=error.details())
                return PlainTextResponse("the report cannot be used", 400)
            try:
                await self._outbox.keep(report)
            except (OutboxFull, StoreUnavailable) as problem:
                self._lost.goes_on(report=name, why=str(problem), answered=503)
                return PlainTextResponse("not recorded, please repeat", 503)
            self._waiting.goes_on(report=name, code=error.code().name)
        return PlainTextResponse("OK")


async def send(engine: "EngineServiceAsyncStub", report: AnyReport) -> None:
    """Hands one report over, or learns at once that no engine is there. Raises grpc.aio.AioRpcError."""
    match report:
        case HandleDeliveryReportRequest():
            await engine.HandleDeliveryReport(report, timeout=ENGINE_TIMEOUT_SECONDS, wait_for_ready=False)
        case HandleUssdEndRequest():
            await engine.HandleUssdEnd(report, timeout=ENGINE_TIMEOUT_SECONDS, wait_for_ready=False)
        case HandleVoiceEndRequest():
            await engine.HandleVoiceEnd(report, timeout=ENGINE_TIMEOUT_SECONDS, wait_for_ready=False)
        case HandleAirtimeStatusRequest():
            await engine.HandleAirtimeStatus(report, timeout=ENGINE_TIMEOUT_SECONDS, wait_for_ready=False)
        case HandlePaymentRequest():
            await engine.HandlePayment(report, timeout=ENGINE_TIMEOUT_SECONDS, wait_for_ready=False)
