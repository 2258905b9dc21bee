"""Runs USSD sessions: dials, types, hangs up, and posts the callbacks that come of it."""

import asyncio
import time
from dataclasses import dataclass, replace

from emulator.callbacks import Callback, CallbackFailed, CallbackSender
from emulator.identifiers import new_session_id
from emulator.recent import Recent
from emulator.settings import LiveSettings
from emulator.ussd.dialling import split_dialled
from emulator.ussd.end_events import EndEvents
from emulator.ussd.screen import Screen, failed, hop_metadata, input_warnings, read_screen
from emulator.ussd.session import EndStatus, UssdSession

MAX_KEPT = 10_000
"""Sessions kept, the newest; an active one that is pushed out ends without an event."""

MAX_ENTRIES = 1_000
"""Inputs of one session."""


class UnknownSession(Exception):
    """There is no such session, or it was pushed out by newer ones."""


class SessionOver(Exception):
    """The session has ended; nothing can be typed."""


class SessionBusy(Exception):
    """The last input has no answer yet."""


class NothingToRepeat(Exception):
    """No callback was sent yet."""


@dataclass(frozen=True, slots=True)
class Turn:
    """
    What came of one callback.

    Attributes:
        session: The session after it.
        screen: What the phone shows.
        duration_ms: From the callback to the whole answer.
    """

    session: UssdSession
    screen: Screen
    duration_ms: float


class UssdDriver:
    """The sessions. One that is not ended by anybody ends as Incomplete when the network's limit is over."""

    def __init__(self, sender: CallbackSender, settings: LiveSettings, end_events: EndEvents) -> None:
        self._sender = sender
        self._settings = settings
        self._end_events = end_events
        self._sessions: Recent[str, UssdSession] = Recent(MAX_KEPT, _forget)

    def __len__(self) -> int:
        return len(self._sessions)

    def session(self, session_id: str) -> UssdSession:
        """Returns a session. Raises UnknownSession."""
        session = self._sessions.get(session_id)
        if session is None:
            raise UnknownSession(session_id)
        return session

    async def dial(self, code: str, service_code: str | None, msisdn: str, network_code: str) -> Turn:
        """Opens a session and returns its first screen. Raises NotDiallable."""
        service_code, typed_ahead = split_dialled(code, service_code)
        session = UssdSession(
            new_session_id(), service_code, msisdn, network_code, entries=[typed_ahead] if typed_ahead else []
        )
        self._sessions.put(session.session_id, session)
        limit_seconds = self._settings.current.ussd_session_limit_ms / 1000
        session.expiry = asyncio.get_running_loop().call_later(limit_seconds, self._expire, session)
        return await self._turn(session, [])

    async def enter(self, session_id: str, text: str) -> Turn:
        """Types an answer and returns the next screen. Raises UnknownSession, SessionOver, SessionBusy."""
        session = self.session(session_id)
        if not session.active:
            raise SessionOver(session_id)
        if session.busy:
            raise SessionBusy(session_id)
        session.entries.append(text)
        if len(session.entries) > MAX_ENTRIES:
            self._end(session, "Incomplete")
            raise SessionOver(session_id)
        return await self._turn(session, input_warnings(text, session.network_code))

    async def repeat(self, session_id: str) -> Turn:
        """
        Delivers the last callback again, the same bytes, also while its answer is awaited or after the end.

        Nothing changes in the session; a warning says when the answer differs from the first one.
        Raises UnknownSession, NothingToRepeat.
        """
        session = self.session(session_id)
        if session.last_callback is None:
            raise NothingToRepeat(session_id)
        before, first_body = session.screen, session.last_body
        screen, body, _, duration_ms = await self._post(session.last_callback, session.network_code)
        if before is not None and not session.busy and body != first_body:
            screen = replace(screen, warnings=(*screen.warnings, "the repeated callback got another answer"))
        return Turn(session, screen, duration_ms)

    def hang_up(self, session_id: str) -> UssdSession:
        """Ends a session as the caller does; one that is over stays as it is. Raises UnknownSession."""
        session = self.session(session_id)
        self._end(session, "Incomplete")
        return session

    def clear(self) -> None:
        """Drops every session without a word to the platform."""
        self._sessions.clear()

    async def _turn(self, session: UssdSession, warnings: list[str]) -> Turn:
        session.busy = True
        callback = session.next_callback()
        try:
            screen, body, metadata, duration_ms = await self._post(callback, session.network_code)
        finally:
            session.busy = False
        screen = replace(screen, warnings=(*warnings, *screen.warnings))
        session.last_body, session.screen = body, screen
        if metadata is not None:
            session.hop_metadata.append(metadata)
        if not session.active:
            screen = replace(screen, warnings=(*screen.warnings, "the session ended before the answer came"))
        elif screen.error is not None:
            self._end(session, "Failed", screen.error)
        elif screen.kind == "END":
            self._end(session, "Success")
        return Turn(session, screen, duration_ms)

    async def _post(self, callback: Callback, network_code: str) -> tuple[Screen, str, str | None, float]:
        """Returns the screen, the raw body, the metadata to echo and the time taken in milliseconds."""
        started = time.perf_counter()
        body, metadata = "", None
        try:
            answer = await self._sender.post(callback, self._settings.current.ussd_answer_timeout_ms / 1000)
        except CallbackFailed as failure:
            screen = failed(failure.code, str(failure))
        else:
            screen = read_screen(answer, network_code)
            body, metadata = answer.body.decode("utf-8", errors="replace"), hop_metadata(answer.headers)
        return screen, body, metadata, (time.perf_counter() - started) * 1000

    def _expire(self, session: UssdSession) -> None:
        self._end(session, "Incomplete")

    def _end(self, session: UssdSession, status: EndStatus, error: str | None = None) -> None:
        if session.end(status, error):
            self._end_events.announce(session)


def _forget(session: UssdSession) -> None:
    if session.expiry is not None:
        session.expiry.cancel()
