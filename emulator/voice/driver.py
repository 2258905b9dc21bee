"""Runs calls: lets phones ring, does what the platform says, and posts the callbacks that come of it."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from emulator.background import Background
from emulator.callbacks import Callback, CallbackAnswer, CallbackFailed, CallbackSender, form_callback
from emulator.identifiers import new_call_id
from emulator.recent import Recent
from emulator.settings import LiveSettings
from emulator.voice.call import PhoneCall
from emulator.voice.document import (
    Action,
    BadDocument,
    Dial,
    GetDigits,
    Heard,
    Record,
    Redirect,
    Reject,
    read_document,
)

MAX_KEPT = 10_000
"""Calls kept, the newest."""

MAX_DOCUMENTS = 1_000
"""Documents of one call; one that redirects for ever ends."""

INSTRUCTIONS, EVENTS = "/voice", "/voice/events"

log = structlog.get_logger(__name__)


class UnknownCall(Exception):
    """There is no such call, or it was pushed out by newer ones."""


class NotPossible(Exception):
    """The call is not in a state for that. The message says why."""


class VoiceDriver:
    """
    The calls. What is heard takes no time; keys, ringing and recordings have the time that the document and the
    settings give them, unless somebody makes it pass.
    """

    def __init__(self, sender: CallbackSender, settings: LiveSettings, background: Background) -> None:
        self._sender = sender
        self._settings = settings
        self._background = background
        self._calls: Recent[str, PhoneCall] = Recent(MAX_KEPT, PhoneCall.stop_timer)

    def __len__(self) -> int:
        return len(self._calls)

    def call(self, session_id: str) -> PhoneCall:
        """Returns a call. Raises UnknownCall."""
        call = self._calls.get(session_id)
        if call is None:
            raise UnknownCall(session_id)
        return call

    def calls(self, msisdn: str | None) -> list[PhoneCall]:
        """Returns the calls of a phone, or all, the oldest first."""
        return [call for call in self._calls if msisdn in (None, call.msisdn)]

    def clear(self) -> None:
        """Drops every call without a word to the platform."""
        self._calls.clear()

    def ring(self, msisdn: str, number: str, request_id: str) -> PhoneCall:
        """Lets a phone ring that the platform calls; somebody answers, or nobody does in time."""
        call = PhoneCall(new_call_id(), "Outbound", msisdn, number, request_id)
        self._calls.put(call.session_id, call)
        seconds = self._settings.current.voice_ring_ms / 1000
        call.timer = asyncio.get_running_loop().call_later(seconds, self._end, call, "NO_ANSWER")
        self._announce(call)
        return call

    async def dial(self, msisdn: str, number: str) -> PhoneCall:
        """A phone calls a number of the account; returns when the platform has said what is done first."""
        call = PhoneCall(new_call_id(), "Inbound", msisdn, number)
        self._calls.put(call.session_id, call)
        await self._ask(call, [])
        return call

    async def answer(self, session_id: str) -> PhoneCall:
        """Picks up a phone that rings. Raises UnknownCall, NotPossible."""
        call = self._ringing(session_id)
        call.stop_timer()
        self._begin(call)
        await self._ask(call, [])
        return call

    def refuse(self, session_id: str, cause: str) -> PhoneCall:
        """Ends the ringing of a phone, such as by USER_BUSY. Raises UnknownCall, NotPossible."""
        call = self._ringing(session_id)
        self._end(call, cause)
        return call

    async def press(self, session_id: str, keys: str) -> PhoneCall:
        """Presses keys and then none until what waits for them ends. Raises UnknownCall, NotPossible."""
        call = self.call(session_id)
        if not isinstance(call.asks, GetDigits | Record):
            raise NotPossible("the call waits for no key")
        call.pressed += keys
        await self._elapsed(call)
        return call

    async def silence(self, session_id: str) -> PhoneCall:
        """Lets the time pass that the call waits for. Raises UnknownCall, NotPossible."""
        call = self.call(session_id)
        if not isinstance(call.asks, GetDigits | Record):
            raise NotPossible("the call waits for nothing")
        await self._elapsed(call)
        return call

    def hang_up(self, session_id: str) -> PhoneCall:
        """Hangs up; a call that is over stays as it is. Raises UnknownCall."""
        call = self.call(session_id)
        self._end(call, "NORMAL_CLEARING" if call.answered is not None else "ORIGINATOR_CANCEL")
        return call

    async def repeat(self, session_id: str) -> tuple[str, bool]:
        """
        Delivers the last callback that wants an answer again, the same bytes; nothing changes in the call.

        Returns the raw answer, and whether it is the one that came first. Raises UnknownCall, NotPossible.
        """
        call = self.call(session_id)
        if call.last_callback is None:
            raise NotPossible("the call has sent no callback yet")
        url, callback = call.last_callback
        try:
            answer = await self._post(url, callback)
        except CallbackFailed as failure:
            raise NotPossible(str(failure)) from failure
        body = answer.body.decode("utf-8", errors="replace")
        return body, body == call.last_body

    def _ringing(self, session_id: str) -> PhoneCall:
        call = self.call(session_id)
        if call.state != "Ringing" or call.direction != "Outbound":
            raise NotPossible("the phone does not ring")
        return call

    def _begin(self, call: PhoneCall) -> None:
        call.state, call.answered = "Active", time.monotonic()
        self._announce(call)

    async def _ask(self, call: PhoneCall, more: Sequence[tuple[str, str]], url: str = "") -> None:
        """Asks the platform what is done next, and does it until the call waits or is over."""
        for _ in range(MAX_DOCUMENTS):
            actions = await self._next(call, more, url)
            if actions is None:
                return
            redirect = self._do(call, actions)
            if redirect is None:
                return
            # From now on that address is asked.
            call.callback_url, more, url = redirect.url, [], ""
        self._fail(call, f"more than {MAX_DOCUMENTS} documents")

    async def _next(self, call: PhoneCall, more: Sequence[tuple[str, str]], url: str) -> Sequence[Action] | None:
        """Returns what the platform says; None when the call is over by now."""
        callback = form_callback(INSTRUCTIONS, [*call.form(is_active=True), *more])
        call.last_callback = (url or call.callback_url, callback)
        call.callbacks += 1
        call.busy = True
        try:
            answer = await self._post(*call.last_callback)
            call.last_body = answer.body.decode("utf-8", errors="replace")
            actions = read_document(answer)
        except (CallbackFailed, BadDocument) as error:
            if call.active:
                self._fail(call, str(error))
            return None
        finally:
            call.busy = False
        return actions if call.active else None

    def _do(self, call: PhoneCall, actions: Sequence[Action]) -> Redirect | None:
        """Does actions until one waits, one leads elsewhere, which is returned, or the call is over."""
        if actions and isinstance(actions[0], Reject):
            self._end(call, "CALL_REJECTED")
            return None
        if call.state == "Ringing":
            self._begin(call)
        for place, action in enumerate(actions):
            match action:
                case Heard():
                    call.heard.append(action)
                case Redirect():
                    return action
                case Dial(numbers):
                    # Whoever is called answers; nothing behind it is done.
                    call.dialled, call.asks = numbers.split(",")[0].strip(), action
                    return None
                case GetDigits() | Record():
                    self._wait(call, action, actions[place + 1 :])
                    return None
        self._end(call, "NORMAL_CLEARING")
        return None

    def _wait(self, call: PhoneCall, action: GetDigits | Record, pending: Sequence[Action]) -> None:
        if action.prompt is not None:
            call.heard.append(action.prompt)
        call.asks, call.pending, call.pressed = action, pending, ""
        if isinstance(action, Record) and action.until_hangup:
            call.recording_url = _recording(call)
            return
        loop = asyncio.get_running_loop()
        call.timer = loop.call_later(
            action.timeout_seconds,
            lambda: self._background.start("time of a call", self._elapsed(call)),
        )

    async def _elapsed(self, call: PhoneCall) -> None:
        """What the call waits for ends."""
        asked, pending = call.asks, call.pending
        if not call.active or not isinstance(asked, GetDigits | Record):
            return
        call.stop_timer()
        call.asks, call.pending = None, ()
        if isinstance(asked, Record):
            call.recording_url = _recording(call)
            await self._ask(call, [("recordingUrl", call.recording_url)], asked.callback_url)
            return
        keys, finished = _keys(asked, call.pressed)
        if keys or finished:
            await self._ask(call, [("dtmfDigits", keys)], asked.callback_url)
            return
        # Nothing was pressed: the next action is done, and nobody is told.
        redirect = self._do(call, pending)
        if redirect is not None:
            call.callback_url = redirect.url
            await self._ask(call, [])

    def _fail(self, call: PhoneCall, why: str) -> None:
        call.error = why
        self._end(call, "NORMAL_TEMPORARY_FAILURE")

    def _end(self, call: PhoneCall, cause: str) -> None:
        if not call.active:
            return
        call.stop_timer()
        call.state, call.hangup_cause, call.asks = "Completed", cause, None
        call.status = "Success" if call.answered is not None else "Aborted"
        final = form_callback(INSTRUCTIONS, call.final_form())
        self._background.start("end of a call", self._tell(call, call.callback_url, final))
        if self._settings.current.voice_events:
            self._background.start("event of a call", self._tell(call, "", Callback(EVENTS, final.body, {})))

    def _announce(self, call: PhoneCall) -> None:
        if self._settings.current.voice_events:
            event = form_callback(EVENTS, call.form(is_active=True))
            self._background.start("event of a call", self._tell(call, "", event))

    async def _tell(self, call: PhoneCall, url: str, callback: Callback) -> None:
        """Posts what wants no answer, once: nothing says that the original repeats it."""
        try:
            answer = await self._post(url, callback)
        except CallbackFailed as failure:
            log.warning("word of a call lost", session_id=call.session_id, error=str(failure))
            return
        if not 200 <= answer.status < 300:
            log.warning("word of a call refused", session_id=call.session_id, http_status=answer.status)

    async def _post(self, url: str, callback: Callback) -> CallbackAnswer:
        seconds = self._settings.current.voice_answer_timeout_ms / 1000
        return await (self._sender.post_to(url, callback, seconds) if url else self._sender.post(callback, seconds))


def _keys(asked: GetDigits, pressed: str) -> tuple[str, bool]:
    """Returns the keys of a row, and whether the key that ends it was pressed."""
    before, finish, _ = pressed.partition(asked.finish_on_key) if asked.finish_on_key else (pressed, "", "")
    if asked.num_digits is not None and len(before) >= asked.num_digits:
        return before[: asked.num_digits], False
    return before, bool(finish)


def _recording(call: PhoneCall) -> str:
    return f"https://recordings.example/{call.session_id}.mp3"
