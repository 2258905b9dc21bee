"""How these tests wait for something."""

import asyncio
from collections.abc import Awaitable, Callable

WITHIN_SECONDS = 30.0
"""Shorter than a lease of these engines: what must not wait for one to run out is told apart from what does."""


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until the condition holds."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while not await condition():
            await asyncio.sleep(0.02)
