"""USSD callbacks: each gets its answer in time, the same callback always the same one."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from rpc.deadlines import call_timeout
from services.engine import ids
from services.engine.beginnings import Overrides, first_state, signal_record, timestamp, turn_record
from services.engine.core.ports import StoreUnavailable
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState, Reply, Signal
from services.engine.errors import FlowBusy
from services.engine.flow_places import FlowPlaces
from services.engine.live_runs import LiveRuns
from services.engine.redials import Redials
from services.engine.registry import Registry, Route
from services.engine.store import (
    Answered,
    Begun,
    Continued,
    ExecutionStore,
    Interrupted,
    NoExecution,
    Offered,
    Queued,
    TakenUp,
)
from services.engine.typed_text import TextMarks, TypedText
from services.engine.unclaimed import Unclaimed
from services.engine.ussd_callbacks import UssdAnswer, UssdCallback
from workflow.spec import UssdSettings

ANSWER_POLL_SECONDS = 0.05
"""How often the answer of a turn that another engine runs is looked for."""

STILL_WORKING = "Still working...\n1. Check again"
"""Three dots and no ellipsis, which would make the screen UCS-2."""

NOBODY_HERE = Reply("end", "This code is not in service.")
FLOW_IS_FULL = Reply("end", "This service is busy at the moment. Please dial again in a few minutes.")
DEFAULT_TEXTS = UssdSettings()

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Dialled:
    """A callback with what is recorded of it; `payload` is that of its trigger, in clear."""

    callback: UssdCallback
    payload: dict[str, Any]
    marks: TextMarks


class UssdTurns:
    """Answers USSD callbacks. `now_ms` is Unix time."""

    def __init__(
        self,
        store: ExecutionStore,
        registry: Registry,
        places: FlowPlaces,
        runs: LiveRuns,
        redials: Redials,
        typed: TypedText,
        unclaimed: Unclaimed,
        now_ms: Callable[[], int],
        budget_ms: int,
    ) -> None:
        self._store = store
        self._redials = redials
        self._typed = typed
        self._unclaimed = unclaimed
        self._registry = registry
        self._places = places
        self._runs = runs
        self._now_ms = now_ms
        self._budget_seconds = budget_ms / 1000

    async def answer(self, callback: UssdCallback) -> UssdAnswer:
        """Answers a USSD callback in time, whatever happens to the flow. Raises EngineBusy, StoreUnavailable."""
        try:
            return await self._answer(callback)
        except FlowBusy:
            return UssdAnswer(FLOW_IS_FULL, "", repeated=False)

    async def _answer(self, callback: UssdCallback) -> UssdAnswer:
        marks = self._typed.marks(callback.session_id, callback.text)
        dialled = _Dialled(callback, self._payload(callback), marks)
        # A first callback is nearly always empty; asking for the flow before every later one would cost a round trip.
        begun: Begun | Run = NoExecution() if callback.text == "" else await self._recorded(dialled, None)
        if isinstance(begun, NoExecution):
            route = await self._registry.route("ussd", dialled.payload)
            if route is None:
                _log.warning("no published flow claims a code that is dialled", service_code=callback.service_code)
                await self._unclaimed.note("ussd", callback.session_id, dialled.payload)
            else:
                question = await self._redials.question(route.program, callback)
                if question is not None:
                    return question
            begun = await self._recorded(dialled, route)
        match begun:
            case Offered(interrupted):
                return await self._chosen(interrupted, dialled)
            case Continued():
                return await self._answer(self._redials.as_before(begun, callback))
        return await self._answered(begun, dialled)

    async def _chosen(self, interrupted: Interrupted, dialled: _Dialled) -> UssdAnswer:
        """The person was asked whether to go on where they were, and says so or starts again."""
        callback = dialled.callback
        screen = await self._redials.continued(interrupted, callback)
        if screen is not None:
            return screen
        why = signal_record(Signal.ABANDON, {"reason": "the person dialled again and started anew"})
        await self._runs.signal(await self._store.signal(interrupted.execution_id, why))
        await self._store.start_again(callback.session_id)
        route = await self._registry.route("ussd", dialled.payload)
        return await self._answered(await self._recorded(dialled, route, skip=len(callback.text)), dialled)

    async def _recorded(self, dialled: _Dialled, route: Route | None, skip: int = 0) -> Begun | Run:
        """
        Records a callback, with an execution to begin where the session has none and a flow is at hand, and runs what
        it is for; returns that run. Raises FlowBusy, EngineBusy.
        """
        session_id = dialled.callback.session_id
        payload = self._typed.recorded(dialled.payload)
        turn = turn_record(dialled.marks.own, payload, skip)

        async def begin(fresh: ExecutionState | None) -> Begun:
            return await self._store.begin_ussd_turn(session_id, dialled.marks, turn, fresh)

        if route is None:
            with self._runs.resuming():
                return await self._launched(await begin(None))
        execution_id = ids.new_execution_id(ids.partition_of_session(session_id))
        fresh = first_state(route.program, execution_id, payload, session_id, Overrides(), self._now_ms())
        with self._runs.beginning():
            try:
                begun = await self._places.begun(route.program, fresh, lambda: begin(fresh))
            except FlowBusy:
                # What the session has begun before goes on.
                begun = await begin(None)
                if isinstance(begun, NoExecution):
                    raise
            return await self._launched(begun)

    async def _launched(self, begun: Begun) -> Begun | Run:
        if isinstance(begun, TakenUp):
            with suppress(StoreUnavailable):
                return self._runs.launch(begun, await self._runs.program_of(begun.state))
        return begun

    async def _answered(self, begun: Begun | Run, dialled: _Dialled) -> UssdAnswer:
        session_id, mark = dialled.callback.session_id, dialled.marks.own
        match begun:
            case Answered(reply, execution_id):
                return UssdAnswer(reply, execution_id, repeated=True)
            case Queued():
                return await self._queued(begun, session_id, mark)
            case Run():
                return await self._in_time(begun, session_id, mark)
            case TakenUp(state):
                return _sorry(DEFAULT_TEXTS.apology, state.execution_id)
        return UssdAnswer(NOBODY_HERE, "", repeated=False)

    def _payload(self, callback: UssdCallback) -> dict[str, Any]:
        return {
            "sessionId": callback.session_id,
            "msisdn": callback.msisdn,
            "serviceCode": callback.service_code,
            "networkCode": callback.network_code,
            "text": callback.text,
            "input": "",
            "timestamp": timestamp(self._now_ms()),
        }

    async def hung_up(self, session_id: str, status: str, reason: str) -> str | None:
        """
        The phone's session has ended: nobody can answer what waits on it. Returns the execution, None without one.

        Args:
            status: Africa's Talking's word for how it ended, such as Incomplete.
            reason: Theirs as well; empty where they give none.
        """
        why = "the session on the phone ended" + "".join(f" ({word})" for word in (status, reason) if word)
        record = signal_record(Signal.HANG_UP, {"reason": why})
        return await self._runs.signal(await self._store.end_session(session_id, record))

    async def _queued(self, queued: Queued, session_id: str, mark: str) -> UssdAnswer:
        """The turn is taken by a run that is under way, here or in another engine."""
        run = self._runs.get(queued.execution_id) if queued.here else None
        if run is not None:
            if queued.turn is not None:
                run.deliver(queued.turn)
            return await self._in_time(run, session_id, mark)
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                reply = await self._polled(session_id, mark)
        except TimeoutError:
            return await self._too_slow(session_id, mark, queued.execution_id)
        return UssdAnswer(reply, queued.execution_id, repeated=False)

    async def _in_time(self, run: Run, session_id: str, mark: str) -> UssdAnswer:
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
            return await self._too_slow(session_id, mark, execution_id)
        return UssdAnswer(reply, execution_id, repeated=False)

    async def _polled(self, session_id: str, mark: str) -> Reply:
        while True:
            reply = await self._store.answer_of(session_id, mark)
            if reply is not None:
                return reply
            await asyncio.sleep(ANSWER_POLL_SECONDS)

    async def _too_slow(self, session_id: str, mark: str, execution_id: str) -> UssdAnswer:
        """The time is used up: the caller gets an apology, or may ask again; the work goes on."""
        _log.warning("a USSD turn took longer than its time budget", execution_id=execution_id)
        texts = await self._texts(execution_id)
        late = Reply("con", STILL_WORKING) if texts.when_busy == "checkAgain" else Reply("end", texts.apology)
        reply = await self._store.answer_late(session_id, mark, late)
        return UssdAnswer(reply, execution_id, repeated=False)

    async def _texts(self, execution_id: str) -> UssdSettings:
        """The sentences of the flow that an execution runs, wherever it runs."""
        stored = await self._store.read(execution_id)
        if stored is None:
            return DEFAULT_TEXTS
        return (await self._runs.program_of(stored.state)).graph.settings.ussd


def _sorry(apology: str, execution_id: str) -> UssdAnswer:
    return UssdAnswer(Reply("end", apology), execution_id, repeated=False)
