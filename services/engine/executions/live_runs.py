"""
The executions that run in this process.

Each of them holds a lease in Redis. A run that stops early, for whatever reason, is taken up again when its lease
has run out, here or by another engine.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from rpc.deadlines import no_deadline
from rpc.status import CallRefused
from rpc.tasks import end_task
from services.engine.core.ports import HandedOver, LeaseLost, SessionsUnavailable, StoreUnavailable
from services.engine.core.program import Program
from services.engine.core.run import Run
from services.engine.core.state import FAILURES, ExecutionState, Turn
from services.engine.core.surroundings import Surroundings
from services.engine.errors import EngineBusy, SessionEnded, SessionNotFound
from services.engine.executions.flow_places import FlowPlaces
from services.engine.executions.run_sessions import RunSessions
from services.engine.executions.tracing import Traces
from services.engine.flows.programs import Programs
from services.engine.store.execution_store import Begun, ExecutionStore, Queued, TakenUp
from telemetry import logs
from telemetry.masking import mask_text
from workflow.errors import NodeFailure, permanent

HAND_OVER_SECONDS = 5.0
"""How long a run that hands over may take to write its journal; then it is left to its lease."""

RESUMED_PER_LIVE = 2
"""
What waits for a person may be resumed until so many times `max_live` executions run: whoever is in the middle of a
menu goes before whoever only begins.
"""

_log = structlog.get_logger()


class LiveRuns:
    """
    Runs executions in the background. At most `max_live` at once are begun or taken over.

    Attributes:
        ending: Set when the engine begins to end: nobody waits here any more for what does not run here.
    """

    def __init__(
        self,
        store: ExecutionStore,
        programs: Programs,
        sessions: RunSessions,
        around: Surroundings,
        traces: Traces,
        places: FlowPlaces,
        max_live: int,
    ) -> None:
        self._store = store
        self._programs = programs
        self._sessions = sessions
        self._around = around
        self._traces = traces
        self._places = places
        self._max_live = max_live
        self._live: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._beginning = 0
        self.ending = asyncio.Event()
        self._stopping = False

    def get(self, execution_id: str) -> Run | None:
        """Returns the run of an execution, None when it does not run here."""
        return self._live.get(execution_id)

    def ids(self) -> list[str]:
        """Ids of the executions that run here."""
        return list(self._live)

    def listening(self) -> dict[str, int]:
        """Executions here that wait for a person while nodes still run, and the last turn that each has seen."""
        wanted = {execution_id: run.listens_from for execution_id, run in self._live.items()}
        return {execution_id: seen for execution_id, seen in wanted.items() if seen is not None}

    def deliver(self, execution_id: str, turns: Sequence[Turn]) -> None:
        """Hands turns to an execution, if it still runs here."""
        run = self._live.get(execution_id)
        if run is not None:
            for turn in turns:
                run.deliver(turn)

    @property
    def room(self) -> int:
        """How many more executions may begin or be taken over here."""
        return 0 if self._stopping else max(0, self._max_live - len(self._live) - self._beginning)

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """Keeps room for an execution until it is launched inside. Raises EngineBusy when there is none."""
        with self._kept_room(self._max_live):
            yield

    @contextmanager
    def resuming(self) -> Iterator[None]:
        """The same for an execution that waits for a person."""
        with self._kept_room(RESUMED_PER_LIVE * self._max_live):
            yield

    @contextmanager
    def _kept_room(self, limit: int) -> Iterator[None]:
        if len(self._live) + self._beginning >= limit:
            raise EngineBusy(limit)
        self._beginning += 1
        try:
            yield
        finally:
            self._beginning -= 1

    async def signal(self, execution_id: str, record: Mapping[str, Any]) -> str | None:
        """Records a signal for an execution and goes on with it as `go_on` does; None where it has ended."""
        return await self.go_on(lambda: self._store.signal(execution_id, record))

    async def end_session(self, session_id: str, record: Mapping[str, Any]) -> str | None:
        """Records the end of a phone's session and goes on with its execution as `go_on` does."""
        return await self.go_on(lambda: self._store.end_session(session_id, record))

    async def go_on(self, recorded: Callable[[], Awaitable[Begun]]) -> str | None:
        """
        Goes on with the execution that a signal is recorded for; returns its id, None when there is none.

        Args:
            recorded: Records the signal; not called when there is no room for what it resumes.

        Raises EngineBusy, StoreUnavailable.
        """
        with self.resuming():
            begun = await recorded()
            match begun:
                case TakenUp():
                    self.launch(begun, await self.program_of(begun.state))
                    return begun.state.execution_id
                case Queued():
                    if begun.here and begun.turn is not None:
                        self.deliver(begun.execution_id, [begun.turn])
                    return begun.execution_id
        return None

    def launch(self, taken: TakenUp, program: Program) -> Run:
        """Runs an execution in the background, free of the deadline of the call that brought it."""
        run = Run(program, taken.state, taken.journal, self._around)
        for turn in taken.turns:
            run.deliver(turn)
        execution_id = taken.state.execution_id
        self._live[execution_id] = run
        if self._stopping:
            run.hand_over()
        with no_deadline():
            self._tasks[execution_id] = asyncio.create_task(self._drive(run), name=f"execution {execution_id}")
        return run

    async def take_over(self, execution_id: str) -> bool:
        """Goes on with an execution that is due; returns whether it could be taken."""
        if execution_id in self._live or self.room == 0:
            return False
        with self.beginning():
            taken = await self._store.take_up(execution_id)
            if taken is None:
                return False
            self.launch(taken, await self.program_of(taken.state))
        return True

    async def program_of(self, state: ExecutionState) -> Program:
        program = await self._programs.of_digest(state.graph_digest)
        if program is None:
            raise StoreUnavailable(f"the graph {state.graph_digest} of a running execution is gone")
        return program

    def task_of(self, execution_id: str) -> asyncio.Task[None] | None:
        """Returns the task that ends when nothing of an execution runs in this process; None when nothing does."""
        return self._tasks.get(execution_id)

    async def over(self, execution_id: str, wait_ms: int) -> None:
        """Waits until nothing of an execution runs in this process, at most so long."""
        task = self._tasks.get(execution_id)
        if task is not None:
            # `wait` leaves the task alone when the time is over or the caller goes away.
            await asyncio.wait([task], timeout=wait_ms / 1000)

    async def drain(self, seconds: float) -> None:
        """Lets what runs go on for so long; what still runs then, and what comes later, is handed over at once."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        self._stopping = True
        for run in self._live.values():
            run.hand_over()

    async def end(self) -> None:
        """Waits until everything has ended or was handed over; what takes too long is left to its lease."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=HAND_OVER_SECONDS)
        await asyncio.gather(*(end_task(task) for task in self._tasks.values()), return_exceptions=True)

    async def _drive(self, run: Run) -> None:
        state = run.state
        with logs.execution(state.execution_id), self._traces.turn(run):
            try:
                await self._give_session(run)
                await run.drive()
                if state.ended:
                    _tell_of_failure(state)
                    await self._places.ended(run.program, state)
            except HandedOver:
                # Nobody is told: whoever waits for an answer looks for the one of the engine that goes on.
                _log.info("the execution is handed over")
                await self._give_up_lease(state.execution_id)
            except LeaseLost:
                _log.warning("another engine has taken the execution over")
            except SessionsUnavailable as problem:
                _log.warning("the execution cannot begin and is taken up again soon", why=str(problem))
                # Somebody may wait for a screen, so it is due at once, and so with the next look for what is due. Where
                # an engine died on it, the lease that runs out is what says so.
                if not state.broken_off:
                    await self._give_up_lease(state.execution_id)
            except StoreUnavailable as problem:
                _log.warning("the execution stopped and is taken up again later", why=str(problem))
            except NodeFailure as problem:
                _log.error("what was typed cannot be read; the execution is taken up again later", why=str(problem))
            except Exception:  # noqa: BLE001 - a defect in one run must not end the others
                _log.exception("the execution met a defect and is taken up again later")
            finally:
                # The lease is given up before the session is committed: the next turn may have a run of its own by now.
                if self._live.get(state.execution_id) is run:
                    del self._live[state.execution_id]
                    del self._tasks[state.execution_id]

    async def _give_session(self, run: Run) -> None:
        """Gives the run its session; without one it has failed. Raises SessionsUnavailable."""
        try:
            await self._sessions.ensure(run)
        except (SessionEnded, SessionNotFound) as problem:
            run.give_up(permanent("SESSION_GONE", str(problem)))
        except CallRefused as problem:
            run.give_up(permanent(problem.refusal.reason, problem.refusal.message))

    async def _give_up_lease(self, execution_id: str) -> None:
        try:
            await self._store.hand_over(execution_id)
        except StoreUnavailable as problem:
            _log.warning("an execution is left to its lease", why=str(problem))


def _tell_of_failure(state: ExecutionState) -> None:
    if state.status in FAILURES and state.error is not None:
        why = mask_text(state.error.message)
        _log.warning("an execution failed", workflow_id=state.workflow_id, code=state.error.code, why=why)
