"""Calls of services for a request: a deadline always, and refusals as HTTP errors."""

from collections.abc import Awaitable
from typing import TypeVar

import grpc

from gateway.errors import refused
from rpc.status import refusal_of

CALL_SECONDS = 10.0
"""Deadline of every call that does not run a flow."""

EXECUTE_SECONDS = 70.0
"""Deadline of a call that runs a flow: the longest waitMs and a margin."""

T = TypeVar("T")


async def answer_of(call: Awaitable[T]) -> T:
    """Awaits a call. Raises HttpError when the service refused it."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise refused(refusal_of(error)) from None
