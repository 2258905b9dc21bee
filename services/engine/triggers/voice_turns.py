"""
Callbacks of calls: each gets in time what is done next, the same callback always the same.

Africa's Talking gives its callbacks no number, and the same key pressed twice looks like the same callback. So every
answer that waits for keys carries the mark of the turn that it answers, and the next callback brings it back. Keys that
come without it, since the address was posted to without its query, are for what was asked last.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from services.engine import ids
from services.engine.core.state import Reply, Signal
from services.engine.core.timestamps import timestamp
from services.engine.errors import FlowBusy
from services.engine.executions.beginnings import call_record, signal_record
from services.engine.executions.live_runs import LiveRuns
from services.engine.flows.routes import Routes
from services.engine.store.execution_store import ExecutionStore, Newest, NoExecution
from services.engine.store.typed_text import TextMarks, TypedText
from services.engine.triggers.timely_turns import TimelyAnswer, TimelyTurn, TimelyTurns
from services.engine.triggers.unclaimed import Unclaimed
from workflow.spec import UssdSettings
from workflow.voice import VOICE, Hold, Reject, Say

NOBODY_HERE = "Nobody is here any more. Goodbye."
FLOW_IS_FULL = "This service is busy at the moment. Please call again in a few minutes."
ONE_MOMENT = "One moment, please."
NO_KEY = "no key was pressed in time"
INBOUND, OUTBOUND = "Inbound", "Outbound"

UNSPECIFIED = "UNSPECIFIED"
"""Their cause of an end that they know no cause of."""

_REQUEST = re.compile(r"(?P<execution>exe_[0-9a-f]{25}):(?P<node>[A-Za-z0-9_-]{1,64}):(?P<visit>[0-9]{1,6})")
"""What a call is given as it is placed: the idempotency key of the node."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PlacedBy:
    """Who placed a call: the execution, and the node and its visit where the network told us what we gave it."""

    execution_id: str
    node_id: str | None = None
    visit: int | None = None


@dataclass(frozen=True, slots=True)
class VoiceCallback:
    """
    A callback of a live call.

    Attributes:
        session_id: Africa's Talking's id of the call.
        caller: The phone user's number, E.164; empty where it is hidden.
        called: Number of the account.
        direction: Inbound or Outbound.
        answers: Mark of the turn whose answer this one answers; empty for the first callback of a call, and for one
            that was posted without what its address said.
        digits: Keys that were pressed; None where none was asked for, or none was pressed.
        check: Whether it only asks for an answer that took too long.
        request: What we gave the call when we placed it; empty where we did not.
    """

    session_id: str
    caller: str
    called: str
    direction: str
    answers: str
    digits: str | None
    check: bool
    request: str

    @property
    def lost_its_address(self) -> bool:
        """Whether keys came without a word of what they answer: they are for what was asked last."""
        return not self.answers and self.digits is not None


@dataclass(frozen=True, slots=True)
class CallEnd:
    """The end of a call: the network's status, such as Aborted, and the cause, such as NO_ANSWER; empty: unknown."""

    session_id: str
    direction: str
    request: str
    status: str
    cause: str


