"""What callers ask of the engine: run a flow, look at an execution, stop it."""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from services.engine import ids
from services.engine.core.program import Program
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState
from services.engine.errors import (
    ExecutionEnded,
    ExecutionNotFound,
    ExecutionRunning,
    FlowBusy,
    IdempotencyKeyReused,
    InvalidRequest,
    SessionBusy,
    SessionEnded,
)
from services.engine.executions.beginnings import DEFAULT_WAIT_MS, Overrides, first_state, turn_record
from services.engine.executions.flow_places import FlowPlaces
from services.engine.executions.live_runs import LiveRuns
from services.engine.executions.run_sessions import REHEARSAL, RunSessions, new_session
from services.engine.flows.routes import Route, Routes
from services.engine.store.execution_store import Begun, ExecutionStore, NoExecution, Occupied, Queued, Stored, TakenUp
from services.engine.store.typed_text import TypedText
from workflow.outcome import WaitKind

LONGEST_LOOK_AWAY_MS = 1000
"""A call that waits for a timer sees so soon that somebody else has ended the execution."""

TIMER_POLL_MS = 100
"""How often an execution whose timer is due is looked at until it has gone on."""

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,256}")


def check_session_id(session_id: str) -> None:
    """Raises InvalidRequest for what cannot be the id of a session."""
    if not _SESSION_ID.fullmatch(session_id):
        raise InvalidRequest("session_id", "a session id has 1 to 256 printable characters and no spaces")


