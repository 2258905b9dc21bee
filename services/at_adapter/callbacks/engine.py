"""The engine as the callbacks see it: calls with a deadline that survive a restart of the engine."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

from rpc.status import refusal_of

REPEAT_WITHIN_SECONDS = 5.0
"""
A call without an answer is made again for so long after it was lost first. Each attempt waits for a connection besides
(rpc.patient_channel): whoever holds a phone is better served by a screen that comes late than by a sentence that ends
the session.
"""

REPEAT_PAUSE_SECONDS = 0.1

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
    until = time.monotonic() + timeout_seconds
    repeated_until: float | None = None
    while True:
        left_seconds = max(0.001, until - time.monotonic())
        try:
            return await call(request, timeout=left_seconds)
        except grpc.aio.AioRpcError as error:
            now = time.monotonic()
            # Counted from here: an engine may hand over a screen that was waited for already.
            repeated_until = repeated_until or min(until, now + REPEAT_WITHIN_SECONDS)
            if error.code() not in LOST or now > repeated_until:
                raise
        await asyncio.sleep(REPEAT_PAUSE_SECONDS)


def why_lost(error: Exception) -> str:
    """Returns the reason that the engine gave, or gRPC's code where it gave none; for the log."""
    return refusal_of(error).reason if isinstance(error, grpc.aio.AioRpcError) else repr(error)
