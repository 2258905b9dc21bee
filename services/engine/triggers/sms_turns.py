"""Incoming messages: each begins an execution, or goes on with one that waits for it."""

from dataclasses import dataclass
from typing import Any

import structlog

from services.engine.core.timestamps import timestamp
from services.engine.executions.executions import Executions
from services.engine.executions.live_runs import LiveRuns
from services.engine.flows.routes import Routes
from services.engine.store.execution_store import ExecutionStore
from services.engine.triggers.sms_replies import SmsReplies
from services.engine.triggers.unclaimed import Unclaimed

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IncomingSms:
    """An SMS as the adapter read it."""

    message_id: str
    msisdn: str
    message: str
    short_code: str
    link_id: str
    network_code: str
    sent_at_ms: int


class SmsTurns:
    """Finds out whom a message is for."""

    def __init__(
        self, store: ExecutionStore, routes: Routes, executions: Executions, runs: LiveRuns, unclaimed: Unclaimed
    ) -> None:
        self._routes = routes
        self._executions = executions
        self._replies = SmsReplies(store, runs)
        self._unclaimed = unclaimed

    async def handle(self, sms: IncomingSms) -> str | None:
        """
        Records an incoming SMS; returns the execution that it begins or goes on with, None when nobody claims it.

        A flow that asks for it by a word comes first, then an execution that waits for it, then a flow that takes all.
        """
        payload: dict[str, Any] = {
            "msisdn": sms.msisdn,
            "message": sms.message,
            "messageId": sms.message_id,
            "shortCode": sms.short_code,
            "timestamp": timestamp(sms.sent_at_ms),
        }
        payload |= {key: value for key, value in (("linkId", sms.link_id), ("networkCode", sms.network_code)) if value}
        route = await self._routes.find("sms", payload)
        execution_id = None
        if route is None or not route.names_flow:
            execution_id = await self._replies.take(payload)
        if execution_id is None and route is not None:
            execution_id = await self._executions.start_once(route, "sms", sms.message_id, payload)
        if execution_id is None:
            _log.warning("no published flow claims an SMS that came in", short_code=sms.short_code)
            await self._unclaimed.note("sms", sms.message_id, payload)
        return execution_id
