"""Calls of the AT adapter that send: repeated until the outcome is known; refusals become failures of the node."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc

from rpc.deadlines import call_timeout
from rpc.status import Refusal, refusal_of
from workflow.errors import OUTCOME_UNKNOWN, ErrorType, NodeError, NodeFailure, permanent

CALL_SECONDS = 30.0

UNDER_WAY = "SEND_IN_PROGRESS"
"""What the adapter says of a key whose first send has no answer yet."""

ASK_AGAIN_MS = 500

NOTHING_SENT = "STORE_UNAVAILABLE"
"""What the adapter says when it cannot note a send before it begins; to a flow this is a NETWORK_ERROR."""

NOBODY_THERE = (
    "failed to connect to all addresses",
    "connections to all backends failing",
    "empty address list",
    "errors resolving",
    "DNS resolution failed",
)
"""
How gRPC words that there was no connection to send the call over. Whatever else it says of a call that has no answer,
the adapter may have begun the send.
"""

BROKEN_OFF = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)
"""Statuses that gRPC itself gives to a call whose answer was lost."""

UNKNOWN_AFTER_SECONDS = 20.0
"""How long a send that may have begun is asked about before it is called unknown; less than a node's timeout."""

UNREACHABLE = {
    # The adapter itself does not answer, and nothing was sent.
    grpc.StatusCode.UNAVAILABLE: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.ABORTED: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.CANCELLED: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("RATE_LIMIT", ErrorType.RATE_LIMIT),
}
"""What a refusal means that does not say its type: it comes from the way, not from the adapter."""


async def answer_of(
    call: Callable[..., Any], message: Any, *, may_have_begun: bool, unknown_after_seconds: float
) -> Any:
    """
    Asks until there is an answer. An engine that died may have begun the same send: it is under way until the
    adapter has its answer. An adapter that died never has it, and no send takes as long as is asked here.

    A call that broke off may have begun the send too. Its key makes asking again harmless, and to say that nothing
    was sent would be a lie, so it is asked about until the adapter knows.

    Args:
        call: An RPC of the adapter's stub.
        message: Its request, with an idempotency key.
        may_have_begun: Whether an engine that is gone may have made the same call.
        unknown_after_seconds: How long a send that may have begun is asked about before it is called unknown.

    Raises:
        NodeFailure: The send was refused, or its outcome is unknown (SEND_OUTCOME_UNKNOWN).
    """
    unknown_from = time.monotonic() + unknown_after_seconds if may_have_begun else None
    while True:
        try:
            return await call(message, timeout=call_timeout(CALL_SECONDS))
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
        is_under_way = refusal.reason == UNDER_WAY
        if unknown_from is None and (is_under_way or _may_have_begun(refusal)):
            unknown_from = time.monotonic() + unknown_after_seconds
        if unknown_from is None or (_settles(refusal) and not is_under_way):
            raise _failure(refusal)
        if time.monotonic() > unknown_from:
            # An adapter that is there has its answer sooner: the one that was to keep it is gone.
            raise _unknown(refusal)
        await asyncio.sleep((refusal.retry_after_ms or ASK_AGAIN_MS) / 1000)


def _may_have_begun(refusal: Refusal) -> bool:
    """Whether the call was lost on its way, there or back."""
    nobody_said_it = refusal.reason == refusal.code.name
    return nobody_said_it and refusal.code in BROKEN_OFF and not refusal.message.startswith(NOBODY_THERE)


def _settles(refusal: Refusal) -> bool:
    """Whether the adapter looked at the key: then this is its answer to the send, whoever asked first."""
    says_type = "type" in refusal.metadata
    return says_type and refusal.reason != NOTHING_SENT and refusal.code is not grpc.StatusCode.RESOURCE_EXHAUSTED


def _unknown(refusal: Refusal) -> NodeFailure:
    message = f"the call of the adapter broke off and it does not answer since; it may have sent: {refusal.message}"
    return NodeFailure(permanent(OUTCOME_UNKNOWN, message))


def _failure(refusal: Refusal) -> NodeFailure:
    written = refusal.metadata.get("type")
    if written in set(ErrorType):
        code, kind = "NETWORK_ERROR" if refusal.reason == NOTHING_SENT else refusal.reason, ErrorType(written)
    else:
        code, kind = UNREACHABLE.get(refusal.code, (refusal.reason, ErrorType.PERMANENT))
    details = {key: value for key, value in refusal.metadata.items() if key != "type"}
    return NodeFailure(NodeError(code, refusal.message, kind, details), refusal.retry_after_ms)
