"""The end of tasks in the background."""

import asyncio
from contextlib import nullcontext, suppress

import pytest

from rpc.tasks import end_task


async def test_a_loop_that_loses_a_cancellation_ends_all_the_same() -> None:
    lost: list[int] = []

    async def loop() -> None:
        while True:
            # As asyncio.wait_for of Python 3.11 does when the result is there at the same moment.
            with suppress(asyncio.CancelledError) if not lost else nullcontext():
                await asyncio.sleep(60)
            lost.append(1)

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await end_task(task)

    assert task.cancelled()
    assert lost == [1]


async def test_the_error_of_a_task_that_had_ended_is_raised() -> None:
    async def fails() -> None:
        raise ValueError("no good")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])

    with pytest.raises(ValueError, match="no good"):
        await end_task(task)
