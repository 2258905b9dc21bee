"""The engine as the callbacks see it: calls with a deadline that survive a restart of the engine."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

RECONNECT_WITHIN_SECONDS = 2.5
"""How long a call is repeated while nobody answers: longer than an engine takes to restart and a channel to find it."""

RECONNECT_PAUSE_SECONDS = 0.2

LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
"""How gRPC words that a call has no answer: nobody was there, or an engine ended in the middle of it."""

Answer = TypeVar("Answer")


async def call_engine(call: Callable[..., Awaitable[Answer]], request: Any, timeout_seconds: float) -> Answer:
    """
    Makes one call, repeated while the engine is unreachable. Every callback may be repeated: the engine runs
    nothing twice.

    Args:
        call: An RPC of the engine's stub.
        request: Its request.
        timeout_seconds: For all attempts together.

    Raises:
        grpc.aio.AioRpcError: The engine refused the last attempt or did not answer it.
    """
    started = time.monotonic()
    while True:
        left_seconds = max(0.001, started + timeout_seconds - time.monotonic())
        try:
            return await call(request, timeout=left_seconds)
        except grpc.aio.AioRpcError as error:
            gave_up = time.monotonic() + RECONNECT_PAUSE_SECONDS > started + min(
                RECONNECT_WITHIN_SECONDS, timeout_seconds
            )
            if error.code() not in LOST or gave_up:
                raise
        await asyncio.sleep(RECONNECT_PAUSE_SECONDS)
