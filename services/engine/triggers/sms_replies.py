"""Incoming messages that an execution waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.engine import ids
from services.engine.core.state import ExecutionState, Signal
from services.engine.executions.beginnings import signal_record
from services.engine.executions.live_runs import LiveRuns
from services.engine.store.execution_store import Begun, ExecutionStore
from workflow.incoming_sms import is_reply, reply_name
from workflow.outcome import WaitKind


class SmsReplies:
    """Hands messages to the executions that wait for them. Of several that wait for one phone the newest gets it."""

    def __init__(self, store: ExecutionStore, runs: LiveRuns) -> None:
        self._store = store
        self._runs = runs

    async def take(self, message: Mapping[str, Any]) -> str | None:
        """
        Goes on with what waits for a message; returns the execution, None when nothing does.

        The same message again, by its `messageId`, finds what it went on with before and changes nothing.

        Args:
            message: The payload of an SMS_RECEIVED trigger.

        Raises EngineBusy, StoreUnavailable.
        """
        states = await self._who_may_wait(message)
        if not states:
            return None
        key = f"sms-reply:{message['messageId']}"
        waiting = next(((state, node) for state in states for node in _waiting_nodes(state, message)), None)
        if waiting is None:
            bound = await self._store.claimed(key)
            return None if bound is None else bound[1]
        began = ids.execution_id_for(f"sms:{message['messageId']}", ids.partition_of(message["messageId"]))
        if await self._store.read(began) is not None:
            return began
        state, node_id = waiting
        execution_id = state.execution_id

        async def recorded() -> Begun:
            # Bound inside, where there is room: what is bound counts as taken.
            nonlocal execution_id
            visit, execution_id = await self._store.claim_key(
                key, f"{node_id}.{state.node(node_id).visit}", state.execution_id
            )
            bound_node, _, number = visit.rpartition(".")
            record = signal_record(Signal.SMS, {"visit": int(number), "message": message}, bound_node)
            return await self._store.signal(execution_id, record)

        await self._runs.go_on(recorded)
        return execution_id

    async def _who_may_wait(self, message: Mapping[str, Any]) -> Sequence[ExecutionState]:
        states = []
        for short_code in (message["shortCode"], ""):
            execution_id = await self._store.correlated(reply_name(message["msisdn"], short_code))
            stored = None if execution_id is None else await self._store.read(execution_id)
            if stored is not None:
                states.append(stored.state)
        return states


def _waiting_nodes(state: ExecutionState, message: Mapping[str, Any]) -> Sequence[str]:
    return [
        node_id
        for node_id, wait in state.waits.items()
        if wait.kind is WaitKind.SMS and not state.options.dry_run and is_reply(wait.memory, message)
    ]
