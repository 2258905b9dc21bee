"""Messages that the platform sent."""

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from emulator.recent import Recent

MAX_KEPT = 10_000
"""Messages kept, the newest."""

NOT_DELIVERED = frozenset({"Failed", "Rejected", "Expired", "AbsentSubscriber"})
"""Delivery statuses that say that a phone did not get the message."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """
    An accepted message.

    Attributes:
        message_id: ATXid_ and 32 hexadecimal digits.
        to: Number as the platform gave it.
        sender: Sender name or short code that the phone sees.
        text: The text.
        accepted_at: UTC.
        status_code: Code of the answer's row: 100, 101 or 102.
        enqueue: Whether the platform asked to queue.
        parts: Messages that the network sends.
        premium: Whether it is a premium message.
        keyword: Of a premium message, or None.
        link_id: Of a premium answer, or None.
        retry_duration_in_hours: Of a premium subscription message, or None.
        delivery_status: Last status that a delivery report gave, None before the first.
    """

    message_id: str
    to: str
    sender: str
    text: str
    accepted_at: datetime
    status_code: int
    enqueue: bool
    parts: int
    premium: bool = False
    keyword: str | None = None
    link_id: str | None = None
    retry_duration_in_hours: str | None = None
    delivery_status: str | None = None


class SentMessages:
    """Accepted messages in the order in which they were accepted."""

    def __init__(self) -> None:
        self._messages: Recent[str, SentMessage] = Recent(MAX_KEPT)
        self.counts: Counter[str] = Counter()

    def add(self, message: SentMessage) -> None:
        """Keeps a message."""
        self._messages.put(message.message_id, message)
        self.counts["accepted"] += 1

    def get(self, message_id: str) -> SentMessage | None:
        """Returns a message, or None."""
        return self._messages.get(message_id)

    def report(self, message_id: str, status: str) -> None:
        """Notes what a delivery report said."""
        message = self._messages.get(message_id)
        if message is not None:
            self._messages.put(message_id, replace(message, delivery_status=status))

    def newest(self, to: str | None, limit: int) -> list[SentMessage]:
        """Returns the newest messages, to one number or to any, the oldest of them first."""
        fitting = (message for message in reversed(self._messages) if to is None or message.to == to)
        return list(itertools.islice(fitting, limit))[::-1]

    def inbox(self, msisdn: str, limit: int) -> list[SentMessage]:
        """Returns what a phone shows: its newest messages but those that a report called undelivered."""
        return [message for message in self.newest(msisdn, limit) if message.delivery_status not in NOT_DELIVERED]

    def clear(self) -> None:
        """Drops every message and sets the counts to zero."""
        self._messages.clear()
        self.counts.clear()
