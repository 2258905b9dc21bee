"""Amounts as Africa's Talking takes and writes them."""

import re
from decimal import Decimal, InvalidOperation

_WRITTEN = re.compile(r"([A-Z]{3}) ([0-9]+(?:\.[0-9]+)?)", re.ASCII)

MINIMUM = {
    **dict.fromkeys(("KES", "ZMW", "ZAR", "ETB"), Decimal(5)),
    **dict.fromkeys(("UGX", "NGN"), Decimal(50)),
    "TZS": Decimal(500),
    "MWK": Decimal(300),
    **dict.fromkeys(("XOF", "RWF"), Decimal(100)),
    **dict.fromkeys(("GHS", "USD"), Decimal(1)),
}
"""Least airtime by currency, as one of their client libraries has it."""


def read_amount(text: str) -> tuple[str, Decimal] | None:
    """Reads "KES 10.00"; None for anything else, negative and odd numbers too."""
    found = _WRITTEN.fullmatch(text)
    return None if found is None else (found[1], Decimal(found[2]))


def number(value: object) -> Decimal | None:
    """Reads a number of a JSON document; None for what is no amount of more than 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None


def shown(text: str) -> str:
    """Writes an amount of theirs as people do: "KES 50.00" of "KES 50.0000"; what is no amount stays as it is."""
    amount = read_amount(text)
    if amount is None:
        return text
    currency, exact = amount
    fraction = f"{exact:f}".partition(".")[2].rstrip("0")
    return f"{currency} {exact:.{max(2, len(fraction))}f}"


def written(currency: str, amount: Decimal) -> str:
    """Writes an amount with four places."""
    return f"{currency} {amount:.4f}"
