"""The gRPC face of the adapter: unpack, await, pack."""

from typing import Any

import grpc

from njia.at_adapter.v1.at_adapter_service_pb2 import SendSmsRequest, SendSmsResponse, SmsRecipient
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceServicer
from njia.at_adapter.v1.voice_pb2 import PlaceCallRequest, PlaceCallResponse
from services.at_adapter.once import SendOnce
from services.at_adapter.outgoing.calls import CallOrder, CallReceipt
from services.at_adapter.outgoing.sms import Premium, SmsOrder, SmsReceipt


class AtAdapterServicer(AtAdapterServiceServicer):
    """Serves njia.at_adapter.v1.AtAdapterService."""

    def __init__(
        self, sms: SendOnce[SmsOrder, SmsReceipt], calls: SendOnce[CallOrder, CallReceipt], voice_number: str
    ) -> None:
        self._sms = sms
        self._calls = calls
        self._voice_number = voice_number

    async def SendSms(self, request: SendSmsRequest, _: "grpc.aio.ServicerContext[Any, Any]") -> SendSmsResponse:
        """See the contract."""
        return _response(await self._sms.send(request.idempotency_key, _order(request)))

    async def PlaceCall(self, request: PlaceCallRequest, _: "grpc.aio.ServicerContext[Any, Any]") -> PlaceCallResponse:
        """See the contract."""
        order = CallOrder(request.to, request.caller_id or self._voice_number)
        receipt = await self._calls.send(request.idempotency_key, order)
        return PlaceCallResponse(session_id=receipt.session_id, status=receipt.status)


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
