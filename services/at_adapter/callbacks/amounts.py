"""Amounts as callbacks write them."""

import re
from decimal import Decimal

from services.at_adapter.outgoing.money import Money

_VALUE = re.compile(r"([A-Z]{3})\s*([0-9]{1,12}(?:\.[0-9]{1,8})?)", re.ASCII)


def read_value(text: str) -> Money | None:
    """Reads a currency and an amount, such as "KES 100.0000"; else None. The amount has no trailing zeros."""
    found = _VALUE.fullmatch(text.strip())
    if found is None:
        return None
    amount = Decimal(found[2]).normalize()
    return Money(found[1], f"{amount:f}")
