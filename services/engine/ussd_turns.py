"""USSD callbacks: each gets its answer in time, the same callback always the same one."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from rpc.deadlines import call_timeout
from services.engine import ids
from services.engine.beginnings import Overrides, first_state, timestamp, turn_record
from services.engine.core.conversation import RunBroken
from services.engine.core.ports import StoreUnavailable
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState, Reply
from services.engine.live_runs import LiveRuns
from services.engine.registry import Registry
from services.engine.store import Answered, ExecutionStore, NoExecution, Occupied, Queued, TakenUp
from services.engine.typed_text import TypedText
from workflow.spec import UssdSettings

ANSWER_POLL_SECONDS = 0.05
"""How often the answer of a turn that another engine runs is looked for."""

NOBODY_HERE = Reply("end", "This code is not in service.")
DEFAULT_TEXTS = UssdSettings()

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UssdCallback:
    """A USSD callback as the adapter read it; `text` is all that was typed, joined by *."""

    session_id: str
    msisdn: str
    service_code: str
    network_code: str
    text: str


@dataclass(frozen=True, slots=True)
class UssdAnswer:
    """What a USSD callback is answered."""

    reply: Reply
    execution_id: str
    repeated: bool


class UssdTurns:
    """Answers USSD callbacks. `now_ms` is Unix time."""

    def __init__(
        self,
        store: ExecutionStore,
        registry: Registry,
        runs: LiveRuns,
        typed: TypedText,
        now_ms: Callable[[], int],
        budget_ms: int,
    ) -> None:
        self._store = store
        self._typed = typed
        self._registry = registry
        self._runs = runs
        self._now_ms = now_ms
        self._budget_seconds = budget_ms / 1000

    async def answer(self, callback: UssdCallback) -> UssdAnswer:
        """Answers a USSD callback in time, whatever happens to the flow."""
        payload = {
            "sessionId": callback.session_id,
            "msisdn": callback.msisdn,
            "serviceCode": callback.service_code,
            "networkCode": callback.network_code,
            "text": callback.text,
            "input": "",
            "timestamp": timestamp(self._now_ms()),
        }
        session_id, marks = callback.session_id, self._typed.marks(callback.session_id, callback.text)
        turn = turn_record(marks.own, self._typed.recorded(payload))
        # A first callback is nearly always empty; asking for the flow before every later one would cost a round trip.
        fresh = await self._fresh(callback, payload) if callback.text == "" else None
        begun = await self._store.begin_ussd_turn(session_id, marks, turn, fresh)
        if isinstance(begun, NoExecution) and callback.text != "":
            fresh = await self._fresh(callback, payload)
            if fresh is not None:
                begun = await self._store.begin_ussd_turn(session_id, marks, turn, fresh)
        match begun:
            case Answered(reply, execution_id):
                return UssdAnswer(reply, execution_id, repeated=True)
            case NoExecution() | Occupied():
                return UssdAnswer(NOBODY_HERE, "", repeated=False)
            case Queued():
                return await self._queued(begun, session_id, marks.own)
        return await self._taken(begun, session_id, marks.own)

    async def _fresh(self, callback: UssdCallback, payload: Mapping[str, Any]) -> ExecutionState | None:
        route = await self._registry.route("ussd", payload)
        if route is None:
            return None
        self._runs.make_room()
        execution_id = ids.new_execution_id(ids.partition_of_session(callback.session_id))
        return first_state(
            route.program, execution_id, self._typed.recorded(payload), callback.session_id, Overrides(), self._now_ms()
        )

    async def _taken(self, taken: TakenUp, session_id: str, mark: str) -> UssdAnswer:
        try:
            program = await self._runs.program_of(taken.state)
        except StoreUnavailable:
            return self._sorry(DEFAULT_TEXTS.apology, taken.state.execution_id)
        run = self._runs.launch(taken, program)
        return await self._in_time(run, session_id, mark)

    async def _queued(self, queued: Queued, session_id: str, mark: str) -> UssdAnswer:
        """The turn is taken by a run that is under way, here or in another engine."""
        run = self._runs.get(queued.execution_id) if queued.here else None
        if run is not None:
            if queued.turn is not None:
                run.deliver(queued.turn)
            return await self._in_time(run, session_id, mark)
        reply = await self._poll(session_id, mark)
        if reply is None:
            return await self._too_slow(session_id, mark, DEFAULT_TEXTS.apology, queued.execution_id)
        return UssdAnswer(reply, queued.execution_id, repeated=False)

    async def _in_time(self, run: Run, session_id: str, mark: str) -> UssdAnswer:
        apology, execution_id = run.program.graph.settings.ussd.apology, run.state.execution_id
        answer = run.conversation.answer_to(mark)
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                # Others may wait for the same answer, and the run goes on without us.
                reply = await asyncio.shield(answer)
        except TimeoutError:
            return await self._too_slow(session_id, mark, apology, execution_id)
        except RunBroken:
            return self._sorry(apology, execution_id)
        return UssdAnswer(reply, execution_id, repeated=False)

    async def _poll(self, session_id: str, mark: str) -> Reply | None:
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                while True:
                    reply = await self._store.answer_of(session_id, mark)
                    if reply is not None:
                        return reply
                    await asyncio.sleep(ANSWER_POLL_SECONDS)
        except TimeoutError:
            return None

    async def _too_slow(self, session_id: str, mark: str, apology: str, execution_id: str) -> UssdAnswer:
        """The time is used up: the caller gets an apology, the work goes on."""
        _log.warning("a USSD turn took longer than its time budget", execution_id=execution_id)
        await self._store.close_with(session_id, mark, Reply("end", apology))
        return self._sorry(apology, execution_id)

    def _sorry(self, apology: str, execution_id: str) -> UssdAnswer:
        return UssdAnswer(Reply("end", apology), execution_id, repeated=False)
