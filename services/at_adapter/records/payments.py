"""
The payments that went through this account: one Redis hash a transaction, njia:at:payment:{digest of its id}.

Fields: `type`, `number`, `product`, `currency`, `units` (ten-thousandths), `status`, and one `r:{digest of a key}` for
each refund: the units that it pays back. The first to write a fact decides it, but less that was paid than was asked
for counts, and the currency in which it was paid; a status once Failed stays.
"""

from dataclasses import dataclass
from hashlib import sha256

from services.at_adapter.outgoing.money import Money
from storage.connection import Client, store_errors
from storage.scripts import Script

KEY_PREFIX = "njia:at:payment:"


@dataclass(frozen=True, slots=True)
class Payment:
    """
    A payment as far as it is known.

    Attributes:
        type: checkout, b2c or b2b.
        number: Phone number of the user in E.164.
        product_name: Payment product of the account.
        money: How much was paid.
    """

    type: str
    number: str
    product_name: str
    money: Money


@dataclass(frozen=True, slots=True)
class Reserved:
    """A part of a payment that is set aside for one refund. `number` and `product_name` are the payment's."""

    number: str
    product_name: str
    currency: str
    units: int


@dataclass(frozen=True, slots=True)
class NotReserved:
    """
    Why nothing was set aside.

    Attributes:
        why: unknown, type, status, currency or too_large.
        fact: What the payment has instead: its type, status, currency, or the units that are left.
    """

    why: str
    fact: str


class PaymentRecord:
    """
    Args:
        client: Where they are kept.
        keep_seconds: How long a payment is remembered, from when it was last heard of.
    """

    def __init__(self, client: Client, keep_seconds: int) -> None:
        self._client = client
        self._keep_seconds = keep_seconds
        self._write = Script.load(__package__, "write_payment")
        self._reserve = Script.load(__package__, "reserve_refund")

    async def note(self, transaction_id: str, payment: Payment, status: str) -> None:
        """Notes a payment, or what is new of one. An empty status is none. Raises StoreUnavailable."""
        money = payment.money
        await self._written(
            transaction_id, status, payment.type, payment.number, payment.product_name, money.currency, money.units
        )

    async def failed(self, transaction_id: str) -> None:
        """Notes that a payment failed, if it is one that is known. Raises StoreUnavailable."""
        await self._written(transaction_id, "Failed")

    async def _written(self, transaction_id: str, status: str, *facts: str | int) -> None:
        with store_errors():
            await self._write.run(self._client, [_name(transaction_id)], [self._keep_seconds, status, *facts])

    async def reserve(self, key: str, transaction_id: str, money: Money | None) -> Reserved | NotReserved:
        """
        Sets a part of a payment aside for the refund of this idempotency key; the same key gets the same part again.

        Args:
            money: How much; None means all that is left.

        Raises:
            StoreUnavailable: It may have been set aside; the same key finds it again.
        """
        with store_errors():
            word, *facts = await self._reserve.run(
                self._client,
                [_name(transaction_id)],
                [_refund(key), "" if money is None else money.currency, "" if money is None else money.units],
            )
        texts = [fact.decode() for fact in facts]
        if word == b"reserved":
            return Reserved(texts[0], texts[1], texts[2], int(texts[3]))
        return NotReserved(word.decode(), texts[0])

    async def release(self, key: str, transaction_id: str) -> None:
        """Gives back what was set aside for a refund that certainly did not take place. Raises StoreUnavailable."""
        with store_errors():
            await self._client.hdel(_name(transaction_id), _refund(key))


def _name(transaction_id: str) -> str:
    return f"{KEY_PREFIX}{{{sha256(transaction_id.encode()).hexdigest()}}}"


def _refund(key: str) -> str:
    return f"r:{sha256(key.encode()).hexdigest()}"
