"""Mobile networks by the code that Africa's Talking gives them."""

import re
from dataclasses import dataclass

SANDBOX_NETWORK = "99999"
"""Athena, the network that Africa's Talking's sandbox reports."""


_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UssdLimits:
    """
    What a network carries.

    Attributes:
        network: The name that a person knows.
        screen_characters: Longest screen before it is cut into pages.
        input_characters: Longest input.
    """

    network: str
    screen_characters: int
    input_characters: int


# Africa's Talking's help pages name these two networks; for others the strictest known limits are the safe ones.
_LIMITS = {"63902": UssdLimits("Safaricom", 160, 80), "63903": UssdLimits("Airtel Kenya", 184, 90)}
_STRICTEST = UssdLimits("the strictest network", 160, 80)


def ussd_limits(network_code: str) -> UssdLimits:
    """Returns the limits of a network; those of the strictest for a code that is not known."""
    return _LIMITS.get(network_code, _STRICTEST)


def is_international(number: str) -> bool:
    """Tells whether a number has a plus sign and its country code."""
    return _INTERNATIONAL.fullmatch(number) is not None
