"""One SMS order and what became of it."""

from dataclasses import dataclass
from hashlib import sha256

import orjson

from rpc.status import FieldViolation
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.numbers import is_number, no_number

MAX_RECIPIENTS = 1000
MAX_MESSAGE_CHARACTERS = 1600


@dataclass(frozen=True, slots=True)
class Premium:
    """
    What makes an order a premium message.

    Attributes:
        keyword: Keyword of the product; empty when there is none.
        link_id: linkId of the incoming message that it answers; empty when there is none.
    """

    keyword: str
    link_id: str


@dataclass(frozen=True, slots=True)
class SmsOrder:
    """
    One text to one or more numbers.

    Attributes:
        to: Phone numbers in E.164, 1 to MAX_RECIPIENTS.
        message: The text, 1 to MAX_MESSAGE_CHARACTERS.
        sender: Short code or alphanumeric sender; empty means the account's default.
        enqueue: True: they queue it and answer at once.
        premium: What makes it a premium message; None for a bulk message.
        left_out: Those of the numbers asked for that it does not go out to; empty before that was looked up.
    """

    to: tuple[str, ...]
    message: str
    sender: str
    enqueue: bool
    premium: Premium | None
    left_out: tuple[str, ...] = ()

    def digest(self) -> str:
        """Returns what tells two orders under one key apart, 64 hexadecimal digits."""
        # In this order, which older replicas know as well.
        asked_for = {
            "to": self.to,
            "message": self.message,
            "sender": self.sender,
            "enqueue": self.enqueue,
            "premium": self.premium,
        }
        return sha256(orjson.dumps(asked_for)).hexdigest()

    def check(self) -> None:
        """Raises SendRefused (INVALID_REQUEST or INVALID_PHONE_NUMBER) when it cannot be sent as it is."""
        violations = tuple(self._shape_violations())
        if violations:
            raise SendRefused(Fault.INVALID_REQUEST, violations[0].description, violations=violations)
        unusable = tuple(no_number(f"to[{index}]") for index, number in enumerate(self.to) if not is_number(number))
        if unusable:
            raise SendRefused(
                Fault.INVALID_PHONE_NUMBER,
                f"{len(unusable)} of {len(self.to)} phone numbers are not in E.164, such as +254711000001",
                violations=unusable,
            )

    def _shape_violations(self) -> list[FieldViolation]:
        violations: list[FieldViolation] = []
        if not 1 <= len(self.to) <= MAX_RECIPIENTS:
            violations.append(FieldViolation("to", f"1 to {MAX_RECIPIENTS} phone numbers, not {len(self.to)}"))
        if not 1 <= len(self.message) <= MAX_MESSAGE_CHARACTERS:
            violations.append(
                FieldViolation("message", f"1 to {MAX_MESSAGE_CHARACTERS} characters, not {len(self.message)}")
            )
        if self.premium is not None and not self.sender:
            violations.append(FieldViolation("sender", "a premium message needs its short code as the sender"))
        return violations


@dataclass(frozen=True, slots=True)
class Recipient:
    """
    What became of one recipient, as they say it.

    Attributes:
        number: Phone number in E.164.
        status: Their word, such as Success.
        status_code: 100 processed, 101 sent, 102 queued, 4xx and 5xx refused; 0 when they gave none.
        message_id: Id that delivery reports carry; empty when refused.
        cost: Such as "KES 0.8000".
    """

    number: str
    status: str
    status_code: int
    message_id: str
    cost: str


@dataclass(frozen=True, slots=True)
class SmsReceipt:
    """
    What became of an order that was taken for at least one recipient.

    Attributes:
        recipients: In the order that they give.
        summary: Such as "Sent to 1/1 Total Cost: KES 0.8000".
    """

    recipients: tuple[Recipient, ...]
    summary: str
