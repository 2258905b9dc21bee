"""Follows executions as they go on. The journal is what is looked at, so it does not matter which engine runs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from services.engine.core.state import ExecutionState, NodeResult
from services.engine.errors import EngineStopping, ExecutionNotFound, TooManyWatchers
from services.engine.store.execution_store import ExecutionStore

MAX_WATCHERS = 200
"""Streams that one engine serves at once; each looks at Redis at most twenty times a second, once when it is quiet."""

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """
    Something that happened.

    Attributes:
        sequence: Node results so far.
        what: What a node answered, or how the execution stands.
    """

    sequence: int
    what: NodeResult | ExecutionState


class Watches:
    """The streams of this engine."""

    def __init__(self, store: ExecutionStore) -> None:
        self._store = store
        self._watchers = 0
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ends all streams, for their readers to go on by another engine."""
        self._stopping.set()

    async def follow(self, execution_id: str, after: int) -> AsyncIterator[Seen]:
        """
        Yields what happens from behind so many node results on, until the execution has ended.

        Raises ExecutionNotFound, TooManyWatchers, EngineStopping, StoreUnavailable.
        """
        if self._watchers >= MAX_WATCHERS:
            raise TooManyWatchers(MAX_WATCHERS)
        self._watchers += 1
        try:
            async for seen in self._followed(execution_id, after):
                yield seen
        finally:
            self._watchers -= 1

    async def _followed(self, execution_id: str, after: int) -> AsyncIterator[Seen]:
        shown: tuple[object, ...] = ()
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            found = await self._store.results_behind(execution_id, after)
            if found is None:
                raise ExecutionNotFound(execution_id)
            state, results = found
            for result in results:
                after += 1
                yield Seen(after, result)
            stands = (state.status, *((node, wait.kind, wait.expires_at_ms) for node, wait in state.waits.items()))
            is_news = bool(results) or stands != shown
            if stands != shown:
                yield Seen(after, state)
                shown = stands
            if state.ended:
                return
            pause = FIRST_PAUSE_SECONDS if is_news else min(2 * pause, LONGEST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
        raise EngineStopping("go on behind the last sequence")
