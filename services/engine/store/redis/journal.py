"""Writes the journal of one execution in Redis."""

from collections.abc import Sequence
from typing import Any

from services.engine.core.ports import Entry, LeaseLost
from services.engine.core.state import ExecutionState, Turn
from services.engine.store import keys, lifetimes, records
from services.engine.store.lifetimes import Retention
from services.engine.store.redis import clock
from services.engine.store.redis.calls import answer_of, redis_calls
from services.engine.store.redis.leases import Leases
from services.engine.store.redis.reports import expectations
from services.engine.store.scripts import script
from storage.batches import Call, run_in_stages
from storage.connection import Client
from storage.scripts import ScriptCall

_WRITE = script("prelude", "write")
_CONFIRM = script("prelude", "confirm")


class RedisJournal:
    """See Journal. Writes under one lease."""

    def __init__(
        self, client: Client, leases: Leases, retention: Retention, partition: int, execution_id: str, fence: int
    ) -> None:
        self._client = client
        self._leases = leases
        self._retention = retention
        self._partition = partition
        self._execution_id = execution_id
        self._fence = fence

    async def write(self, entry: Entry) -> Sequence[Turn]:
        state = entry.state
        # The run goes on while this is written and may take a turn; what comes back lies behind those taken now.
        taken = state.turns
        own = self._key() if state.session_id is None else self._ledger(state.session_id)
        script_keys = [self._key(), own, own if state.line is None else self._ledger(state.line)]
        arguments = [
            keys.prefix(self._partition),
            self._execution_id,
            self._fence,
            records.state_to_bytes(state),
            state.status,
            taken,
            int(entry.released),
            _written(lifetimes.due_at(state, clock.now_ms())),
            self._retention.executions_ms if state.ended else "",
            "" if state.session_id is None else lifetimes.ledger_life_ms(state, clock.now_ms()),
            entry.answered or "",
            b"" if state.reply is None else records.reply_to_bytes(state.reply),
            int(lifetimes.closed(state)),
            int(lifetimes.makes_room(state)),
            len(entry.correlations),
            *entry.correlations,
            *[records.result_to_bytes(result) for result in entry.results],
        ]
        answer = await self._written_with(expectations(entry, self._retention), script_keys, arguments)
        if answer[0] == b"lost":
            self._leases.let_go(self._execution_id, self._fence)
            raise LeaseLost(self._execution_id)
        turns = [records.turn_from_bytes(turn, taken + index) for index, turn in enumerate(answer[1], start=1)]
        if entry.released and not turns:
            self._leases.let_go(self._execution_id, self._fence)
        return turns

    async def confirm(self, state: ExecutionState, version: int) -> None:
        own = self._key() if state.session_id is None else self._ledger(state.session_id)
        await answer_of(
            _CONFIRM.run(
                self._client,
                [self._key(), own],
                [
                    keys.prefix(self._partition),
                    self._execution_id,
                    self._fence,
                    version,
                    _written(lifetimes.wake_at(state)),
                    int(lifetimes.makes_room(state)),
                ],
            )
        )

    async def _written_with(
        self, found_by: Sequence[Call], script_keys: Sequence[str], arguments: Sequence[Any]
    ) -> Any:
        """Runs the write script; what finds the execution by the outside's ids is written in the same trip."""
        if not found_by:
            return await answer_of(_WRITE.run(self._client, script_keys, arguments))
        with redis_calls():
            # What leads to the execution comes first: it is never acknowledged without being found.
            _, [answer] = await run_in_stages(self._client, found_by, [ScriptCall(_WRITE, script_keys, arguments)])
        return answer

    def _key(self) -> str:
        return keys.execution(self._partition, self._execution_id)

    def _ledger(self, session_id: str) -> str:
        return keys.ledger(self._partition, session_id)


def _written(time_ms: int | None) -> int | str:
    """How the scripts have a time; empty text means never."""
    return "" if time_ms is None else time_ms