class Executions:
    """Starts executions and resumes them. `now_ms` is Unix time."""

    def __init__(
        self,
        store: ExecutionStore,
        routes: Routes,
        sessions: RunSessions,
        places: FlowPlaces,
        runs: LiveRuns,
        typed: TypedText,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._routes = routes
        self._sessions = sessions
        self._places = places
        self._runs = runs
        self._typed = typed
        self._now_ms = now_ms

    async def execute(
        self,
        program: Program,
        payload: Mapping[str, Any],
        session_id: str | None,
        overrides: Overrides,
        key: tuple[str, str] | None,
    ) -> Stored:
        """
        Starts a flow or resumes the suspended execution of the session; returns when it ended, waits for a person,
        or the time to wait is over.

        Args:
            key: Idempotency key and digest of the request, None when the call may be repeated freely.
        """
        joined = _joined(program, payload, session_id, overrides)
        partition = ids.any_partition() if joined is None else ids.partition_of_session(joined)
        execution_id = ids.new_execution_id(partition)
        if key is not None:
            digest, execution_id = await self._store.claim_key(key[0], key[1], execution_id)
            if digest != key[1]:
                raise IdempotencyKeyReused(key[0])
            before = await self._store.read(execution_id)
            if before is not None:
                return await self.at_rest(before.state.execution_id, overrides.wait_ms)
        if session_id is not None:
            await self._sessions.check(session_id, program.graph.workflow_id)
        own = joined or new_session(program, execution_id, dry_run=overrides.dry_run)
        recorded = self._typed.recorded(payload) if program.is_sensitive else payload
        state = first_state(program, execution_id, recorded, own, overrides, self._now_ms())
        turn = turn_record(None, recorded)
        with self._runs.beginning():
            begun = await self._begun(program, turn, state, joined)
            run = await self._launched(begun, program) if isinstance(begun, TakenUp) else None
        if run is not None:
            return await self._rested(run, run.state.execution_id == execution_id, overrides.wait_ms)
        if isinstance(begun, Occupied):
            raise SessionBusy(own or "", begun.execution_id, begun.workflow_id)
        if isinstance(begun, NoExecution):
            raise SessionEnded(own or "")
        # The call was here before: what it began, or went on with, is known by now.
        known = begun.execution_id if isinstance(begun, Queued) else execution_id
        return await self.at_rest(known, overrides.wait_ms)

    async def triggered(self, channel: str, reference: str, payload: Mapping[str, Any]) -> str | None:
        """
        Starts the published flow that claims what came in, once; returns the execution id, None when none does.

        Args:
            channel: How it came in, such as sms.
            reference: What names it in its channel: the same one again starts nothing.
        """
        route = await self._routes.find(channel, payload)
        return None if route is None else await self.start_once(route, channel, reference, payload)

    async def start_once(self, route: Route, channel: str, reference: str, payload: Mapping[str, Any]) -> str:
        """Starts a flow as `triggered` does; returns the execution id. Raises EngineBusy, FlowBusy."""
        execution_id = ids.execution_id_for(f"{channel}:{reference}", ids.partition_of(reference))
        await self.start(route.program, payload, execution_id)
        return execution_id

    async def start(
        self, program: Program, payload: Mapping[str, Any], execution_id: str, *, restarted: int = 0
    ) -> None:
        """
        Starts a flow on its own, with a new session where it needs one; an id that was used before starts nothing.

        `restarted` counts the executions of the same cause before this one. Raises EngineBusy, FlowBusy.
        """
        partition = ids.partition_of_execution(execution_id)
        assert partition is not None
        needs_session = program.requires_session
        session_id = ids.session_id_for(execution_id, partition) if needs_session else None
        state = first_state(program, execution_id, payload, session_id, Overrides(), self._now_ms())
        state.restarted = restarted
        with self._runs.beginning():
            try:
                begun = await self._begun(program, turn_record(None, payload), state, None)
            except FlowBusy:
                if await self._store.read(execution_id) is None:
                    raise
                return
            if isinstance(begun, TakenUp):
                self._runs.launch(begun, program)

    async def at_rest(self, execution_id: str, wait_ms: int) -> Stored:
        """
        Reads an execution once it has ended or waits for a person, or as it stands when the time is over. An engine
        that ends says at once how it stands: the execution goes on in another. Raises ExecutionNotFound.
        """
        until_ms = self._now_ms() + wait_ms
        while True:
            await self._runs.over(execution_id, max(0, until_ms - self._now_ms()))
            stored = await self.read(execution_id)
            left_ms = until_ms - self._now_ms()
            if left_ms <= 0 or self._runs.ending.is_set() or not _goes_on_by_itself(stored.state):
                return stored
            # It runs in another engine or is just about to run here, or a timer is to come: whichever engine takes it
            # up, the journal says how far it got.
            now_ms = self._now_ms()
            due_ms = min((wait.expires_at_ms for wait in stored.state.waits.values()), default=now_ms) - now_ms
            pause_ms = min(left_ms, max(TIMER_POLL_MS, min(due_ms, LONGEST_LOOK_AWAY_MS)))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_ms / 1000):
                    await self._runs.ending.wait()

    async def read(self, execution_id: str) -> Stored:
        """Reads the log of an execution. Raises ExecutionNotFound."""
        stored = await self._store.read(execution_id)
        if stored is None:
            raise ExecutionNotFound(execution_id)
        return stored

    async def cancel(self, execution_id: str) -> Stored:
        """Stops an execution that runs or waits. Raises ExecutionNotFound, ExecutionEnded."""
        stored = await self.read(execution_id)
        if stored.state.ended:
            raise ExecutionEnded(execution_id, stored.state.status)
        run = self._runs.get(execution_id)
        if run is not None:
            run.cancel()
        else:
            taken = await self._store.take_up(execution_id)
            if taken is None:
                raise ExecutionRunning(execution_id)
            program = await self._runs.program_of(taken.state)
            run = self._runs.launch(taken, program)
            run.cancel()
        return await self.at_rest(execution_id, DEFAULT_WAIT_MS)

    async def _begun(
        self, program: Program, turn: Mapping[str, Any], fresh: ExecutionState, joined: str | None
    ) -> Begun | None:
        """Records a turn for the execution of the session that was joined, or for a new one if its flow has room."""

        async def begin() -> Begun | None:
            if fresh.session_id is None:
                return await self._store.create(turn, fresh)
            return await self._store.begin_on_session(turn, fresh)

        start: str | None = fresh.execution_id
        if joined is not None and program.graph.settings.rate_limit is not None and await self._store.live_on(joined):
            start = None
        try:
            return await self._places.begun(program, fresh, start, begin)
        except FlowBusy:
            # What the session has begun before goes on.
            if joined is None or await self._store.live_on(joined) is None:
                raise
            return await begin()

    async def _launched(self, taken: TakenUp, program: Program) -> Run:
        # A resume runs on the version that it started on.
        same = taken.state.graph_digest == program.digest
        return self._runs.launch(taken, program if same else await self._runs.program_of(taken.state))

    async def _rested(self, run: Run, is_new: bool, wait_ms: int) -> Stored:
        until_ms = self._now_ms() + wait_ms
        await self._runs.over(run.state.execution_id, wait_ms)
        if is_new and run.at_rest and not _goes_on_by_itself(run.state):
            return Stored(run.state, run.results, ())
        return await self.at_rest(run.state.execution_id, until_ms - self._now_ms())


def _goes_on_by_itself(state: ExecutionState) -> bool:
    """Whether it runs, here or in another engine, or waits for timers alone."""
    kinds = {wait.kind for wait in state.waits.values()}
    return not state.ended and not kinds & {WaitKind.INPUT, WaitKind.CALL, WaitKind.SMS}


def _joined(program: Program, payload: Mapping[str, Any], session_id: str | None, overrides: Overrides) -> str | None:
    """Returns the session that a call names, itself or in its payload; a dry run gets one of its own beside it."""
    named = session_id
    if named is None and program.requires_session:
        named = _text(payload.get("sessionId"))
    if named is None:
        return None
    check_session_id(named)
    return f"{REHEARSAL}{named}" if overrides.dry_run and not named.startswith(REHEARSAL) else named


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
