"""Tells the platform that a session is over."""

import time
from datetime import UTC, datetime

import structlog

from emulator.background import Background
from emulator.callbacks import CallbackFailed, CallbackSender, form_callback
from emulator.settings import LiveSettings
from emulator.ussd.session import UssdSession

TIMEOUT_SECONDS = 10.0

log = structlog.get_logger(__name__)


class EndEvents:
    """Posts one event a session, once: a lost one is logged and not repeated, as the original promises nothing."""

    def __init__(self, sender: CallbackSender, settings: LiveSettings, background: Background) -> None:
        self._sender = sender
        self._settings = settings
        self._background = background

    def announce(self, session: UssdSession) -> None:
        """Posts the event after the caller got its answer. The session must be over."""
        if self._settings.current.ussd_end_events:
            self._background.start("USSD end event", self._post(session, _form(session)))

    async def _post(self, session: UssdSession, form: list[tuple[str, str]]) -> None:
        try:
            answer = await self._sender.post(form_callback("/ussd/events", form), TIMEOUT_SECONDS)
        except CallbackFailed as failure:
            log.warning("end event lost", session_id=session.session_id, error=str(failure))
            return
        if not 200 <= answer.status < 300:
            log.warning("end event refused", session_id=session.session_id, http_status=answer.status)


def _form(session: UssdSession) -> list[tuple[str, str]]:
    form = [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"),
        ("sessionId", session.session_id),
        ("serviceCode", session.service_code),
        ("networkCode", session.network_code),
        ("phoneNumber", session.msisdn),
        ("status", str(session.end_status)),
        ("cost", "0"),
        ("durationInMillis", str(round((time.monotonic() - session.started) * 1000))),
        ("hopsCount", str(session.hops)),
        ("hopsMetadata", "|".join(session.hop_metadata)),
        ("input", session.text),
        ("lastAppResponse", session.last_body),
    ]
    return [*form, ("errorMessage", session.error)] if session.error is not None else form
