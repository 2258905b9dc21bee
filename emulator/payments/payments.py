"""Payments from their request, or from a user's own accord, to the notification that was taken."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import structlog

from emulator.background import Background
from emulator.callbacks import CallbackAnswer, CallbackFailed, CallbackSender, json_callback
from emulator.identifiers import new_transaction_id
from emulator.money import written
from emulator.recent import Recent
from emulator.settings import LiveSettings

TIMEOUT_SECONDS = 10.0
MAX_KEPT = 10_000
PROVIDER, CHANNEL = "Athena", "525900"
"""The sandbox's provider of payments and its pay bill number."""

PENDING, SUCCESS, FAILED = "Pending", "Success", "Failed"
TRANSFER_FEE = "KES 1.0000"

CHECKOUT, C2B, B2C, B2B = "MobileCheckout", "MobileC2B", "MobileB2C", "MobileB2B"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Payment:
    """
    A payment.

    Attributes:
        category: MobileCheckout, MobileC2B, MobileB2C or MobileB2B.
        other: Phone number of the user, or channel of the business.
        account: What a user typed with a pay bill number, or the account at a business.
        status: Pending until it is settled.
        attempts: Notifications so far.
        taken: Whether one was answered with less than 400.
    """

    category: str
    other: str
    product_name: str
    currency: str
    amount: Decimal
    metadata: Mapping[str, Any]
    account: str = ""
    idempotency_key: str | None = None
    transaction_id: str = field(default_factory=new_transaction_id)
    status: str = PENDING
    description: str = ""
    attempts: int = 0
    taken: bool = False

    @property
    def value(self) -> str:
        """The amount as they write it."""
        return written(self.currency, self.amount)


class AlreadySettled(Exception):
    """The payment is not pending any more."""


class Payments:
    """Keeps payments, settles them, and notifies the platform until it takes the notification."""

    def __init__(self, sender: CallbackSender, settings: LiveSettings, background: Background) -> None:
        self._sender = sender
        self._settings = settings
        self._background = background
        self._payments: Recent[str, Payment] = Recent(MAX_KEPT)

    def get(self, transaction_id: str) -> Payment | None:
        """Returns a payment, or None."""
        return self._payments.get(transaction_id)

    def of(self, number: str | None) -> list[Payment]:
        """Returns the payments of a number, or all, oldest first."""
        return [payment for payment in self._payments if number in (None, payment.other)]

    def clear(self) -> None:
        """Drops all."""
        self._payments.clear()

    def request(self, payment: Payment) -> None:
        """Keeps a payment that was asked for: a checkout waits for its user, the others settle by themselves."""
        self._payments.put(payment.transaction_id, payment)
        answer = self._settings.current.payment_answer
        if payment.category != CHECKOUT or answer != "ask":
            confirmed = payment.category != CHECKOUT or answer == "confirm"
            self._background.start("payment", self._settle_later(payment, confirmed=confirmed))

    async def paid(self, payment: Payment) -> None:
        """Keeps a payment that a user makes of their own accord, and notifies of it."""
        self._payments.put(payment.transaction_id, payment)
        await self.settle(payment, confirmed=True)

    async def settle(self, payment: Payment, *, confirmed: bool) -> None:
        """
        Settles a payment as its user wants, and notifies once; what was not taken is repeated in the background.

        Raises:
            AlreadySettled: It was settled before.
        """
        if payment.status != PENDING:
            raise AlreadySettled(payment.transaction_id)
        payment.status = SUCCESS if confirmed else FAILED
        payment.description = "Received Mobile Payment" if confirmed else "Request cancelled by user"
        await self.notify(payment)
        if not payment.taken:
            self._background.start("payment notification", self._repeat_until_taken(payment))

    async def notify(self, payment: Payment, changes: Mapping[str, Any] | None = None) -> CallbackAnswer | None:
        """Posts the notification, with some fields changed where a test asks for it; None without an answer."""
        payment.attempts += 1
        document = {**_notification(payment), **(changes or {})}
        try:
            answer = await self._sender.post(json_callback("/payments", document), TIMEOUT_SECONDS)
        except CallbackFailed as failure:
            log.warning("payment notification lost", transaction_id=payment.transaction_id, error=str(failure))
            return None
        payment.taken = payment.taken or answer.status < 400
        return answer

    async def _settle_later(self, payment: Payment, *, confirmed: bool) -> None:
        settings = self._settings.current
        await asyncio.sleep(settings.payment_answer_delay_ms / 1000)
        if payment.category == B2C and settings.payment_validation:
            confirmed = await self._validated(payment)
        if payment.status == PENDING:
            await self.settle(payment, confirmed=confirmed)

    async def _validated(self, payment: Payment) -> bool:
        document = {
            "transactionId": payment.transaction_id,
            "phoneNumber": payment.other,
            "currencyCode": payment.currency,
            "amount": float(payment.amount),
            "sourceIpAddress": "127.0.0.1",
            "metadata": payment.metadata,
        }
        try:
            answer = await self._sender.post(json_callback("/payments/validation", document), TIMEOUT_SECONDS)
        except CallbackFailed:
            return False
        return answer.status == 200 and b'"Validated"' in answer.body

    async def _repeat_until_taken(self, payment: Payment) -> None:
        while not payment.taken and payment.attempts < self._settings.current.payment_retry_attempts:
            await asyncio.sleep(self._settings.current.payment_retry_interval_ms / 1000)
            if self._payments.get(payment.transaction_id) is not payment:
                return
            await self.notify(payment)


def _notification(payment: Payment) -> dict[str, Any]:
    user_pays = payment.category in (CHECKOUT, C2B)
    other_type = "Business" if payment.category == B2B else "PhoneNumber"
    wallet = ("Wallet", "PaymentWallet")
    source, destination = ((other_type, payment.other), wallet) if user_pays else (wallet, (other_type, payment.other))
    document = {
        "transactionId": payment.transaction_id,
        "category": payment.category,
        "provider": PROVIDER,
        "providerRefId": payment.transaction_id[-10:].upper(),
        "providerChannel": CHANNEL,
        "productName": payment.product_name,
        "sourceType": source[0],
        "source": source[1],
        "destinationType": destination[0],
        "destination": destination[1],
        "value": payment.value,
        "transactionFee": TRANSFER_FEE,
        "status": payment.status,
        "description": payment.description,
        "requestMetadata": payment.metadata,
        "providerMetadata": {},
        "origin": "ApiRequest",
    }
    return document | {"clientAccount": payment.account} if payment.category == C2B else document
