"""Sends through the AT adapter; its refusals become failures of the node."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc

from njia.at_adapter.v1 import at_adapter_service_pb2 as pb
from rpc.deadlines import call_timeout
from rpc.status import Refusal, refusal_of
from workflow.errors import ErrorType, NodeError, NodeFailure
from workflow.ports import SmsRecipient, SmsRequest

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub

CALL_SECONDS = 30.0

UNDER_WAY = "SEND_IN_PROGRESS"
"""What the adapter says of a key whose first send has no answer yet."""

ASK_AGAIN_MS = 500

NOTHING_SENT = "STORE_UNAVAILABLE"
"""What the adapter says when it cannot note a send before it begins; to a flow this is a NETWORK_ERROR."""

UNREACHABLE = {
    # The adapter itself does not answer: nothing is known of the send, but its key makes a repeat harmless.
    grpc.StatusCode.UNAVAILABLE: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.ABORTED: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.CANCELLED: ("NETWORK_ERROR", ErrorType.TRANSIENT),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("RATE_LIMIT", ErrorType.RATE_LIMIT),
}
"""What a refusal means that does not say its type: it comes from the way, not from the adapter."""


class AtAdapterSms:
    """See workflow.ports.SmsSender."""

    def __init__(self, stub: "AtAdapterServiceAsyncStub") -> None:
        self._stub = stub

    async def send(self, request: SmsRequest) -> Sequence[SmsRecipient]:
        message = pb.SendSmsRequest(
            idempotency_key=request.idempotency_key,
            to=request.to,
            message=request.message,
            sender=request.sender,
            enqueue=request.enqueue,
        )
        if request.premium is not None:
            message.premium.keyword = request.premium.keyword
            message.premium.link_id = request.premium.link_id
        response = await self._answer(message)
        return [
            SmsRecipient(row.number, row.status, row.status_code, row.message_id, row.cost)
            for row in response.recipients
        ]

    async def _answer(self, message: pb.SendSmsRequest) -> pb.SendSmsResponse:
        """
        Asks until there is an answer. An engine that died may have begun the same send: it is under way until the
        adapter has its answer, or gives it up. Whoever awaits this sets the limit.
        """
        while True:
            try:
                return await self._stub.SendSms(message, timeout=call_timeout(CALL_SECONDS))
            except grpc.aio.AioRpcError as error:
                refusal = refusal_of(error)
            if refusal.reason != UNDER_WAY:
                raise _failure(refusal)
            await asyncio.sleep((refusal.retry_after_ms or ASK_AGAIN_MS) / 1000)


def _failure(refusal: Refusal) -> NodeFailure:
    written = refusal.metadata.get("type")
    if written in set(ErrorType):
        code, kind = "NETWORK_ERROR" if refusal.reason == NOTHING_SENT else refusal.reason, ErrorType(written)
    else:
        code, kind = UNREACHABLE.get(refusal.code, (refusal.reason, ErrorType.PERMANENT))
    details = {key: value for key, value in refusal.metadata.items() if key != "type"}
    return NodeFailure(NodeError(code, refusal.message, kind, details), refusal.retry_after_ms)
