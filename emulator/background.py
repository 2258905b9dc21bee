"""Work that goes on after a request was answered, with a bound on how much of it there may be."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """
    A bounded set of tasks that end with the process.

    Args:
        limit: Most tasks at a time; what comes beyond is dropped and logged, as a network drops what it cannot carry.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """Starts the work and returns True, or drops it and returns False when the set is full."""
        if len(self._tasks) >= self._limit:
            work.close()
            log.warning("background work dropped", work=name, limit=self._limit)
            return False
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    async def stop(self) -> None:
        """Cancels all work and waits until it ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", work=task.get_name(), exc_info=error)
