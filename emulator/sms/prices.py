"""What a message costs. Only the Kenyan price is recorded from the original; other numbers are priced in dollars."""

from collections.abc import Sequence
from decimal import Decimal

KENYAN_PART_KES = Decimal("0.8")
"""One part to a Kenyan number, in shillings."""

PART_USD = Decimal("0.0079")
"""One part in the account's currency."""


def row_cost(number: str, parts: int) -> str:
    """Returns the price of one message in the recipient's currency, such as KES 0.8000."""
    if number.startswith("+254"):
        return f"KES {KENYAN_PART_KES * parts:.4f}"
    return f"USD {PART_USD * parts:.4f}"


def account_cost(parts: Sequence[int]) -> Decimal:
    """Returns the price of messages with so many parts each, in dollars."""
    return PART_USD * sum(parts)
