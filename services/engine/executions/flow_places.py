"""
How many executions of one flow there are at once, and how often it may be started, in all engines together:
settings.maxConcurrentExecutions and settings.rateLimit.

Each execution that has begun and not ended, whether it runs or waits, holds a place. A place is named by the session
where there is one, since a session has one execution at a time: a call that comes twice takes one place. The places
of a flow lie in another slot of a cluster than its executions, so a place is taken before the execution is recorded
and given back after it has ended. An engine that dies in between leaves a place that nobody holds; whoever finds the
flow full looks at some holders and frees such places.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog

from services.engine import ids
from services.engine.core.ports import StoreUnavailable
from services.engine.core.program import Program
from services.engine.core.state import ExecutionState, ExecutionStatus
from services.engine.errors import FlowBusy, FlowStartsTooOften
from services.engine.store import keys
from services.engine.store.execution_store import Begun, Occupied, Queued, TakenUp
from services.engine.store.redis.calls import answer_of
from services.engine.store.scripts import script
from storage.batches import answers_of
from storage.connection import Client
from workflow.ports import Rate, RateLimiter

CHECKED_AT_ONCE = 20
"""Holders that are looked at when a flow is found full, those that were not looked at for the longest time first."""

CHECK_AGAIN_MS = 1000
"""A holder is not looked at again so soon: a flood of refused calls costs one trip each."""

BEGIN_WITHIN_MS = 30_000
"""Between taking a place and recording the execution passes less, or its engine is dead."""

LIFE_MS = 3651 * 24 * 3600 * 1000
"""Places of a flow that nobody starts any more are forgotten after so long: longer than an execution can wait."""

_TAKE = script("prelude", "take_place")
_CHECK = script("prelude", "check_places")

MaybeBegun = TypeVar("MaybeBegun", bound=Begun | None)

_log = structlog.get_logger()


class FlowPlaces:
    """The places of all flows that have a limit; for the others it makes no call."""

    def __init__(self, client: Client, rates: RateLimiter) -> None:
        self._client = client
        self._rates = rates

    async def begun(
        self, program: Program, fresh: ExecutionState, start: str | None, begin: Callable[[], Awaitable[MaybeBegun]]
    ) -> MaybeBegun:
        """
        Records an execution with a place of its flow.

        Args:
            start: What names this start among those that settings.rateLimit counts; the same one again is not counted.
                None: an execution that has begun goes on.
            begin: Records `fresh`, or finds what was begun before; the place is given back where that holds none.

        Raises FlowBusy, FlowStartsTooOften, StoreUnavailable.
        """
        if start is not None:
            await self._take_turn(program, fresh, start)
        limit = limit_of(program, fresh)
        if limit is None:
            return await begin()
        is_new = await self._take(fresh, limit)
        # When this fails nobody knows whether it was recorded: the place stays until somebody looks.
        begun = await begin()
        if is_new and not _is_live(begun, fresh.workflow_id):
            await self._free(fresh)
        return begun

    async def ended(self, program: Program, state: ExecutionState) -> None:
        """Gives back the place of an execution that has ended. Does not fail: a place left over is found later."""
        if limit_of(program, state) is not None:
            await self._free(state)

    async def _take_turn(self, program: Program, fresh: ExecutionState, start: str) -> None:
        limit = program.graph.settings.rate_limit
        if limit is None or fresh.options.dry_run:
            return
        rate = Rate(f"starts:{fresh.workflow_id}", limit.max_requests, limit.window_ms, limit.strategy)
        permit = await self._rates.reserve(rate, start, 0)
        if not permit.granted:
            raise FlowStartsTooOften(fresh.workflow_id, limit.max_requests, permit.wait_ms)

    async def _take(self, fresh: ExecutionState, limit: int) -> bool:
        """Returns whether the place is new; a repeated call holds its place already."""
        if (answer := await self._ask(fresh, limit))[0] == b"full":
            if not await self._check(fresh.workflow_id, int(answer[1]), answer[2]):
                raise FlowBusy(fresh.workflow_id, limit)
            if (answer := await self._ask(fresh, limit))[0] == b"full":
                raise FlowBusy(fresh.workflow_id, limit)
        return bool(answer[0] == b"taken")

    async def _ask(self, fresh: ExecutionState, limit: int) -> Sequence[Any]:
        arguments: Sequence[str | int] = [_name(fresh), limit, LIFE_MS, CHECKED_AT_ONCE, CHECK_AGAIN_MS]
        answer: Sequence[Any] = await answer_of(_TAKE.run(self._client, [keys.places(fresh.workflow_id)], arguments))
        return answer

    async def _check(self, workflow_id: str, now_ms: int, holders: Sequence[bytes]) -> int:
        """Frees the places, among these, of executions that have ended or never began; returns how many."""
        taken_at = {name.decode(): float(score) for name, score in zip(holders[::2], holders[1::2], strict=True)}
        if not taken_at:
            return 0
        gone, live = [], []
        for name, status in (await self._statuses(list(taken_at))).items():
            if status == ExecutionStatus.RUNNING:
                live.append(name)
            elif status is not None or now_ms - taken_at[name] > BEGIN_WITHIN_MS:
                gone.append(name)
        freed: Sequence[str | int] = [len(gone), *gone, *live]
        await answer_of(_CHECK.run(self._client, [keys.places(workflow_id)], freed))
        if gone:
            _log.info("places of executions that are gone were freed", workflow_id=workflow_id, count=len(gone))
        return len(gone)

    async def _statuses(self, names: Sequence[str]) -> dict[str, str | None]:
        """Returns, by the name of a place, how its execution stands; None where there is none."""
        sessions = [name for name in names if ids.partition_of_execution(name) is None]
        ledgers = [keys.ledger(ids.partition_of_session(session_id), session_id) for session_id in sessions]
        found = dict(zip(sessions, await self._read(ledgers, "execution"), strict=True))
        hashes = {name: _execution_key(found.get(name, name)) for name in names}
        known = {name: key for name, key in hashes.items() if key is not None}
        statuses = dict(zip(known, await self._read(list(known.values()), "status"), strict=True))
        return {name: statuses.get(name) for name in names}

    async def _read(self, hashes: Sequence[str], field: str) -> Sequence[str | None]:
        """Reads one field of each hash."""
        if not hashes:
            return []
        pipeline = self._client.pipeline(transaction=False)
        for key in hashes:
            pipeline.hget(key, field)
        return [None if value is None else value.decode() for value in await answer_of(answers_of(pipeline))]

    async def _free(self, state: ExecutionState) -> None:
        try:
            await answer_of(self._client.zrem(keys.places(state.workflow_id), _name(state)))
        except StoreUnavailable as problem:
            _log.warning("a place is left over until the flow is full", workflow_id=state.workflow_id, why=str(problem))


def _name(state: ExecutionState) -> str:
    return state.execution_id if state.session_id is None else state.session_id


def _execution_key(execution_id: str | None) -> str | None:
    partition = None if execution_id is None else ids.partition_of_execution(execution_id)
    return None if partition is None or execution_id is None else keys.execution(partition, execution_id)


def _is_live(begun: Begun | None, workflow_id: str) -> bool:
    """Whether this is an execution of the flow that has not ended."""
    match begun:
        case TakenUp(state):
            return state.workflow_id == workflow_id
        case Occupied(_, of_workflow):
            return of_workflow == workflow_id
    return isinstance(begun, Queued)


def limit_of(program: Program, state: ExecutionState) -> int | None:
    """Returns how many executions there may be; None: any number. A rehearsal does not count."""
    return None if state.options.dry_run else program.graph.settings.max_concurrent_executions
