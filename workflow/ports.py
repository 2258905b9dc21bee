"""What nodes need from the outside. The engine hands in the real thing; nodes know only these shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PremiumSms:
    """What makes a message a premium one; empty text means none."""

    keyword: str
    link_id: str


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """
    One text for one or more numbers.

    Attributes:
        idempotency_key: The same key never sends twice.
        to: Phone numbers in E.164.
        sender: Short code or alphanumeric sender; empty means the account's default.
        enqueue: Whether Africa's Talking may queue it and answer at once.
        may_have_begun: Whether an engine that is gone may have asked for it already; it does not change the message.
    """

    idempotency_key: str
    to: Sequence[str]
    message: str
    sender: str
    enqueue: bool
    premium: PremiumSms | None
    may_have_begun: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class SmsRecipient:
    """What became of one recipient; `message_id` is empty when it was refused."""

    number: str
    status: str
    status_code: int
    message_id: str
    cost: str


class SmsSender(Protocol):
    """Sends texts."""

    async def send(self, request: SmsRequest) -> Sequence[SmsRecipient]:
        """Sends once per idempotency key. Raises NodeFailure when it was refused or its outcome is unknown."""
        ...
