"""Masks phone numbers, so that none stands in clear in logs and spans."""

import re
from typing import Any

_SHOWN_AT_START = 5
_SHOWN_AT_END = 3
_LEAST_MASKED = 5

_LOOKS_LIKE_A_NUMBER = re.compile(
    r"""
    (?:\+|%2[Bb])\d(?:[ -]?\d){6,14}        # international: +254711000001, +254 711 000-001, %2B254711000001
    |
    (?<![A-Za-z0-9_.-])\d{9,15}(?![A-Za-z0-9_-]|\.\d)   # bare digits that are no part of an id, a date or a decimal
    """,
    re.VERBOSE,
)


def mask_msisdn(msisdn: str) -> str:
    """
    Returns a phone number with its middle masked: "+2547*****001" of "+254711000001".

    At least five characters are masked; a text too short for that is masked whole.
    """
    masked = max(_LEAST_MASKED, len(msisdn) - _SHOWN_AT_START - _SHOWN_AT_END)
    start = len(msisdn) - _SHOWN_AT_END - masked
    if start < 0:
        return "*" * len(msisdn)
    return f"{msisdn[:start]}{'*' * masked}{msisdn[-_SHOWN_AT_END:]}"


def mask_text(text: str) -> str:
    """Returns a text with everything masked that looks like a phone number."""
    return _LOOKS_LIKE_A_NUMBER.sub(lambda found: mask_msisdn(found.group()), text)


def mask_value(value: Any) -> Any:
    """Returns a value with every text in it masked; lists, tuples and dictionaries are gone through."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {mask_value(key): mask_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(part) for part in value]
    if isinstance(value, bytes):
        return mask_text(value.decode(errors="replace"))
    if value is None or isinstance(value, bool | int | float):
        return value
    # Exceptions, enums and other objects are logged as their text, so that is what is masked.
    return mask_text(str(value))
