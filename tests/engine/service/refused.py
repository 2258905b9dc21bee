"""How these tests read refusals."""

from collections.abc import Awaitable
from typing import Any

import grpc

from rpc.status import Refusal, refusal_of


async def refused(call: Awaitable[Any]) -> Refusal:
    """Awaits a call that must fail and returns what it said."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    raise AssertionError(f"the call was answered: {answer}")
