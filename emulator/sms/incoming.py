"""SMS from a phone to the platform."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from emulator.background import Background
from emulator.callbacks import Callback, CallbackFailed, CallbackSender, form_callback
from emulator.recent import Recent
from emulator.settings import LiveSettings

TIMEOUT_SECONDS = 10.0
MAX_KEPT = 1_000
"""Incoming messages kept, the newest."""

MAX_FETCHED = 100
"""Messages in one answer to a fetch."""

UNCOUNTED_COST = "KES 0.0000"


@dataclass(slots=True)
class IncomingMessage:
    """
    A message on its way to the platform.

    Attributes:
        message_id: As the callback gives it.
        sequence: The number that a fetch gives instead.
        sender: The phone's number.
        to: Short code.
        text: The text.
        sent_at: UTC.
        link_id: Of on-demand premium services, or None.
        callback: What is posted, every time the same bytes.
        attempts: Deliveries so far.
        delivered: Whether one was answered with 200.
        last_status: HTTP status of the last answer, None when there was none.
        error: Why the last delivery had no answer.
    """

    message_id: str
    sequence: int
    sender: str
    to: str
    text: str
    sent_at: datetime
    link_id: str | None
    callback: Callback
    attempts: int = 0
    delivered: bool = False
    last_status: int | None = None
    error: str | None = None


class IncomingMessages:
    """Delivers messages until they are answered with 200."""

    def __init__(self, sender: CallbackSender, settings: LiveSettings, background: Background) -> None:
        self._sender = sender
        self._settings = settings
        self._background = background
        self._messages: Recent[str, IncomingMessage] = Recent(MAX_KEPT)
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._messages)

    def get(self, message_id: str) -> IncomingMessage | None:
        """Returns a message, or None."""
        return self._messages.get(message_id)

    def since(self, sequence: int) -> Iterator[IncomingMessage]:
        """Yields the messages with a higher sequence number, the oldest first."""
        return (message for message in self._messages if message.sequence > sequence)

    async def send(
        self,
        *,
        message_id: str,
        sender: str,
        to: str,
        text: str,
        sent_at: datetime,
        link_id: str | None,
        network_code: str,
    ) -> IncomingMessage:
        """Delivers a message once; what was not taken is repeated in the background. The same id may come twice."""
        self._sequence += 1
        form = [
            *([("linkId", link_id)] if link_id is not None else []),
            *(("text", text), ("to", to), ("id", message_id), ("date", f"{sent_at:%Y-%m-%dT%H:%M:%SZ}")),
            *(("from", sender), ("networkCode", network_code), ("cost", UNCOUNTED_COST)),
        ]
        callback = form_callback("/sms", form)
        message = IncomingMessage(message_id, self._sequence, sender, to, text, sent_at, link_id, callback)
        self._messages.put(message_id, message)
        await self.deliver(message)
        if not message.delivered:
            self._background.start("incoming SMS", self._repeat_until_taken(message))
        return message

    async def deliver(self, message: IncomingMessage) -> None:
        """Posts the message once more, the same bytes, and notes what came of it."""
        message.attempts += 1
        try:
            answer = await self._sender.post(message.callback, TIMEOUT_SECONDS)
        except CallbackFailed as failure:
            message.last_status, message.error = None, str(failure)
            return
        message.last_status, message.error = answer.status, None
        message.delivered = message.delivered or answer.status == 200

    def clear(self) -> None:
        """Drops every message."""
        self._messages.clear()

    async def _repeat_until_taken(self, message: IncomingMessage) -> None:
        while not message.delivered and message.attempts < self._settings.current.incoming_retry_attempts:
            await asyncio.sleep(self._settings.current.incoming_retry_interval_ms / 1000)
            if self._messages.get(message.message_id) is not message:
                return
            await self.deliver(message)
