"""How an answer is read that a person typed on a phone."""

import unicodedata


def as_meant(typed: str) -> str:
    """Returns what was typed without blanks around it, which keypads add, and with digits of any script as 0 to 9."""
    if not typed.isascii():
        typed = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in typed)
    return typed.strip()
