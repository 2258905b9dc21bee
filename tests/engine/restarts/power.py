"""The power supply of an engine: it fails at a chosen moment, and nothing of that engine runs on."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from services.engine.core.ports import Journal
from services.engine.store.execution_store import TakenUp

T = TypeVar("T")

STORE_WRITES = frozenset(
    {
        "begin_turn",
        "begin_on_session",
        "create",
        "take_up",
        "answer_late",
        "offer",
        "continue_with",
        "end_session",
        "signal",
        "claim_key",
        "hand_over",
        "settled",
        "report",
    }
)
JOURNAL_WRITES = frozenset({"write", "confirm"})


@dataclass(frozen=True)
class Cut:
    """
    When the power fails.

    Attributes:
        number: At which write of the engine, from 1.
        behind: Right behind it; else right before it, so that it is not done but what led to it is.
    """

    number: int
    behind: bool


class Power:
    """Counts what an engine makes durable or sends; `failed` is set when it is cut off."""

    def __init__(self, cut: Cut | None) -> None:
        self.writes = 0
        self.failed = asyncio.Event()
        self._cut = cut

    async def write(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does one more write. Never returns when the power fails on it."""
        await self.check()
        self.writes += 1
        is_last = self._cut is not None and self.writes == self._cut.number
        if is_last and self._cut is not None and not self._cut.behind:
            await self._fail()
        try:
            return await work()
        finally:
            if is_last:
                await self._fail()

    async def check(self) -> None:
        """Never returns once the power has failed."""
        if self.failed.is_set():
            await asyncio.get_running_loop().create_future()

    async def _fail(self) -> None:
        self.failed.set()
        await self.check()


class Powered:
    """A part of an engine, or its way to the outside: the calls in `writes` count, none goes on without power."""

    def __init__(self, part: Any, power: Power, writes: Collection[str]) -> None:
        self._part = part
        self._power = power
        self._writes = writes

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._part, name)

        async def call(*args: Any) -> Any:
            if name not in self._writes:
                await self._power.check()
                return await method(*args)
            answer = await self._power.write(lambda: method(*args))
            if isinstance(answer, TakenUp):
                journal = Powered(answer.journal, self._power, JOURNAL_WRITES)
                return replace(answer, journal=cast("Journal", journal))
            return answer

        return call
