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

_left: ContextVar[int | None] = ContextVar("left", default=None)


@contextmanager
def few_suggestions() -> Iterator[None]:
    """Makes MOST comparisons inside, and no more."""
    outside = _left.set(MOST)
    try:
        yield
    finally:
        _left.reset(outside)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Returns `; did you mean to?` with the closest name, or nothing when none is close."""
    left = _left.get()
    if len(word) > _LONGEST or left == 0:
        return ""
    by_lower = {name.lower(): name for name in names}
    if left is not None:
        _left.set(max(0, left - len(by_lower)))
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
