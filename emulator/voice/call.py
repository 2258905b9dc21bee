"""One call from the network's side."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from emulator.callbacks import Callback
from emulator.voice.document import Action, Dial, GetDigits, Heard, Record

Direction = Literal["Inbound", "Outbound"]
State = Literal["Ringing", "Active", "Completed"]

SHILLINGS_PER_MINUTE = 2.5
"""A guess; only that a call which was not answered costs nothing is known."""


@dataclass(slots=True)
class PhoneCall:
    """
    A call.

    Attributes:
        session_id: ATVId_ and 32 hexadecimal digits.
        direction: Inbound: the phone called; Outbound: the platform did.
        msisdn: The phone.
        number: Number of the account.
        request_id: clientRequestId of a call that the platform placed; empty otherwise.
        callback_url: Whom the call asks for more; empty: the number's own address.
        state: How it stands.
        heard: What the person heard so far.
        asks: What it waits for; None where it waits for nothing.
        pending: What is done behind that.
        pressed: Keys that were pressed for what it waits for.
        dialled: The other phone that it was joined to.
        recording_url: Of the last recording; empty where there is none.
        status: Success or Aborted, once it is over.
        hangup_cause: Why it is over, such as NO_ANSWER.
        error: What the platform did wrong; None where it did nothing.
        callbacks: Callbacks so far.
        last_callback: The newest callback that wants an answer, and where it went.
        last_body: The raw answer to it.
        timer: Ends the ringing, or what it waits for.
        busy: Whether an answer of the platform is awaited.
        started: Monotonic time of the ringing, seconds.
        answered: Monotonic time of the answer, None before.
    """

    session_id: str
    direction: Direction
    msisdn: str
    number: str
    request_id: str = ""
    callback_url: str = ""
    state: State = "Ringing"
    heard: list[Heard] = field(default_factory=list)
    asks: GetDigits | Record | Dial | None = None
    pending: Sequence[Action] = ()
    pressed: str = ""
    dialled: str = ""
    recording_url: str = ""
    status: str = ""
    hangup_cause: str = ""
    error: str | None = None
    callbacks: int = 0
    last_callback: tuple[str, Callback] | None = None
    last_body: str = ""
    timer: asyncio.TimerHandle | None = None
    busy: bool = False
    started: float = field(default_factory=time.monotonic)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered: float | None = None

    @property
    def active(self) -> bool:
        """Whether it is not over."""
        return self.state != "Completed"

    def stop_timer(self) -> None:
        """Nothing ends by itself any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def form(self, *, is_active: bool) -> list[tuple[str, str]]:
        """Returns the fields that every callback of it has."""
        fields = [
            ("isActive", "1" if is_active else "0"),
            ("sessionId", self.session_id),
            ("direction", self.direction),
            ("callerNumber", self.msisdn),
            ("destinationNumber", self.number),
            ("callSessionState", self.state),
            ("callerCountryCode", "254"),
            ("callStartTime", f"{self.started_at:%Y-%m-%d+%H:%M:%S}"),
        ]
        return [*fields, ("clientRequestId", self.request_id)] if self.request_id else fields

    def final_form(self) -> list[tuple[str, str]]:
        """Returns the fields of the last callback."""
        seconds = 0 if self.answered is None else round(time.monotonic() - self.answered)
        form = [
            *self.form(is_active=False),
            ("durationInSeconds", str(seconds)),
            ("currencyCode", "KES"),
            ("amount", f"{SHILLINGS_PER_MINUTE * seconds / 60:.4f}" if self.answered is not None else "0"),
            ("status", self.status),
            ("hangupCause", self.hangup_cause),
            ("recordingUrl", self.recording_url),
        ]
        if self.dialled:
            form += [("dialDestinationNumber", self.dialled), ("dialDurationInSeconds", str(seconds))]
        return form
