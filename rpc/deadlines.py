"""The deadline of the call being served, passed on to every call made for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SHORTEST_TIMEOUT_SECONDS = 0.001
"""A call whose deadline has passed is still given a positive time-out, so that it fails as DEADLINE_EXCEEDED."""

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def call_timeout(default_seconds: float) -> float:
    """
    Returns the time-out of an outgoing call, seconds.

    Args:
        default_seconds: The time-out where the call being served leaves more, or has no deadline.
    """
    deadline = _deadline.get()
    if deadline is None:
        return default_seconds
    return max(SHORTEST_TIMEOUT_SECONDS, min(default_seconds, deadline - time.monotonic()))


def set_remaining(seconds: float | None) -> None:
    """Says how long the call that this task serves may take; None means without end."""
    _deadline.set(None if seconds is None else time.monotonic() + seconds)


def deadline_passed() -> bool:
    """Tells whether the call being served has run out of time."""
    deadline = _deadline.get()
    return deadline is not None and deadline <= time.monotonic()


@contextmanager
def no_deadline() -> Iterator[None]:
    """
    Frees what happens inside from the deadline of the call being served.

    A task takes over the context that it is created in. Work that outlives its call (the tail of a turn) is
    therefore to be created inside of this, or its calls run out of time together with the call.
    """
    token = _deadline.set(None)
    try:
        yield
    finally:
        _deadline.reset(token)
