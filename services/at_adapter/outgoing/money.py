"""Amounts of money as they go out: a currency and an exact decimal."""

import re
from dataclasses import dataclass
from decimal import Decimal

from rpc.status import FieldViolation
from services.at_adapter.outgoing.faults import Fault, SendRefused

UNITS_PER_ONE = 10_000
"""Africa's Talking writes amounts with four places; sums are made of whole ten-thousandths."""

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """
    Attributes:
        currency: ISO 4217 code, such as KES.
        amount: Decimal as text, more than 0, at most two places; `check_money` says whether it is.
    """

    currency: str
    amount: str

    @property
    def units(self) -> int:
        """The amount in ten-thousandths."""
        return int(Decimal(self.amount) * UNITS_PER_ONE)

    def __str__(self) -> str:
        """Returns it as Africa's Talking takes it, such as KES 10.50."""
        return f"{self.currency} {self.amount}"


def money_of_units(currency: str, units: int) -> Money:
    """Returns so many ten-thousandths; places beyond the second are cut, never rounded up."""
    return Money(currency, f"{Decimal(units // 100) / 100:.2f}")


def check_money(money: Money, field: str = "amount") -> None:
    """Raises SendRefused: INVALID_AMOUNT, or INVALID_REQUEST for what is no currency."""
    if not _CURRENCY.fullmatch(money.currency):
        violation = FieldViolation(f"{field}.currency", "three capital letters, such as KES")
        raise SendRefused(
            Fault.INVALID_REQUEST, "the currency is no ISO 4217 code such as KES", violations=(violation,)
        )
    # The SDK's own check is float(): it lets nan, infinity and negative amounts through.
    if not _AMOUNT.fullmatch(money.amount) or Decimal(money.amount) <= 0:
        violation = FieldViolation(f"{field}.amount", "a decimal such as 10 or 10.50")
        raise SendRefused(
            Fault.INVALID_AMOUNT,
            "the amount is no decimal of more than 0 with at most 9 digits before the point and 2 behind it",
            violations=(violation,),
        )
