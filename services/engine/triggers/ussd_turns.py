"""USSD callbacks: each gets its screen in time, the same callback always the same one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from services.engine.core.run import Run
from services.engine.core.state import Reply, Signal
from services.engine.core.timestamps import timestamp
from services.engine.errors import FlowBusy
from services.engine.executions.beginnings import signal_record, turn_record
from services.engine.executions.live_runs import LiveRuns
from services.engine.flows.routes import Route, Routes
from services.engine.store.execution_store import Begun, Continued, Interrupted, NoExecution, Offered
from services.engine.store.typed_text import TextMarks, TypedText
from services.engine.triggers.redials import Redials
from services.engine.triggers.timely_turns import DEFAULT_TEXTS, TimelyAnswer, TimelyTurn, TimelyTurns
from services.engine.triggers.unclaimed import Unclaimed
from services.engine.triggers.ussd_callbacks import UssdCallback
from workflow.session import USSD
from workflow.spec import UssdSettings

STILL_WORKING = "Still working...\n1. Check again"
"""Three dots and no ellipsis, which would make the screen UCS-2."""

GOES_ON = "This takes longer than usual, and goes on. Please wait a few minutes before you try again."
"""Not the usual apology: what was begun, a payment perhaps, may still come; who tries again does it twice."""

NOBODY_HERE = Reply("end", "This code is not in service.")
FLOW_IS_FULL = Reply("end", "This service is busy at the moment. Please dial again in a few minutes.")

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
        routes: Routes,
        turns: TimelyTurns,
        runs: LiveRuns,
        redials: Redials,
        typed: TypedText,
        unclaimed: Unclaimed,
        now_ms: Callable[[], int],
    ) -> None:
        self._routes = routes
        self._turns = turns
        self._runs = runs
        self._redials = redials
        self._typed = typed
        self._unclaimed = unclaimed
        self._now_ms = now_ms

    async def answer(self, callback: UssdCallback) -> TimelyAnswer:
        """Answers a USSD callback in time, whatever happens to the flow. Raises EngineBusy, StoreUnavailable."""
        try:
            return await self._answer(callback)
        except FlowBusy:
            return TimelyAnswer(FLOW_IS_FULL, "", repeated=False)

    async def _answer(self, callback: UssdCallback) -> TimelyAnswer:
        marks = self._typed.marks(callback.session_id, callback.text)
        dialled = _Dialled(callback, self._payload(callback), marks)
        # A first callback is nearly always empty; asking for the flow before every later one would cost a round trip.
        begun: Begun | Run = NoExecution() if callback.text == "" else await self._recorded(dialled, None)
        if isinstance(begun, NoExecution):
            route = await self._routes.find(USSD, dialled.payload)
            if route is None:
                _log.warning("no published flow claims a code that is dialled", service_code=callback.service_code)
                await self._unclaimed.note(USSD, callback.session_id, dialled.payload)
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

    async def _chosen(self, interrupted: Interrupted, dialled: _Dialled) -> TimelyAnswer:
        """The person was asked whether to go on where they were, and says so or starts again."""
        callback = dialled.callback
        screen = await self._redials.continued(interrupted, callback)
        if screen is not None:
            return screen
        route = await self._routes.find(USSD, dialled.payload)
        question = None if route is None else await self._redials.asked_again(route.program, interrupted, callback)
        if question is not None:
            return question
        why = signal_record(Signal.ABANDON, {"reason": "the person dialled again and started anew"})
        await self._runs.signal(interrupted.execution_id, why)
        return await self._answered(await self._recorded(dialled, route, interrupted), dialled)

    async def _recorded(
        self, dialled: _Dialled, route: Route | None, declined: Interrupted | None = None
    ) -> Begun | Run:
        """
        Records a callback, with an execution to begin where the session has none and a flow is at hand, and runs what
        it is for; returns that run. Raises FlowBusy, EngineBusy.

        Args:
            declined: What the person was offered to go on with and does not want; what was typed until then was for the
                question.
        """
        payload = self._typed.recorded(dialled.payload)
        skip = 0 if declined is None else len(dialled.callback.text)
        record = turn_record(dialled.marks.own, payload, skip)
        turn = TimelyTurn(dialled.callback.session_id, dialled.marks, record, payload, declined=declined)
        return await self._turns.recorded(turn, route)

    async def _answered(self, begun: Begun | Run, dialled: _Dialled) -> TimelyAnswer:
        answer = await self._turns.answered(begun, dialled.callback.session_id, dialled.marks.own, late_screen)
        return TimelyAnswer(NOBODY_HERE, "", repeated=False) if answer is None else answer

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
        return await self._runs.end_session(session_id, record)


def late_screen(texts: UssdSettings) -> Reply:
    """Returns what a person sees whose screen is late; an apology of the flow is in their language."""
    if texts.when_busy == "checkAgain":
        return Reply("con", STILL_WORKING)
    return Reply("end", GOES_ON if texts.apology == DEFAULT_TEXTS.apology else texts.apology)
