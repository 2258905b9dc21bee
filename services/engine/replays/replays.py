"""Runs an execution again, with the inputs that its journal kept, and compares."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.engine import ids
from services.engine.core.program import Program
from services.engine.core.state import ExecutionState, Signal, Turn
from services.engine.errors import ExecutionNotFound, ReplayDisabled
from services.engine.executions.beginnings import Overrides, first_state, signal_record
from services.engine.executions.live_runs import LiveRuns
from services.engine.executions.run_sessions import new_session
from services.engine.replays.differences import Difference, differences
from services.engine.replays.turns import ReplayedTurns, missed_calls
from services.engine.store.execution_store import ExecutionStore, Stored, TakenUp
from workflow.outcome import WaitKind

LONGEST_REPLAY_SECONDS = 30.0
"""A replay is answered after so long, wherever it stands; it goes on."""


class Replays:
    """`now_ms` is Unix time."""

    def __init__(self, store: ExecutionStore, runs: LiveRuns, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._runs = runs
        self._now_ms = now_ms

    async def replay(self, execution_id: str, *, dry_run: bool) -> tuple[Stored, Sequence[Difference]]:
        """
        Runs it again; returns the new execution and what went otherwise.

        Raises ExecutionNotFound, ReplayDisabled, EngineBusy, StoreUnavailable.
        """
        before = await self._read(execution_id)
        program = await self._runs.program_of(before.state)
        if not program.graph.settings.enable_replay:
            raise ReplayDisabled(execution_id, program.graph.workflow_id)
        # A call may have been answered by the execution that it went on with.
        kept = before.state.execution_id
        turns = (await self._store.turns_behind({kept: 0}))[kept]
        missed = missed_calls(before.results) if dry_run else []
        fresh = self._fresh(program, before.state, turns, dry_run=dry_run)
        fresh.options = replace(fresh.options, missed_calls={call.place: call.why for call in missed})
        until = time.monotonic() + LONGEST_REPLAY_SECONDS
        again = ReplayedTurns([call.session_id for call in missed])
        await self._begin(program, fresh, again.record(turns[0], fresh))
        for turn in turns[1:]:
            if turn.signal is not Signal.REPORT and not again.knows(turn):
                await self._rest(fresh.execution_id, until)
                so_far = await self._read(fresh.execution_id)
                await self._feed(fresh.execution_id, again.record(turn, so_far.state))
        await self._rest(fresh.execution_id, until)
        await self._give_up_where_nobody_answered(before.state, fresh.execution_id)
        await self._rest(fresh.execution_id, until)
        after = await self._read(fresh.execution_id)
        return after, differences(before, after)

    def _fresh(
        self, program: Program, state: ExecutionState, turns: Sequence[Turn], *, dry_run: bool
    ) -> ExecutionState:
        if not turns:
            raise ExecutionNotFound(state.execution_id)
        execution_id = ids.new_execution_id(ids.any_partition())
        overrides = Overrides(state.options.max_active_ms, state.options.continue_on_error, dry_run)
        session = new_session(program, execution_id, dry_run=dry_run)
        return first_state(program, execution_id, turns[0].payload, session, overrides, self._now_ms())

    async def _begin(self, program: Program, fresh: ExecutionState, record: Mapping[str, Any]) -> None:
        with self._runs.beginning():
            begun = await (
                self._store.create(record, fresh)
                if fresh.session_id is None
                else self._store.begin_on_session(record, fresh)
            )
            assert isinstance(begun, TakenUp), "the id is new"
            self._runs.launch(begun, program)

    async def _feed(self, execution_id: str, record: dict[str, object]) -> None:
        await self._runs.signal(execution_id, record)

    async def _give_up_where_nobody_answered(self, before: ExecutionState, execution_id: str) -> None:
        """Nobody answers a replay either: where the wait for a person ran out, it ends at once."""
        state = (await self._read(execution_id)).state
        asks = any(wait.kind is WaitKind.INPUT for wait in state.waits.values())
        if before.ended and asks and not state.ended:
            await self._feed(execution_id, signal_record(Signal.ABANDON, {"reason": "nobody answered"}))

    async def _rest(self, execution_id: str, until: float) -> None:
        await self._runs.over(execution_id, max(0, round((until - time.monotonic()) * 1000)))

    async def _read(self, execution_id: str) -> Stored:
        stored = await self._store.read(execution_id)
        if stored is None:
            raise ExecutionNotFound(execution_id)
        return stored
