"""An event loop whose clock jumps to the next timer, so that hours pass in no time and nothing is left to luck."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

EPOCH_MS = 1_800_000_000_000
"""Unix time at which virtual time begins."""


class Stuck(BaseException):
    """Everything waits and no timer is left: in real time this would hang for ever."""


REAL_SECONDS = 30.0
"""A server that does not answer for so long, in real time, never will."""

LAST_SECOND = 20 * 24 * 3600.0
"""Nothing that a story tells takes so long: something asks again for ever."""


class _Jumping(selectors.SelectSelector):
    """Instead of waiting it moves the clock; while something real is awaited it waits, and the clock stands."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.awaited = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.awaited and timeout != 0:
            ready = super().select(REAL_SECONDS)
            if not ready:
                raise Stuck
            return ready
        if timeout is None:
            raise Stuck
        self.now += max(0.0, timeout)
        if self.now > LAST_SECOND:
            raise Stuck(f"this waits for ever: {asyncio.all_tasks()}")
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    @contextmanager
    def awaiting_something_real(self) -> Iterator[None]:
        """Lets no virtual time pass inside, as something answers there that lives in real time."""
        self._jumping.awaited += 1
        try:
            yield
        finally:
            self._jumping.awaited -= 1


def now_ms() -> int:
    """Unix time of the running loop."""
    return EPOCH_MS + round(asyncio.get_running_loop().time() * 1000)


def told(story: Coroutine[Any, Any, T]) -> T:
    """Runs a story to its end in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Makes a test of a story."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        told(test(*args, **kwargs))

    return run
