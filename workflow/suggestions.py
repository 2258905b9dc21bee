"""What somebody who mistyped a name may have meant."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches

MOST = 10_000
"""
Comparisons that are made for one flow, each of a mistyped name with one that there is; some tenth of a millisecond
each. Ten mistakes in a flow of 1000 nodes are told of in full.
"""

_LONGEST = 100
"""Longer words are no typing mistakes, and comparing them takes long."""

LIKELY = 0.6
"""How alike a word and a name are at least, from 0 to 1, for the name to be worth a hint."""

HARDLY_ANOTHER = 0.8
"""Likewise, where the word may well be a name of its own: one letter in five is wrong at most."""

_left: ContextVar[int | None] = ContextVar("left", default=None)


@contextmanager
def few_suggestions() -> Iterator[None]:
    """Makes MOST comparisons inside, and no more."""
    outside = _left.set(MOST)
    try:
        yield
    finally:
        _left.reset(outside)


def did_you_mean(word: str, names: Iterable[str], *, alike: float = LIKELY) -> str:
    """Returns `; did you mean to?` with the closest name, or nothing when none is as much alike."""
    left = _left.get()
    if len(word) > _LONGEST or left == 0:
        return ""
    by_lower = {name.lower(): name for name in names}
    if left is not None:
        _left.set(max(0, left - len(by_lower)))
    begun = [name for lower, name in by_lower.items() if lower.startswith(f"{word.lower()}_")]
    if len(begun) == 1:
        return f"; did you mean {begun[0]}?"
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=alike)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
