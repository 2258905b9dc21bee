"""Payment and refund orders, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import orjson

from rpc.status import FieldViolation
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.money import Money, check_money
from services.at_adapter.outgoing.numbers import check_number

MAX_METADATA = 20
MAX_NAME_CHARACTERS = 100
MAX_TEXT_CHARACTERS = 500

REFERENCE = "njiaReference"
"""Entry of the metadata that carries the idempotency key there and, with the notification, back."""


class PaymentType(StrEnum):
    """Which way money moves."""

    CHECKOUT = "checkout"
    B2C = "b2c"
    B2B = "b2b"


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """
    One payment.

    Attributes:
        number: Phone number in E.164; for b2b the channel of the business.
        provider_channel: Empty means the product's own; not for b2b, where the provider has one.
        provider: As they name it, such as Mpesa; b2b alone.
        destination_account: Account at the business; b2b alone.
    """

    type: PaymentType
    product_name: str
    number: str
    money: Money
    metadata: Mapping[str, str]
    provider_channel: str
    provider: str
    destination_account: str

    def digest(self) -> str:
        """Returns what tells two orders under one key apart, 64 hexadecimal digits."""
        return sha256(orjson.dumps(["payment", self], option=orjson.OPT_SORT_KEYS)).hexdigest()

    def check(self) -> None:
        """Raises SendRefused: INVALID_PHONE_NUMBER, INVALID_AMOUNT or INVALID_REQUEST."""
        violations = [*_texts(self), *metadata_violations(self.metadata)]
        if violations:
            raise SendRefused(Fault.INVALID_REQUEST, violations[0].description, violations=tuple(violations))
        if self.type is not PaymentType.B2B:
            check_number(self.number, "number")
        check_money(self.money)


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """
    What became of a payment that was taken, in their words.

    Attributes:
        transaction_id: Id that notifications carry.
        status: Such as PendingConfirmation or Queued.
        description: Such as "Waiting for user input"; empty when there is none.
    """

    transaction_id: str
    status: str
    description: str


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """
    Pays a payment back.

    Attributes:
        transaction_id: The payment that is paid back.
        money: How much; None means all that is left.
        reason: Goes with the metadata; empty when there is none.
    """

    transaction_id: str
    money: Money | None
    reason: str
    metadata: Mapping[str, str]

    def digest(self) -> str:
        """Returns what tells two orders under one key apart, 64 hexadecimal digits."""
        return sha256(orjson.dumps(["refund", self], option=orjson.OPT_SORT_KEYS)).hexdigest()

    def check(self) -> None:
        """Raises SendRefused (INVALID_AMOUNT, INVALID_REQUEST) when it cannot be sent as it is."""
        violations = [*metadata_violations(self.metadata)]
        if not 1 <= len(self.transaction_id) <= MAX_NAME_CHARACTERS:
            violations.append(FieldViolation("transaction_id", f"1 to {MAX_NAME_CHARACTERS} characters"))
        if len(self.reason) > MAX_TEXT_CHARACTERS:
            violations.append(FieldViolation("reason", f"at most {MAX_TEXT_CHARACTERS} characters"))
        if violations:
            raise SendRefused(Fault.INVALID_REQUEST, violations[0].description, violations=tuple(violations))
        if self.money is not None:
            check_money(self.money)


def metadata_violations(metadata: Mapping[str, str]) -> list[FieldViolation]:
    """Returns what is wrong with the metadata of a request."""
    if len(metadata) > MAX_METADATA:
        return [FieldViolation("metadata", f"at most {MAX_METADATA} entries, not {len(metadata)}")]
    if REFERENCE in metadata:
        return [FieldViolation("metadata", f"{REFERENCE} is set by the platform")]
    return [
        FieldViolation("metadata", f"names of 1 to {MAX_NAME_CHARACTERS}, values of up to {MAX_TEXT_CHARACTERS}")
        for name, value in metadata.items()
        if not 1 <= len(name) <= MAX_NAME_CHARACTERS or len(value) > MAX_TEXT_CHARACTERS
    ]


def _texts(order: PaymentOrder) -> list[FieldViolation]:
    violations = []
    if not 1 <= len(order.product_name) <= MAX_NAME_CHARACTERS:
        violations.append(FieldViolation("product_name", f"1 to {MAX_NAME_CHARACTERS} characters"))
    if len(order.provider_channel) > MAX_NAME_CHARACTERS:
        violations.append(FieldViolation("provider_channel", f"at most {MAX_NAME_CHARACTERS} characters"))
    for field, value in (("provider", order.provider), ("destination_account", order.destination_account)):
        if order.type is PaymentType.B2B and not 1 <= len(value) <= MAX_NAME_CHARACTERS:
            violations.append(FieldViolation(field, f"a b2b payment needs it, 1 to {MAX_NAME_CHARACTERS} characters"))
        if order.type is not PaymentType.B2B and value:
            violations.append(FieldViolation(field, "is for b2b payments alone"))
    if order.type is PaymentType.B2B and order.provider_channel:
        violations.append(FieldViolation("provider_channel", "is not for b2b payments"))
    if order.type is PaymentType.B2B and not 1 <= len(order.number) <= MAX_NAME_CHARACTERS:
        violations.append(FieldViolation("number", f"the channel of a business, 1 to {MAX_NAME_CHARACTERS} characters"))
    return violations
