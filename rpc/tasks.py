"""The end of tasks that run in the background."""

import asyncio

CANCEL_AGAIN_SECONDS = 0.2


async def end_task(task: "asyncio.Task[None]") -> None:
    """
    Cancels a task and returns when it has ended; an error that it ended with is raised.

    It is cancelled more than once where it must be. Up to Python 3.11, asyncio.wait_for drops a cancellation that
    comes together with its result. The Redis client waits in that way, so a loop around it could go on for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_SECONDS)
    if not task.cancelled():
        task.result()
