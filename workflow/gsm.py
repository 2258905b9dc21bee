"""
How much room a text takes on a GSM network.

Source: GSM 03.38 (3GPP TS 23.038) for the alphabet, 3GPP TS 23.040 for the split of long messages.
"""

from dataclasses import dataclass
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of the basic table: one septet each."""

EXTENSION = frozenset("\f^{}\\[~]|€")
"""Characters of the extension table: an escape and a septet, so two each."""

SINGLE_GSM7, PART_GSM7 = 160, 153
SINGLE_UCS2, PART_UCS2 = 70, 67


@dataclass(frozen=True, slots=True)
class SmsSize:
    """
    The size of an SMS.

    Attributes:
        encoding: GSM7 when every character is in the alphabet, else UCS2.
        units: Septets (GSM7) or 16-bit units (UCS2).
        segments: Messages that the network sends; at least 1.
    """

    encoding: Literal["GSM7", "UCS2"]
    units: int
    segments: int


def septets(text: str) -> int | None:
    """Returns the septets that `text` takes in the GSM 7-bit alphabet, None when a character is not in it."""
    total = 0
    for character in text:
        if character in BASIC:
            total += 1
        elif character in EXTENSION:
            total += 2
        else:
            return None
    return total


def strange_character(text: str) -> str | None:
    """Returns the first character that is not in the GSM 7-bit alphabet, None when all are."""
    return next((character for character in text if septets(character) is None), None)


def ucs2_units(text: str) -> int:
    """Returns the 16-bit units that `text` takes in UCS-2; characters beyond the first plane take two."""
    return len(text.encode("utf-16-be")) // 2


def sms_segments(text: str, encoding: Literal["GSM7", "UCS2", "auto"] = "auto") -> SmsSize:
    """Measures an SMS. UCS2 forces that encoding; GSM7 and auto fall back to it where a character needs it."""
    units = septets(text) if encoding != "UCS2" else None
    if units is not None:
        return SmsSize("GSM7", units, _gsm7_parts(text, units))
    wide = ucs2_units(text)
    return SmsSize("UCS2", wide, 1 if wide <= SINGLE_UCS2 else _parts([_width(c) for c in text], PART_UCS2))


def _gsm7_parts(text: str, units: int) -> int:
    if units <= SINGLE_GSM7:
        return 1
    return _parts([2 if character in EXTENSION else 1 for character in text], PART_GSM7)


def _width(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _parts(widths: list[int], room: int) -> int:
    """Counts the parts of a long message; a character of two units is never split between two parts."""
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
