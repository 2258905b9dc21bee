"""Executions in Redis: each call is one script in one partition, and so one round trip."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.engine import ids
from services.engine.core.state import ExecutionState
from services.engine.store import keys, lifetimes, records
from services.engine.store.execution_store import (
    Answered,
    Begun,
    Interrupted,
    NoExecution,
    Occupied,
    Offered,
    Queued,
    TakenUp,
)
from services.engine.store.lifetimes import (
    CLOSED_LEDGER_LIFE_MS,
    IDEMPOTENCY_LIFE_MS,
    LEDGER_LIFE_MS,
    Retention,
)
from services.engine.store.redis.calls import answer_of, redis_calls
from services.engine.store.redis.journal import RedisJournal
from services.engine.store.redis.leases import Leases, partition_of
from services.engine.store.redis.ledgers import RedisLedgers
from services.engine.store.redis.reading import RedisReading
from services.engine.store.redis.reports import RedisReports
from services.engine.store.scripts import script
from services.engine.store.typed_text import TextMarks
from storage.batches import Call, run_in_stages
from storage.connection import Client
from storage.scripts import ScriptCall

_BEGIN_TURN = script("prelude", "begin_turn")
_BEGIN_ON_SESSION = script("prelude", "begin_on_session")
_CREATE = script("prelude", "create")
_TAKE_UP = script("prelude", "take_up")
_HAND_OVER = script("prelude", "hand_over")
_RENEW = script("prelude", "renew")
_END_SESSION = script("prelude", "end_session")
_SIGNAL = script("prelude", "signal")


class RedisStore(RedisReading, RedisReports, RedisLedgers):
    """See ExecutionStore. `owner` names this process; `leases` are those that it holds."""

    def __init__(self, client: Client, owner: str, lease_ms: int, retention: Retention) -> None:
        self._client = client
        self._retention = retention
        self.leases = Leases(owner, lease_ms)

    async def begin_turn(
        self,
        session_id: str,
        marks: TextMarks,
        turn: Mapping[str, Any],
        fresh: ExecutionState | None,
        placed_by: str | None = None,
        declined: Interrupted | None = None,
    ) -> Begun:
        partition = ids.partition_of_session(session_id)
        answer = await answer_of(
            _BEGIN_TURN.run(
                self._client,
                [keys.ledger(partition, session_id)],
                [
                    *self.leases.asked(partition),
                    marks.own,
                    records.turn_to_bytes(turn),
                    LEDGER_LIFE_MS,
                    *(("", "", "") if fresh is None else _fresh(fresh)),
                    placed_by or "",
                    "" if declined is None else records.interrupted_to_bytes(declined),
                    *marks.behind,
                ],
            )
        )
        return self._begun(answer)

    async def begin_on_session(self, turn: Mapping[str, Any], fresh: ExecutionState) -> Begun:
        assert fresh.session_id is not None
        partition = ids.partition_of_session(fresh.session_id)
        answer = await answer_of(
            _BEGIN_ON_SESSION.run(
                self._client,
                [keys.ledger(partition, fresh.session_id)],
                [
                    *self.leases.asked(partition),
                    records.turn_to_bytes(turn),
                    LEDGER_LIFE_MS,
                    *_fresh(fresh),
                    IDEMPOTENCY_LIFE_MS,
                ],
            )
        )
        return self._begun(answer)

    async def create(self, turn: Mapping[str, Any], fresh: ExecutionState) -> TakenUp | None:
        partition = partition_of(fresh.execution_id)
        answer = await answer_of(
            _CREATE.run(
                self._client,
                [keys.execution(partition, fresh.execution_id)],
                [*self.leases.asked(partition), records.turn_to_bytes(turn), *_fresh(fresh)],
            )
        )
        return self._taken(answer) if answer[0] == b"taken" else None

    async def take_up(self, execution_id: str) -> TakenUp | None:
        partition = partition_of(execution_id)
        answer = await answer_of(
            _TAKE_UP.run(
                self._client, [keys.execution(partition, execution_id)], [*self.leases.asked(partition), execution_id]
            )
        )
        return self._taken(answer) if answer[0] == b"taken" else None

    async def hand_over(self, execution_id: str) -> None:
        fence = self.leases.held.pop(execution_id, None)
        if fence is not None:
            partition = partition_of(execution_id)
            await answer_of(
                _HAND_OVER.run(
                    self._client,
                    [keys.execution(partition, execution_id)],
                    [keys.prefix(partition), execution_id, fence],
                )
            )

    async def renew(self, execution_ids: Sequence[str]) -> None:
        self.leases.forget_lost(execution_ids)
        calls: list[Call] = []
        for execution_id in execution_ids:
            fence = self.leases.held.get(execution_id)
            if fence is not None:
                partition = partition_of(execution_id)
                arguments = [*self.leases.asked(partition), execution_id, fence]
                calls.append(ScriptCall(_RENEW, [keys.execution(partition, execution_id)], arguments))
        if calls:
            with redis_calls():
                await run_in_stages(self._client, calls)

    async def end_session(self, session_id: str, turn: Mapping[str, Any]) -> Begun:
        partition = ids.partition_of_session(session_id)
        return self._begun(
            await answer_of(
                _END_SESSION.run(
                    self._client,
                    [keys.ledger(partition, session_id)],
                    [*self.leases.asked(partition), records.turn_to_bytes(turn), CLOSED_LEDGER_LIFE_MS],
                )
            )
        )

    async def signal(self, execution_id: str, turn: Mapping[str, Any]) -> Begun:
        partition = partition_of(execution_id)
        return self._begun(
            await answer_of(
                _SIGNAL.run(
                    self._client,
                    [keys.execution(partition, execution_id)],
                    [*self.leases.asked(partition), execution_id, records.turn_to_bytes(turn)],
                )
            )
        )

    async def claimed(self, key: str) -> tuple[str, str] | None:
        with redis_calls():
            bound = await self._client.get(keys.idempotency(key))
        if not isinstance(bound, bytes):
            return None
        digest, _, execution_id = bound.decode().partition(" ")
        return digest, execution_id

    async def claim_key(self, key: str, digest: str, execution_id: str) -> tuple[str, str]:
        value = f"{digest} {execution_id}"
        with redis_calls():
            before = await self._client.set(keys.idempotency(key), value, px=IDEMPOTENCY_LIFE_MS, nx=True, get=True)
        bound = before.decode() if isinstance(before, bytes) else value
        found_digest, _, found_id = bound.partition(" ")
        return found_digest, found_id

    def _begun(self, answer: Sequence[Any]) -> Begun:
        match answer:
            case [b"answered", reply, execution_id]:
                return Answered(records.reply_from_bytes(reply), execution_id.decode())
            case [b"offered", offer]:
                return Offered(records.interrupted_from_bytes(offer))
            case [b"continued", continued]:
                return records.continued_from_bytes(continued)
            case [b"none"]:
                return NoExecution()
            case [b"queued", execution_id, owner, _]:
                return Queued(execution_id.decode(), owner.decode() == self.leases.owner, None)
            case [b"queued", execution_id, owner, number, turn]:
                recorded = records.turn_from_bytes(turn, number)
                return Queued(execution_id.decode(), owner.decode() == self.leases.owner, recorded)
            case [b"occupied", execution_id, workflow_id]:
                return Occupied(execution_id.decode(), workflow_id.decode())
        return self._taken(answer)

    def _taken(self, answer: Sequence[Any]) -> TakenUp:
        _, execution_id, fence, state, taken, confirmed, turns, broken_off = answer
        restored = records.state_from_bytes(state)
        restored.broken_off |= bool(broken_off)
        if confirmed:
            lifetimes.note_confirmed(restored, int(confirmed))
        name = execution_id.decode()
        self.leases.held[name] = fence
        return TakenUp(
            restored,
            [records.turn_from_bytes(turn, int(taken) + index) for index, turn in enumerate(turns, start=1)],
            RedisJournal(self._client, self.leases, self._retention, partition_of(name), name, fence),
        )


def _fresh(state: ExecutionState) -> tuple[str, bytes, str]:
    return (state.execution_id, records.state_to_bytes(state), state.workflow_id)