class VoiceTurns:
    """Answers callbacks of calls. `now_ms` is Unix time."""

    def __init__(
        self,
        store: ExecutionStore,
        routes: Routes,
        turns: TimelyTurns,
        runs: LiveRuns,
        typed: TypedText,
        unclaimed: Unclaimed,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._routes = routes
        self._turns = turns
        self._runs = runs
        self._typed = typed
        self._unclaimed = unclaimed
        self._now_ms = now_ms

    async def answer(self, callback: VoiceCallback) -> TimelyAnswer:
        """Says what is done next in a call, in time. Raises EngineBusy, StoreUnavailable."""
        placed_by = await self._placed_by(callback.session_id, callback.direction, callback.request)
        turn = await self._turn(callback, placed_by)
        is_first = not turn.marks.behind and placed_by is None
        try:
            # A call that comes in begins a flow nearly always with its first callback, and with no later one.
            begun = NoExecution() if is_first else await self._turns.recorded(turn, None)
            if isinstance(begun, NoExecution) and is_first:
                route = await self._routes.find(VOICE, self._payload(callback))
                if route is None:
                    return await self._unclaimed_call(callback)
                begun = await self._turns.recorded(turn, route)
        except FlowBusy:
            return _words(FLOW_IS_FULL)
        answer = await self._turns.answered(begun, turn.session_id, turn.marks.own, _late)
        return _words(NOBODY_HERE) if answer is None else answer

    async def ended(self, end: CallEnd) -> str | None:
        """A call is over, or never began. Returns the execution that it is of, None without one."""
        placed_by = await self._placed_by(end.session_id, end.direction, end.request)
        why = "".join(f" ({word})" for word in (end.status, end.cause) if word)
        payload = {
            "callSessionId": end.session_id,
            "cause": end.cause or end.status or UNSPECIFIED,
            "reason": f"the call is over{why}",
        }
        if placed_by is None:
            record = signal_record(Signal.CALL_ENDED, payload)
            return await self._runs.end_session(end.session_id, record)
        record = signal_record(Signal.CALL_ENDED, {**payload, "visit": placed_by.visit}, placed_by.node_id)
        return await self._runs.signal(placed_by.execution_id, record)

    async def _unclaimed_call(self, callback: VoiceCallback) -> TimelyAnswer:
        _log.warning("no published flow claims a call that came in", called_number=callback.called)
        await self._unclaimed.note(VOICE, callback.session_id, self._payload(callback))
        return TimelyAnswer(Reply("end", "", (Reject(),)), "", repeated=False)

    async def _placed_by(self, session_id: str, direction: str, request: str) -> PlacedBy | None:
        """Returns who placed a call; None where it came in, or is not ours."""
        named = _REQUEST.fullmatch(request)
        if named is not None:
            return PlacedBy(named["execution"], named["node"], int(named["visit"]))
        if direction == INBOUND:
            return None
        execution_id = await self._store.correlated(f"call:{session_id}")
        return None if execution_id is None else PlacedBy(execution_id)

    async def _turn(self, posted: VoiceCallback, placed_by: PlacedBy | None) -> TimelyTurn:
        line = None if placed_by is None else ids.line_of(placed_by.execution_id, posted.session_id)
        name = line or posted.session_id
        callback, newest = posted, None
        if posted.lost_its_address:
            newest = await self._store.newest_of(name)
            callback = _in_answer_to(newest, posted)
        what, signal = _meaning(callback, placed_by)
        marks = self._typed.call_marks(name, callback.answers, what)
        if newest is not None and not newest.is_answered:
            # The answer to these keys is under way: pressed again they would be for what is asked next.
            marks = TextMarks(newest.mark, marks.behind)
        match signal:
            case Signal.ANSWERED if placed_by is not None:
                payload: dict[str, Any] = {"callSessionId": callback.session_id, "visit": placed_by.visit}
            case Signal.NO_INPUT:
                payload = {"reason": NO_KEY}
            case Signal.CHECK:
                payload = {}
            case _:
                payload = self._typed.recorded(self._payload(callback))
        if placed_by is None:
            return TimelyTurn(name, marks, call_record(marks.own, payload, None, signal), payload)
        record = call_record(marks.own, payload, line, signal, placed_by.node_id)
        return TimelyTurn(name, marks, record, payload, placed_by.execution_id)

    def _payload(self, callback: VoiceCallback) -> Mapping[str, Any]:
        if callback.direction == OUTBOUND:
            # Whom the flow is about was said when it began.
            return {"callSessionId": callback.session_id, "input": callback.digits or ""}
        payload = {
            "callSessionId": callback.session_id,
            "msisdn": callback.caller,
            "callerNumber": callback.caller,
            "calledNumber": callback.called,
            "direction": callback.direction,
            "timestamp": timestamp(self._now_ms()),
        }
        return payload if callback.digits is None else {**payload, "input": callback.digits}


def _meaning(callback: VoiceCallback, placed_by: PlacedBy | None) -> tuple[str, Signal | None]:
    """What a callback brings, as its mark names it, and the signal that it is."""
    if not callback.answers:
        return "start", None if placed_by is None else Signal.ANSWERED
    if callback.check:
        return "check", Signal.CHECK
    if callback.digits is None:
        return "nothing", Signal.NO_INPUT
    return f"keys:{callback.digits}", None


def _in_answer_to(newest: Newest | None, posted: VoiceCallback) -> VoiceCallback:
    """A callback with the answer that it must be of; nothing was asked in a call that is not known."""
    return replace(posted, digits=None) if newest is None else replace(posted, answers=newest.mark)


def _late(_: UssdSettings) -> Reply:
    return Reply("con", ONE_MOMENT, (Say(ONE_MOMENT), Hold()))


def _words(text: str) -> TimelyAnswer:
    return TimelyAnswer(Reply("end", text, (Say(text),)), "", repeated=False)
