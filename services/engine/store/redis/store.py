"""Executions in Redis: each call is one script in one partition, and so one round trip."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from services.engine import ids
from services.engine.core.ports import Entry, LeaseLost
from services.engine.core.state import ExecutionState, NodeResult, Reply, Turn
from services.engine.store import keys, lifetimes, records
from services.engine.store.execution_store import (
    Answered,
    Begun,
    Continued,
    Cursor,
    Filter,
    Interrupted,
    Newest,
    NoExecution,
    Occupied,
    Offered,
    OpenEffect,
    Queued,
    Report,
    Stored,
    TakenUp,
)
from services.engine.store.lifetimes import (
    CLOSED_LEDGER_LIFE_MS,
    IDEMPOTENCY_LIFE_MS,
    LEDGER_LIFE_MS,
    MAX_REPORTED,
    MAX_REPORTS,
    MAX_UNMATCHED,
    MOST_FOLLOW_UPS,
    UNSETTLED_GRACE_MS,
    Retention,
)
from services.engine.store.redis.calls import redis_calls
from services.engine.store.redis.listing import list_executions
from services.engine.store.typed_text import TextMarks
from storage.batches import Call, answers_of, run_in_stages
from storage.connection import Client
from storage.scripts import Script, ScriptCall

_PACKAGE = "services.engine.store"
_BEGIN_TURN = Script.load(_PACKAGE, "prelude", "begin_turn")
_BEGIN_ON_SESSION = Script.load(_PACKAGE, "prelude", "begin_on_session")
_CREATE = Script.load(_PACKAGE, "prelude", "create")
_TAKE_UP = Script.load(_PACKAGE, "prelude", "take_up")
_HAND_OVER = Script.load(_PACKAGE, "prelude", "hand_over")
_RENEW = Script.load(_PACKAGE, "prelude", "renew")
_WRITE = Script.load(_PACKAGE, "prelude", "write")
_CONFIRM = Script.load(_PACKAGE, "prelude", "confirm")
_ANSWER_LATE = Script.load(_PACKAGE, "answer_late")
_END_SESSION = Script.load(_PACKAGE, "prelude", "end_session")
_OFFER = Script.load(_PACKAGE, "offer")
_CONTINUE = Script.load(_PACKAGE, "continue")
_SIGNAL = Script.load(_PACKAGE, "prelude", "signal")


class RedisStore:
    """See ExecutionStore. `owner` names this process."""

    def __init__(self, client: Client, owner: str, lease_ms: int, retention: Retention) -> None:
        self._client = client
        self.owner = owner
        self.lease_ms = lease_ms
        self.retention = retention
        self.held: dict[str, int] = {}
        self._not_running: set[str] = set()

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
        answer = await self._run(
            _BEGIN_TURN,
            [keys.ledger(partition, session_id)],
            [
                *self._lease(partition),
                marks.own,
                records.turn_to_bytes(turn),
                LEDGER_LIFE_MS,
                *(("", "", "") if fresh is None else _fresh(fresh)),
                placed_by or "",
                "" if declined is None else records.interrupted_to_bytes(declined),
                *marks.behind,
            ],
        )
        return self._begun(answer)

    async def begin_on_session(self, turn: Mapping[str, Any], fresh: ExecutionState) -> Begun:
        assert fresh.session_id is not None
        partition = ids.partition_of_session(fresh.session_id)
        answer = await self._run(
            _BEGIN_ON_SESSION,
            [keys.ledger(partition, fresh.session_id)],
            [*self._lease(partition), records.turn_to_bytes(turn), LEDGER_LIFE_MS, *_fresh(fresh), IDEMPOTENCY_LIFE_MS],
        )
        return self._begun(answer)

    async def live_on(self, session_id: str) -> str | None:
        with redis_calls():
            found = await self._client.hget(keys.ledger(ids.partition_of_session(session_id), session_id), "execution")
        return found.decode() if isinstance(found, bytes) else None

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

    async def hand_over(self, execution_id: str) -> None:
        fence = self.held.pop(execution_id, None)
        if fence is not None:
            partition = _partition(execution_id)
            await self._run(
                _HAND_OVER,
                [keys.execution(partition, execution_id)],
                [keys.prefix(partition), execution_id, fence],
            )

    async def renew(self, execution_ids: Sequence[str]) -> None:
        self._forget_lost(execution_ids)
        calls: list[Call] = []
        for execution_id in execution_ids:
            fence = self.held.get(execution_id)
            if fence is not None:
                partition = _partition(execution_id)
                arguments = [*self._lease(partition), execution_id, fence]
                calls.append(ScriptCall(_RENEW, [keys.execution(partition, execution_id)], arguments))
        if calls:
            with redis_calls():
                await run_in_stages(self._client, calls)

    def let_go(self, execution_id: str, fence: int) -> None:
        """Forgets a lease that has ended. The next turn may have a newer one here before its own run knows."""
        if self.held.get(execution_id) == fence:
            del self.held[execution_id]

    def _forget_lost(self, running: Sequence[str]) -> None:
        """
        Forgets leases whose run broke. One that was taken a moment ago may have no run yet, so a lease goes only when
        it had none at the last renewal either.
        """
        not_running = self.held.keys() - set(running)
        for execution_id in not_running & self._not_running:
            del self.held[execution_id]
        self._not_running = not_running

    async def turns_behind(self, seen: Mapping[str, int]) -> Mapping[str, Sequence[Turn]]:
        with redis_calls():
            pipeline = self._client.pipeline(transaction=False)
            for execution_id, count in seen.items():
                pipeline.lrange(keys.turns(_partition(execution_id), execution_id), count, -1)
            found = await answers_of(pipeline)
        return {
            execution_id: [records.turn_from_bytes(turn, count + index) for index, turn in enumerate(turns, start=1)]
            for (execution_id, count), turns in zip(seen.items(), found, strict=True)
        }

    async def due(self, limit: int) -> Sequence[str]:
        now = _now_ms()
        with redis_calls():
            pipeline = self._client.pipeline(transaction=False)
            for partition in range(ids.PARTITIONS):
                pipeline.zrangebyscore(keys.due(partition), "-inf", now, start=0, num=limit, withscores=True)
            found = await answers_of(pipeline)
        by_time = sorted((time_ms, execution_id) for group in found for execution_id, time_ms in group)
        return [execution_id.decode() for _, execution_id in by_time[:limit]]

    async def read(self, execution_id: str) -> Stored | None:
        partition = ids.partition_of_execution(execution_id)
        if partition is None:
            return None
        with redis_calls():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(keys.execution(partition, execution_id), "state")
            pipeline.lrange(keys.results(partition, execution_id), 0, -1)
            pipeline.lrange(keys.correlations(partition, execution_id), 0, -1)
            pipeline.get(keys.resumed(partition, execution_id))
            state, results, names, resumed = await answers_of(pipeline)
            if state is None:
                return None if resumed is None else await self.read(resumed.decode())
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.lrange(keys.reports(name.decode()), 0, -1)
            reports = [report for group in await answers_of(pipeline) for report in group]
        return Stored(
            records.state_from_bytes(state),
            [records.result_from_bytes(result) for result in results],
            [records.report_from_bytes(report) for report in reports],
        )

    async def results_behind(self, execution_id: str, seen: int) -> tuple[ExecutionState, Sequence[NodeResult]] | None:
        partition = ids.partition_of_execution(execution_id)
        if partition is None:
            return None
        with redis_calls():
            # The state first: whatever it counts as done is among the results that are read behind it.
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(keys.execution(partition, execution_id), "state")
            pipeline.lrange(keys.results(partition, execution_id), seen, -1)
            state, results = await answers_of(pipeline)
        if state is None:
            return None
        return records.state_from_bytes(state), [records.result_from_bytes(result) for result in results]

    async def page(
        self, wanted: Filter, limit: int, after: Cursor | None
    ) -> tuple[Sequence[ExecutionState], Cursor | None]:
        with redis_calls():
            return await list_executions(self._client, wanted, limit, after)

    async def report(self, report: Report) -> str | None:
        name = report.name
        with redis_calls():
            # The report stands there before we look for the execution: one of the two that note these sees the other.
            _, [found] = await run_in_stages(
                self._client,
                [
                    ("RPUSH", keys.reports(name), records.report_to_bytes(report)),
                    ("LTRIM", keys.reports(name), -MAX_REPORTS, -1),
                    ("PEXPIRE", keys.reports(name), self.retention.shared_ms),
                ],
                [("GET", keys.correlation(name))],
            )
            if isinstance(found, bytes):
                return found.decode()
            await self._keep_unknown(report)
        return None

    async def _keep_unknown(self, report: Report) -> None:
        """Keeps whom it was reported of: a send without an answer may wait for it, and the person may be erased."""
        calls: list[Call] = []
        if report.about is not None:
            key = keys.unmatched(report.about)
            calls += [
                ("ZADD", key, report.received_at_ms, report.message_id),
                ("ZREMRANGEBYRANK", key, 0, -1 - MAX_UNMATCHED),
                ("PEXPIRE", key, self.retention.unmatched_ms),
            ]
        if not report.number:
            await run_in_stages(self._client, calls)
            return
        key = keys.reported(f"{report.channel}:{report.number}")
        calls += [
            ("ZADD", key, report.received_at_ms, report.message_id),
            ("PEXPIRE", key, self.retention.shared_ms),
            ("ZREMRANGEBYSCORE", key, "-inf", _now_ms() - self.retention.shared_ms),
            ("ZRANGE", key, 0, -1 - MAX_REPORTED),
        ]
        [[*_, surplus]] = await run_in_stages(self._client, calls)
        if surplus:
            forgotten = [("UNLINK", keys.reports(f"{report.channel}:{old.decode()}")) for old in surplus]
            await run_in_stages(self._client, [*forgotten, ("ZREM", key, *surplus)])

    async def unmatched(self, name: str) -> Sequence[Report]:
        with redis_calls():
            members = await self._client.zrangebyscore(
                keys.unmatched(name), _now_ms() - self.retention.unmatched_ms, "+inf"
            )
            message_ids = [bytes(member).decode() for member in members if isinstance(member, bytes)]
            channel = name.partition(":")[0]
            pipeline = self._client.pipeline(transaction=False)
            for message_id in message_ids:
                pipeline.get(keys.correlation(f"{channel}:{message_id}"))
                pipeline.lindex(keys.reports(f"{channel}:{message_id}"), -1)
            found = await answers_of(pipeline) if message_ids else []
        known, reports = found[::2], found[1::2]
        return [
            records.report_from_bytes(report)
            for execution, report in zip(known, reports, strict=True)
            if execution is None and report is not None
        ]

    async def answer_of(self, session_id: str, mark: str) -> Reply | None:
        partition = ids.partition_of_session(session_id)
        with redis_calls():
            answer = await self._client.hget(keys.ledger(partition, session_id), f"a:{mark}")
        return records.reply_from_bytes(answer) if isinstance(answer, bytes) else None

    async def newest_of(self, session_id: str) -> Newest | None:
        partition = ids.partition_of_session(session_id)
        with redis_calls():
            last, reply = await self._client.hmget(keys.ledger(partition, session_id), ["last", "reply"])
        if not isinstance(last, bytes):
            return None
        mark = last.decode()
        return Newest(mark, isinstance(reply, bytes) and records.reply_from_bytes(reply).turn == mark)

    async def answer_late(self, session_id: str, mark: str, reply: Reply) -> Reply:
        answer = await self._run(
            _ANSWER_LATE,
            [keys.ledger(ids.partition_of_session(session_id), session_id)],
            [mark, records.reply_to_bytes(reply), int(reply.kind == "end"), CLOSED_LEDGER_LIFE_MS],
        )
        return records.reply_from_bytes(answer)

    async def correlated(self, name: str) -> str | None:
        with redis_calls():
            found = await self._client.get(keys.correlation(name))
        return found.decode() if isinstance(found, bytes) else None

    async def offer(self, session_id: str, mark: str, interrupted: Interrupted, prompt: Reply) -> Reply:
        answer = await self._run(
            _OFFER,
            [keys.ledger(ids.partition_of_session(session_id), session_id)],
            [mark, records.interrupted_to_bytes(interrupted), records.reply_to_bytes(prompt), LEDGER_LIFE_MS],
        )
        return records.reply_from_bytes(answer)

    async def continue_with(self, session_id: str, mark: str, continued: Continued, screen: Reply) -> None:
        earlier = continued.interrupted.session_id
        with redis_calls():
            # The phone of the earlier session may have been told that it is over.
            await self._client.hdel(keys.ledger(ids.partition_of_session(earlier), earlier), "closed", "hung_up")
        await self._run(
            _CONTINUE,
            [keys.ledger(ids.partition_of_session(session_id), session_id)],
            [mark, records.continued_to_bytes(continued), records.reply_to_bytes(screen), LEDGER_LIFE_MS],
        )

    async def end_session(self, session_id: str, turn: Mapping[str, Any]) -> Begun:
        partition = ids.partition_of_session(session_id)
        return self._begun(
            await self._run(
                _END_SESSION,
                [keys.ledger(partition, session_id)],
                [*self._lease(partition), records.turn_to_bytes(turn), CLOSED_LEDGER_LIFE_MS],
            )
        )

    async def signal(self, execution_id: str, turn: Mapping[str, Any]) -> Begun:
        partition = _partition(execution_id)
        return self._begun(
            await self._run(
                _SIGNAL,
                [keys.execution(partition, execution_id)],
                [*self._lease(partition), execution_id, records.turn_to_bytes(turn)],
            )
        )

    async def unsettled(self, name: str, since_ms: int) -> Sequence[OpenEffect]:
        with redis_calls():
            members = await self._client.zrangebyscore(keys.unsettled(name), since_ms, "+inf", start=0, num=2)
        return [OpenEffect(*member.decode().split(" ")) for member in members if isinstance(member, bytes)]

    async def settled(self, name: str, effect: OpenEffect) -> None:
        with redis_calls():
            await self._client.zrem(keys.unsettled(name), _member(effect))

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

    async def write(self, script_keys: Sequence[str], arguments: Sequence[Any], entry: Entry) -> Any:
        """Runs the write script; what finds the execution by the outside's ids is written in the same trip."""
        if not (entry.correlations or entry.unsettled or entry.follow_at_ms is not None):
            return await self._run(_WRITE, script_keys, arguments)
        execution_id = entry.state.execution_id
        found_by: list[Call] = [
            ("SET", keys.correlation(name), execution_id, "PX", self.retention.shared_ms) for name in entry.correlations
        ]
        for unsettled in entry.unsettled:
            key = keys.unsettled(unsettled.name)
            until = entry.state.waits[unsettled.node_id].expires_at_ms
            effect = OpenEffect(execution_id, unsettled.node_id)
            found_by += [
                ("ZREMRANGEBYSCORE", key, "-inf", _now_ms()),
                ("ZADD", key, until, _member(effect)),
                ("PEXPIREAT", key, until + UNSETTLED_GRACE_MS),
            ]
        if entry.follow_at_ms is not None:
            found_by += [
                ("ZADD", keys.FOLLOW_UPS, entry.follow_at_ms, execution_id),
                ("ZREMRANGEBYRANK", keys.FOLLOW_UPS, 0, -1 - MOST_FOLLOW_UPS),
            ]
        with redis_calls():
            # What leads to the execution comes first: it is never acknowledged without being found.
            _, [answer] = await run_in_stages(self._client, found_by, [ScriptCall(_WRITE, script_keys, arguments)])
        return answer

    async def confirm(self, script_keys: Sequence[str], arguments: Sequence[Any]) -> None:
        """Runs the confirm script."""
        await self._run(_CONFIRM, script_keys, arguments)

    def _lease(self, partition: int) -> list[Any]:
        return [keys.prefix(partition), self.owner, self.lease_ms]

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
                return Queued(execution_id.decode(), owner.decode() == self.owner, None)
            case [b"queued", execution_id, owner, number, turn]:
                recorded = records.turn_from_bytes(turn, number)
                return Queued(execution_id.decode(), owner.decode() == self.owner, recorded)
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
        self.held[name] = fence
        return TakenUp(
            restored,
            [records.turn_from_bytes(turn, int(taken) + index) for index, turn in enumerate(turns, start=1)],
            RedisJournal(self, _partition(name), name, fence),
        )

    async def _run(self, script: Script, script_keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        with redis_calls():
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
            _written(lifetimes.due_at(state, _now_ms())),
            self._store.retention.executions_ms if state.ended else "",
            "" if state.session_id is None else lifetimes.ledger_life_ms(state, _now_ms()),
            entry.answered or "",
            b"" if state.reply is None else records.reply_to_bytes(state.reply),
            int(lifetimes.closed(state)),
            int(lifetimes.makes_room(state)),
            len(entry.correlations),
            *entry.correlations,
            *[records.result_to_bytes(result) for result in entry.results],
        ]
        answer = await self._store.write(script_keys, arguments, entry)
        if answer[0] == b"lost":
            self._store.let_go(self._execution_id, self._fence)
            raise LeaseLost(self._execution_id)
        turns = [records.turn_from_bytes(turn, taken + index) for index, turn in enumerate(answer[1], start=1)]
        if entry.released and not turns:
            self._store.let_go(self._execution_id, self._fence)
        return turns

    async def confirm(self, state: ExecutionState, version: int) -> None:
        own = self._key() if state.session_id is None else self._ledger(state.session_id)
        await self._store.confirm(
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


def _member(effect: OpenEffect) -> str:
    return f"{effect.execution_id} {effect.node_id}"


def _written(time_ms: int | None) -> int | str:
    """How the scripts have a time; empty text means never."""
    return "" if time_ms is None else time_ms


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
