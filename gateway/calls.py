"""Calls of services for a request: a deadline always, and refusals as HTTP errors."""

from typing import TypeVar

import grpc
from google.protobuf.message import Message

from gateway.errors import HttpError, refused
from rpc.deadlines import call_timeout
from rpc.guard import API_KEY_REQUIRED, SCOPE_MISSING
from rpc.limits import MAX_MESSAGE_BYTES
from rpc.status import refusal_of

CALL_SECONDS = 10.0
"""Deadline of every call that does not run a flow."""

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


def failed(error: grpc.aio.AioRpcError) -> HttpError:
    """Returns what a call that a service refused is over HTTP."""
    refusal = refusal_of(error)
    if refusal.reason in {API_KEY_REQUIRED, SCOPE_MISSING}:
        # The caller was let in; it is the gateway that was not.
        message = "a service does not accept the gateway's key: NJIA_SERVICE_KEY must be the same everywhere"
        return HttpError(503, "Service unavailable", message, "SERVICE_KEY_REFUSED", headers={"Retry-After": "1"})
    return refused(refusal)


async def answer_of(
    method: "grpc.aio.UnaryUnaryMultiCallable[Q, A]", request: Q, within_seconds: float = CALL_SECONDS
) -> A:
    """Calls a service. Raises HttpError when it refuses, or when the request is larger than a message may be."""
    if request.ByteSize() > MAX_MESSAGE_BYTES:
        message = f"what the body holds takes more than {MAX_MESSAGE_BYTES} bytes inside of the platform"
        raise HttpError(413, "Body too large", message, "BODY_TOO_LARGE")
    try:
        return await method(request, timeout=call_timeout(within_seconds))
    except grpc.aio.AioRpcError as error:
        raise failed(error) from None
