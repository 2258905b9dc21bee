"""Executions in Redis: each call is one script in one partition, and so one round trip."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis.exceptions import NoScriptError

from services.engine import ids, keys, records
from services.engine.core.ports import Entry, LeaseLost, StoreUnavailable
from services.engine.core.state import ExecutionState, Reply, Turn
from services.engine.listing import list_executions
from services.engine.store import (
    Answered,
    Begun,
    Cursor,
    Filter,
    NoExecution,
    Occupied,
    Queued,
    Report,
    Stored,
    TakenUp,
)
from services.engine.typed_text import TextMarks
from storage.connection import Client, StoreUnavailable as RedisUnavailable, store_errors
from storage.scripts import Script, ScriptCall

_PACKAGE = "services.engine"
_BEGIN_USSD_TURN = Script.load(_PACKAGE, "prelude", "begin_ussd_turn")
_BEGIN_ON_SESSION = Script.load(_PACKAGE, "prelude", "begin_on_session")
_CREATE = Script.load(_PACKAGE, "prelude", "create")
_TAKE_UP = Script.load(_PACKAGE, "prelude", "take_up")
_RENEW = Script.load(_PACKAGE, "prelude", "renew")
_WRITE = Script.load(_PACKAGE, "prelude", "write")
_CONFIRM = Script.load(_PACKAGE, "prelude", "confirm")

LEDGER_LIFE_MS = 24 * 3600 * 1000
"""How long a session's ledger lives after its last write while an execution is live on it."""

CLOSED_LEDGER_LIFE_MS = 2 * 3600 * 1000
"""How long the answers of a closed session are kept, so that a late repetition is answered and not run."""

MAX_REPORTS = 50
"""Delivery reports that are kept of one message, the newest ones."""

IDEMPOTENCY_LIFE_MS = 24 * 3600 * 1000
COMMIT_CHECK_MS = 10_000
"""An execution whose commit is not confirmed is looked at again after so long."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long ended executions are kept."""

    executions_ms: int


