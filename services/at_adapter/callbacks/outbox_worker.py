"""Hands the reports of the outbox to the engine once it answers again."""

import asyncio
from typing import TYPE_CHECKING

import grpc
import structlog

from services.at_adapter.callbacks.outbox import ReportOutbox, WaitingReport
from services.at_adapter.callbacks.reporting import send
from storage.connection import StoreUnavailable
from storage.outages import Outage

if TYPE_CHECKING:
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

IDLE_SECONDS = 1.0
"""How long to rest when nothing is due, or when Redis or the engine does not answer."""

_log = structlog.get_logger()


async def hand_over_reports(outbox: ReportOutbox, engine: "EngineServiceAsyncStub") -> None:
    """Runs until cancelled. One report at a time: the outbox is for the exception, not for the load."""
    unreadable = Outage("the outbox cannot be read")
    while True:
        try:
            waiting = await outbox.take()
            unreadable.is_over()
            if waiting is not None and await _handed_over(outbox, engine, waiting):
                continue
        except StoreUnavailable as problem:
            unreadable.goes_on(why=problem.why)
        except Exception:  # noqa: BLE001 - one report (of a newer version, say) must not keep the others waiting
            _log.exception("a report could not be handed over; it stays in the outbox")
        await asyncio.sleep(IDLE_SECONDS)


async def _handed_over(outbox: ReportOutbox, engine: "EngineServiceAsyncStub", waiting: WaitingReport) -> bool:
    """Tells whether the engine is worth asking again at once."""
    try:
        await send(engine, waiting.report)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            _log.error("the engine cannot use a report", why=error.details())
            await outbox.remove(waiting)
            return True
        await outbox.postpone(waiting)
        return False
    await outbox.remove(waiting)
    return True
