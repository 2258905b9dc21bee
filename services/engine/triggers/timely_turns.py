"""
Turns that somebody waits for an answer to, a screen or what is said in a call: recorded before anything of them runs,
answered in time whatever happens to the flow, and the same turn always with the same answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from rpc.deadlines import call_timeout
from services.engine import ids
from services.engine.core.ports import StoreUnavailable
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState, Reply
from services.engine.errors import EngineStopping, FlowBusy
from services.engine.executions.beginnings import Overrides, first_state
from services.engine.executions.flow_places import FlowPlaces
from services.engine.executions.live_runs import LiveRuns
from services.engine.flows.routes import Route
from services.engine.store.execution_store import (
    Answered,
    Begun,
    ExecutionStore,
    Interrupted,
    NoExecution,
    Queued,
    TakenUp,
)
from services.engine.store.typed_text import TextMarks
from workflow.spec import UssdSettings

ANSWER_POLL_SECONDS = 0.05
"""How often the answer of a turn that another engine runs is looked for."""

DEFAULT_TEXTS = UssdSettings()

Late = Callable[[UssdSettings], Reply]
"""What is answered when the time is used up, by the sentences of the flow."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TimelyTurn:
    """
    What came in.

    Attributes:
        session_id: Names the phone's session, or the line of a call that an execution placed.
        marks: Of the callback.
        record: What is written of it.
        payload: What an execution begins with, as it is written.
        placed_by: The execution that placed the call; None where the session begins its own.
        declined: What the person was offered to go on with and does not want.
    """

    session_id: str
    marks: TextMarks
    record: Mapping[str, Any]
    payload: Mapping[str, Any]
    placed_by: str | None = None
    declined: Interrupted | None = None


@dataclass(frozen=True, slots=True)
class TimelyAnswer:
    """What a turn is answered; `execution_id` is empty where nothing runs for it."""

    reply: Reply
    execution_id: str
    repeated: bool


class TimelyTurns:
    """Records turns and answers them within the budget. `now_ms` is Unix time."""

    def __init__(
        self,
        store: ExecutionStore,
        places: FlowPlaces,
        runs: LiveRuns,
        now_ms: Callable[[], int],
        budget_ms: int,
    ) -> None:
        self._store = store
        self._places = places
        self._runs = runs
        self._now_ms = now_ms
        self._budget_seconds = budget_ms / 1000

    async def recorded(self, turn: TimelyTurn, route: Route | None) -> Begun | Run:
        """
        Records a turn, with an execution to begin where the session has none and a flow is at hand, and runs what
        it is for; returns that run. Raises FlowBusy, EngineBusy, StoreUnavailable.
        """

        async def begin(fresh: ExecutionState | None) -> Begun:
            return await self._store.begin_turn(
                turn.session_id, turn.marks, turn.record, fresh, turn.placed_by, turn.declined
            )

        if route is None:
            with self._runs.resuming():
                return await self._launched(await begin(None))
        execution_id = ids.new_execution_id(ids.partition_of_session(turn.session_id))
        fresh = first_state(route.program, execution_id, turn.payload, turn.session_id, Overrides(), self._now_ms())
        with self._runs.beginning():
            try:
                begun = await self._places.begun(route.program, fresh, turn.session_id, lambda: begin(fresh))
            except FlowBusy:
                # What the session has begun before goes on.
                begun = await begin(None)
                if isinstance(begun, NoExecution):
                    raise
            return await self._launched(begun)

    async def answered(self, begun: Begun | Run, session_id: str, mark: str, late: Late) -> TimelyAnswer | None:
        """
        Returns the answer to a turn that was recorded, in time; None where there is nobody to give one.

        Raises EngineStopping where another engine gives it: ask again.
        """
        match begun:
            case Answered(reply, execution_id):
                return TimelyAnswer(reply, execution_id, repeated=True)
            case Queued():
                return await self._queued(begun, session_id, mark, late)
            case Run():
                return await self._in_time(begun, session_id, mark, late)
            case TakenUp(state):
                # It was recorded, and its flow cannot be read now: it goes on later.
                return TimelyAnswer(_named(late(DEFAULT_TEXTS), mark), state.execution_id, repeated=False)
        return None

    async def _launched(self, begun: Begun) -> Begun | Run:
        if isinstance(begun, TakenUp):
            with suppress(StoreUnavailable):
                return self._runs.launch(begun, await self._runs.program_of(begun.state))
        return begun

    async def _queued(self, queued: Queued, session_id: str, mark: str, late: Late) -> TimelyAnswer:
        """The turn is taken by a run that is under way, here or in another engine."""
        run = self._runs.get(queued.execution_id) if queued.here else None
        if run is not None:
            if queued.turn is not None:
                run.deliver(queued.turn)
            return await self._in_time(run, session_id, mark, late)
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                reply = await self._polled(session_id, mark)
        except TimeoutError:
            return await self._too_slow(session_id, mark, queued.execution_id, late)
        return TimelyAnswer(reply, queued.execution_id, repeated=False)

    async def _in_time(self, run: Run, session_id: str, mark: str, late: Late) -> TimelyAnswer:
        execution_id = run.state.execution_id
        answer = run.conversation.answer_to(mark)
        task = self._runs.task_of(execution_id)
        waited_for: set[asyncio.Future[Any]] = {answer} if task is None else {answer, task}
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                # Others may wait for the same answer, and the run goes on without us. A run that rests without having
                # answered waits for a timer or a report; whichever engine goes on then, the answer is in the store.
                await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
                # The same where the run broke off: another engine has it, or takes it up when the lease has run out.
                has_answer = answer.done() and not answer.cancelled()
                reply = answer.result() if has_answer else await self._polled(session_id, mark)
        except TimeoutError:
            return await self._too_slow(session_id, mark, execution_id, late)
        return TimelyAnswer(reply, execution_id, repeated=False)

    async def _polled(self, session_id: str, mark: str) -> Reply:
        """
        Waits for the answer of a turn that does not run here.

        Raises EngineStopping where this engine ends: the next one may begin only then, and the caller asks that.
        """
        while True:
            reply = await self._store.answer_of(session_id, mark)
            if reply is not None:
                return reply
            if self._runs.ending.is_set():
                raise EngineStopping("the turn is recorded; ask again")
            await asyncio.sleep(ANSWER_POLL_SECONDS)

    async def _too_slow(self, session_id: str, mark: str, execution_id: str, late: Late) -> TimelyAnswer:
        """The time is used up: the caller is told so, or may ask again; the work goes on."""
        _log.warning("a turn took longer than its time budget", execution_id=execution_id)
        words = _named(late(await self._texts(execution_id)), mark)
        reply = await self._store.answer_late(session_id, mark, words)
        return TimelyAnswer(reply, execution_id, repeated=False)

    async def _texts(self, execution_id: str) -> UssdSettings:
        """The sentences of the flow that an execution runs, wherever it runs."""
        stored = await self._store.read(execution_id)
        if stored is None:
            return DEFAULT_TEXTS
        return (await self._runs.program_of(stored.state)).graph.settings.ussd


def _named(reply: Reply, mark: str) -> Reply:
    """What is said in a call says which turn it answers."""
    return replace(reply, turn=mark) if reply.actions else reply