class RedisStore:
    """See ExecutionStore. `owner` names this process."""

    def __init__(self, client: Client, owner: str, lease_ms: int, retention: Retention) -> None:
        self._client = client
        self.owner = owner
        self.lease_ms = lease_ms
        self.retention = retention
        self.held: dict[str, int] = {}

    async def begin_ussd_turn(
        self, session_id: str, marks: TextMarks, turn: Mapping[str, Any], fresh: ExecutionState | None
    ) -> Begun:
        partition = ids.partition_of_session(session_id)
        answer = await self._run(
            _BEGIN_USSD_TURN,
            [keys.ledger(partition, session_id)],
            [
                *self._lease(partition),
                marks.own,
                records.turn_to_bytes(turn),
                LEDGER_LIFE_MS,
                *(("", "", "") if fresh is None else _fresh(fresh)),
                *marks.behind,
            ],
        )
        return self._begun(answer, turn)

    async def begin_on_session(self, turn: Mapping[str, Any], fresh: ExecutionState) -> Begun:
        assert fresh.session_id is not None
        partition = ids.partition_of_session(fresh.session_id)
        answer = await self._run(
            _BEGIN_ON_SESSION,
            [keys.ledger(partition, fresh.session_id)],
            [*self._lease(partition), records.turn_to_bytes(turn), LEDGER_LIFE_MS, *_fresh(fresh)],
        )
        return self._begun(answer, turn)

    async def create(self, turn: Mapping[str, Any], fresh: ExecutionState) -> TakenUp | None:
        partition = _partition(fresh.execution_id)
        answer = await self._run(
            _CREATE,
            [keys.execution(partition, fresh.execution_id)],
            [*self._lease(partition), records.turn_to_bytes(turn), *_fresh(fresh)],
        )
        return self._taken(answer) if answer[0] == b"taken" else None

    async def take_up(self, execution_id: str) -> TakenUp | None:
        partition = _partition(execution_id)
        answer = await self._run(
            _TAKE_UP, [keys.execution(partition, execution_id)], [*self._lease(partition), execution_id]
        )
        return self._taken(answer) if answer[0] == b"taken" else None

    async def renew(self, execution_ids: Sequence[str]) -> None:
        for execution_id in execution_ids:
            fence = self.held.get(execution_id)
            if fence is not None:
                partition = _partition(execution_id)
                await self._run(
                    _RENEW,
                    [keys.execution(partition, execution_id)],
                    [*self._lease(partition), execution_id, fence],
                )

    async def turns_behind(self, seen: Mapping[str, int]) -> Mapping[str, Sequence[Turn]]:
        with _unavailable():
            pipeline = self._client.pipeline(transaction=False)
            for execution_id, count in seen.items():
                pipeline.lrange(keys.turns(_partition(execution_id), execution_id), count, -1)
            found = await pipeline.execute()
        return {
            execution_id: [records.turn_from_bytes(turn, count + index) for index, turn in enumerate(turns, start=1)]
            for (execution_id, count), turns in zip(seen.items(), found, strict=True)
        }

    async def due(self, limit: int) -> Sequence[str]:
        now = _now_ms()
        with _unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                for partition in range(ids.PARTITIONS):
                    pipeline.zrangebyscore(keys.due(partition), "-inf", now, start=0, num=limit)
                found = await pipeline.execute()
        return [execution_id.decode() for group in found for execution_id in group][:limit]

    async def read(self, execution_id: str) -> Stored | None:
        partition = ids.partition_of_execution(execution_id)
        if partition is None:
            return None
        with _unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.hget(keys.execution(partition, execution_id), "state")
                pipeline.lrange(keys.results(partition, execution_id), 0, -1)
                pipeline.lrange(keys.correlations(partition, execution_id), 0, -1)
                state, results, names = await pipeline.execute()
            if state is None:
                return None
            async with self._client.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.lrange(keys.reports(name.decode()), 0, -1)
                reports = [report for group in await pipeline.execute() for report in group]
        return Stored(
            records.state_from_bytes(state),
            [records.result_from_bytes(result) for result in results],
            [records.report_from_bytes(report) for report in reports],
        )

    async def page(
        self, wanted: Filter, limit: int, after: Cursor | None
    ) -> tuple[Sequence[ExecutionState], Cursor | None]:
        with _unavailable():
            return await list_executions(self._client, wanted, limit, after)

    async def report(self, report: Report) -> str | None:
        name = f"sms:{report.message_id}"
        with _unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.rpush(keys.reports(name), records.report_to_bytes(report))
                pipeline.ltrim(keys.reports(name), -MAX_REPORTS, -1)
                pipeline.pexpire(keys.reports(name), self.retention.executions_ms)
                pipeline.get(keys.correlation(name))
                found = (await pipeline.execute())[-1]
        return None if found is None else str(found.decode())

    async def answer_of(self, session_id: str, mark: str) -> Reply | None:
        partition = ids.partition_of_session(session_id)
        with _unavailable():
            answer = await self._client.hget(keys.ledger(partition, session_id), f"a:{mark}")
        return records.reply_from_bytes(answer) if isinstance(answer, bytes) else None

    async def close_with(self, session_id: str, mark: str, reply: Reply) -> None:
        key = keys.ledger(ids.partition_of_session(session_id), session_id)
        written = records.reply_to_bytes(reply)
        with _unavailable():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hsetnx(key, f"a:{mark}", written)
            pipeline.hset(key, mapping={"reply": written, "closed": "1"})
            pipeline.pexpire(key, CLOSED_LEDGER_LIFE_MS)
            await pipeline.execute()

    async def claim_key(self, key: str, digest: str, execution_id: str) -> tuple[str, str]:
        value = f"{digest} {execution_id}"
        with _unavailable():
            before = await self._client.set(keys.idempotency(key), value, px=IDEMPOTENCY_LIFE_MS, nx=True, get=True)
        bound = before.decode() if isinstance(before, bytes) else value
        found_digest, _, found_id = bound.partition(" ")
        return found_digest, found_id

    async def write(
        self, script_keys: Sequence[str], arguments: Sequence[Any], execution_id: str, correlations: Sequence[str]
    ) -> Any:
        """Runs the write script; what finds the execution by the ids in `correlations` is written in the same trip."""
        if not correlations:
            return await self._run(_WRITE, script_keys, arguments)
        with _unavailable():
            pipeline = self._client.pipeline(transaction=False)
            for name in correlations:
                pipeline.set(keys.correlation(name), execution_id, px=self.retention.executions_ms)
            pipeline.execute_command(*_WRITE.by_hash(ScriptCall(_WRITE, script_keys, arguments)))
            answer = (await pipeline.execute(raise_on_error=False))[-1]
            if isinstance(answer, NoScriptError):
                answer = await _WRITE.run(self._client, script_keys, arguments)
            if isinstance(answer, Exception):
                raise answer
        return answer

    async def confirm(self, script_keys: Sequence[str], arguments: Sequence[Any]) -> None:
        """Runs the confirm script."""
        await self._run(_CONFIRM, script_keys, arguments)

    def _lease(self, partition: int) -> list[Any]:
        return [keys.prefix(partition), self.owner, self.lease_ms]

    def _begun(self, answer: Sequence[Any], turn: Mapping[str, Any]) -> Begun:
        match answer:
            case [b"answered", reply, execution_id]:
                return Answered(records.reply_from_bytes(reply), execution_id.decode())
            case [b"none"]:
                return NoExecution()
            case [b"queued", execution_id, owner, number]:
                recorded = None if number == 0 else Turn(number=number, **turn)
                return Queued(execution_id.decode(), owner.decode() == self.owner, recorded)
            case [b"occupied", execution_id, workflow_id]:
                return Occupied(execution_id.decode(), workflow_id.decode())
        return self._taken(answer)

    def _taken(self, answer: Sequence[Any]) -> TakenUp:
        _, execution_id, fence, state, taken, confirmed, turns = answer
        restored = records.state_from_bytes(state)
        if confirmed:
            _note_confirmed(restored, int(confirmed))
        name = execution_id.decode()
        self.held[name] = fence
        return TakenUp(
            restored,
            [records.turn_from_bytes(turn, int(taken) + index) for index, turn in enumerate(turns, start=1)],
            RedisJournal(self, _partition(name), name, fence),
        )

    async def _run(self, script: Script, script_keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        with _unavailable():
            return await script.run(self._client, script_keys, arguments)


class RedisJournal:
    """See Journal. Writes under one lease."""

    def __init__(self, store: RedisStore, partition: int, execution_id: str, fence: int) -> None:
        self._store = store
        self._partition = partition
        self._execution_id = execution_id
        self._fence = fence

    async def write(self, entry: Entry) -> Sequence[Turn]:
        state = entry.state
        script_keys = [self._key(), self._key() if state.session_id is None else self._ledger(state.session_id)]
        arguments = [
            keys.prefix(self._partition),
            self._execution_id,
            self._fence,
            records.state_to_bytes(state),
            state.status,
            state.turns,
            int(entry.released),
            _due(state),
            self._store.retention.executions_ms if state.ended else "",
            "" if state.session_id is None else _ledger_life_ms(state),
            entry.answered or "",
            b"" if state.reply is None else records.reply_to_bytes(state.reply),
            int(_closed(state)),
            len(entry.correlations),
            *entry.correlations,
            *[records.result_to_bytes(result) for result in entry.results],
        ]
        answer = await self._store.write(script_keys, arguments, self._execution_id, entry.correlations)
        if answer[0] == b"lost":
            self._store.held.pop(self._execution_id, None)
            raise LeaseLost(self._execution_id)
        turns = [records.turn_from_bytes(turn, state.turns + index) for index, turn in enumerate(answer[1], start=1)]
        if entry.released and not turns:
            self._store.held.pop(self._execution_id, None)
        return turns

    async def confirm(self, state: ExecutionState, version: int) -> None:
        await self._store.confirm(
            [self._key()],
            [keys.prefix(self._partition), self._execution_id, self._fence, version, _wake_at(state)],
        )

    def _key(self) -> str:
        return keys.execution(self._partition, self._execution_id)

    def _ledger(self, session_id: str) -> str:
        return keys.ledger(self._partition, session_id)


def _fresh(state: ExecutionState) -> tuple[str, bytes, str]:
    return (state.execution_id, records.state_to_bytes(state), state.workflow_id)


def _partition(execution_id: str) -> int:
    partition = ids.partition_of_execution(execution_id)
    if partition is None:
        raise ValueError(f"{execution_id!r} is no execution id")
    return partition


def _closed(state: ExecutionState) -> bool:
    return (
        state.session is not None
        and state.session.type == "ussd"
        and (state.ended or (state.reply is not None and state.reply.kind == "end"))
    )


def _ledger_life_ms(state: ExecutionState) -> int:
    if _closed(state):
        return CLOSED_LEDGER_LIFE_MS
    last_wait = max((wait.expires_at_ms for wait in state.waits.values()), default=0)
    return LEDGER_LIFE_MS + max(0, last_wait - _now_ms())


def _wake_at(state: ExecutionState) -> int | str:
    """When somebody must look at a released execution; empty text means never."""
    return min((wait.expires_at_ms for wait in state.waits.values()), default="")


def _due(state: ExecutionState) -> int | str:
    if not state.commits:
        return _wake_at(state)
    check = _now_ms() + COMMIT_CHECK_MS
    wake = _wake_at(state)
    return check if wake == "" else min(check, int(wake))


def _note_confirmed(state: ExecutionState, version: int) -> None:
    """The commits of the state were applied after it was written."""
    if state.session is not None:
        state.session.stale = version != state.session.version + len(state.commits)
        state.session.version = version
    state.commits.clear()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        with store_errors():
            yield
    except RedisUnavailable as problem:
        raise StoreUnavailable(problem.why) from problem
