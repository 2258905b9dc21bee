"""What somebody who mistyped a name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100
"""Longer words are no typing mistakes, and comparing them takes long."""


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Returns `; did you mean to?` with the closest name, or nothing when none is close."""
    if len(word) > _LONGEST:
        return ""
    by_lower = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
