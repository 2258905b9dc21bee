"""Amounts of money in configs and payloads: decimals, never floating point."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator

from workflow.fields import TEMPLATED, Role, Text
from workflow.spec import RetryPolicy

Currency = Literal["KES", "UGX", "TZS", "RWF", "ETB", "ZAR", "NGN", "GHS", "XOF", "XAF"]

AIRTIME, PAYMENT = "airtime", "payment"
"""Channels of reports of money; names that lead to executions begin with them, such as airtime:ATQid_…."""

MONEY_RETRY = RetryPolicy(
    maxAttempts=2, initialDelayMs=1000, backoffMultiplier=2.0, retryableErrors=["NETWORK_ERROR", "SERVER_ERROR"]
)
"""How often what moves money is tried: again only where it was refused or never left."""

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)


def _amount(written: str) -> str:
    text = written.strip()
    if not _AMOUNT.fullmatch(text) or Decimal(text) <= 0:
        raise ValueError(
            f"{text[:40]!r} is no amount: it must be a decimal of more than 0 such as 10 or 10.50, with at most 9 "
            "digits before the point and 2 behind it, and without a currency"
        )
    return text


Amount = Annotated[Text, AfterValidator(_amount), TEMPLATED, Role.TEXT]
"""A decimal as text. A number counts as what is written; nan, infinity, exponents, signs and zero are refused."""


def json_number(amount: Decimal) -> int | float:
    """Returns an amount as JSON has it. With up to 15 digits a float is written as the same decimal again."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def airtime_subject(number: str, currency: str, amount: str) -> str:
    """Returns what a report of airtime is known by where its id is not: 10 and 10.00 are the same."""
    return f"{number}:{currency}:{Decimal(amount).normalize():f}"
