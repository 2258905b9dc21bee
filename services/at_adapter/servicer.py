"""The gRPC face of the adapter: unpack, await, pack."""

from typing import Any

import grpc

from njia.at_adapter.v1.at_adapter_service_pb2 import SendSmsRequest, SendSmsResponse, SmsRecipient
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceServicer
from services.at_adapter.once import SendOnce
from services.at_adapter.outgoing.sms import Premium, SmsOrder, SmsReceipt


class AtAdapterServicer(AtAdapterServiceServicer):
    """Serves njia.at_adapter.v1.AtAdapterService."""

    def __init__(self, sms: SendOnce[SmsOrder, SmsReceipt]) -> None:
        self._sms = sms

    async def SendSms(self, request: SendSmsRequest, _: "grpc.aio.ServicerContext[Any, Any]") -> SendSmsResponse:
        """See the contract."""
        return _response(await self._sms.send(request.idempotency_key, _order(request)))


def _order(request: SendSmsRequest) -> SmsOrder:
    premium = Premium(request.premium.keyword, request.premium.link_id) if request.HasField("premium") else None
    return SmsOrder(tuple(request.to), request.message, request.sender, request.enqueue, premium)


def _response(receipt: SmsReceipt) -> SendSmsResponse:
    return SendSmsResponse(
        recipients=[
            SmsRecipient(
                number=recipient.number,
                status=recipient.status,
                status_code=recipient.status_code,
                message_id=recipient.message_id,
                cost=recipient.cost,
            )
            for recipient in receipt.recipients
        ],
        summary=receipt.summary,
    )
