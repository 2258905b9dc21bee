"""One USSD session from the gateway's side."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal

from emulator.callbacks import Callback, form_callback
from emulator.ussd.screen import HOP_METADATA_HEADER, Screen

EndStatus = Literal["Success", "Incomplete", "Failed"]
"""Success: the application ended it. Incomplete: the user or the time did. Failed: the application answered wrongly."""


@dataclass(slots=True)
class UssdSession:
    """
    A session.

    Attributes:
        session_id: ATUid_ and 32 hexadecimal digits.
        service_code: Code that the platform rents.
        msisdn: Caller.
        network_code: Caller's network.
        entries: What was typed ahead, if anything, and every input since.
        hops: Callbacks so far, repeats not counted.
        hop_metadata: Values of the metadata header, in order.
        last_callback: The newest callback.
        last_body: The newest answer's raw body.
        screen: What the phone shows, None before the first answer.
        end_status: How the session ended, None while it is active.
        error: Why it failed.
        busy: Whether an answer is awaited.
        expiry: Ends the session when the network's limit is over.
        started: Monotonic time of the dialling, seconds.
    """

    session_id: str
    service_code: str
    msisdn: str
    network_code: str
    entries: list[str]
    hops: int = 0
    hop_metadata: list[str] = field(default_factory=list)
    last_callback: Callback | None = None
    last_body: str = ""
    screen: Screen | None = None
    end_status: EndStatus | None = None
    error: str | None = None
    busy: bool = False
    expiry: asyncio.TimerHandle | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def active(self) -> bool:
        """Whether the session goes on."""
        return self.end_status is None

    @property
    def text(self) -> str:
        """All input so far joined by asterisks: what the original sends, ambiguous where an input holds one."""
        return "*".join(self.entries)

    def next_callback(self) -> Callback:
        """Returns the callback of the newest input and makes it the last one."""
        form = [
            ("sessionId", self.session_id),
            ("phoneNumber", self.msisdn),
            ("networkCode", self.network_code),
            ("serviceCode", self.service_code),
            ("text", self.text),
        ]
        echo = {HOP_METADATA_HEADER: self.hop_metadata[-1]} if self.hop_metadata else {}
        self.last_callback = form_callback("/ussd", form, echo)
        self.hops += 1
        return self.last_callback

    def end(self, status: EndStatus, error: str | None = None) -> bool:
        """Ends the session; False when it was over already."""
        if self.end_status is not None:
            return False
        self.end_status, self.error = status, error
        if self.expiry is not None:
            self.expiry.cancel()
        return True
