"""Sends SMS through the AT adapter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from njia.at_adapter.v1 import at_adapter_service_pb2 as pb
from services.engine.adapters.at_adapter_calls import UNKNOWN_AFTER_SECONDS, answer_of
from workflow.ports import SmsRecipient, SmsRequest

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub


class AtAdapterSms:
    """See workflow.ports.SmsSender. `unknown_after_seconds` is UNKNOWN_AFTER_SECONDS but in tests."""

    def __init__(self, stub: "AtAdapterServiceAsyncStub", unknown_after_seconds: float = UNKNOWN_AFTER_SECONDS) -> None:
        self._stub = stub
        self._unknown_after_seconds = unknown_after_seconds

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
        response: pb.SendSmsResponse = await answer_of(
            self._stub.SendSms,
            message,
            may_have_begun=request.may_have_begun,
            unknown_after_seconds=self._unknown_after_seconds,
        )
        return [
            SmsRecipient(row.number, row.status, row.status_code, row.message_id, row.cost)
            for row in response.recipients
        ]
