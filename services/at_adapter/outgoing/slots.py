"""Bounds how many sends are under way in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rpc.deadlines import call_timeout
from services.at_adapter.outgoing.faults import Fault, SendRefused

LONGEST_WAIT_SECONDS = 10.0
RETRY_AFTER_MS = 1000


class SendSlots:
    """
    So many sends at once, so many more waiting in line; whoever comes after that is refused at once.

    Args:
        concurrent: Sends at once.
        queued: Callers that may wait for a place.
    """

    def __init__(self, concurrent: int, queued: int) -> None:
        self._places = asyncio.Semaphore(concurrent)
        self._queued = queued
        self._waiting = 0
        self._under_way = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._waiting

    @property
    def under_way(self) -> int:
        """How many hold a place."""
        return self._under_way

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """
        Holds a place for as long as the block runs.

        Raises:
            SendRefused: RATE_LIMIT when the line is full, or no place came free within the deadline of the call being
                served or LONGEST_WAIT_SECONDS.
        """
        await self._take()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._places.release()

    async def _take(self) -> None:
        if self._places.locked() and self._waiting >= self._queued:
            raise _full()
        self._waiting += 1
        try:
            async with asyncio.timeout(call_timeout(LONGEST_WAIT_SECONDS)):
                await self._places.acquire()
        except TimeoutError:
            raise _full() from None
        finally:
            self._waiting -= 1


def _full() -> SendRefused:
    return SendRefused(
        Fault.RATE_LIMIT, "too many sends are under way in this adapter; try again", retry_after_ms=RETRY_AFTER_MS
    )
