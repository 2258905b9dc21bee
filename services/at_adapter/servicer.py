"""The gRPC face of the adapter: unpack, await, pack."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from njia.at_adapter.v1.at_adapter_service_pb2 import SendSmsRequest, SendSmsResponse, SmsRecipient
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceServicer
from njia.at_adapter.v1.consent_pb2 import (
    LiftOptOutRequest,
    LiftOptOutResponse,
    ListOptOutsRequest,
    ListOptOutsResponse,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
)
from njia.at_adapter.v1.money_pb2 import (
    GetCallbackAccessRequest,
    GetCallbackAccessResponse,
    RefundPaymentRequest,
    RefundPaymentResponse,
    RequestPaymentRequest,
    RequestPaymentResponse,
    SendAirtimeRequest,
    SendAirtimeResponse,
)
from njia.at_adapter.v1.voice_pb2 import PlaceCallRequest, PlaceCallResponse
from services.at_adapter.consent.opt_outs import OptOuts
from services.at_adapter.consent.subscriptions import Subscriptions
from services.at_adapter.money_messages import airtime_order, payment_order, refund_order
from services.at_adapter.once import SendOnce
from services.at_adapter.outgoing.airtime import AirtimeOrder, AirtimeReceipt
from services.at_adapter.outgoing.calls import CallOrder, CallReceipt
from services.at_adapter.outgoing.numbers import check_number
from services.at_adapter.outgoing.payments import PaymentOrder, PaymentReceipt, RefundOrder
from services.at_adapter.outgoing.sms import Premium, SmsOrder, SmsReceipt

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@dataclass(frozen=True, slots=True)
class Consent:
    """Who wants messages and who does not."""

    opt_outs: OptOuts
    subscriptions: Subscriptions


class AtAdapterServicer(AtAdapterServiceServicer):
    """Serves njia.at_adapter.v1.AtAdapterService."""

    def __init__(
        self,
        consent: Consent,
        sms: SendOnce[SmsOrder, SmsReceipt],
        calls: SendOnce[CallOrder, CallReceipt],
        airtime: SendOnce[AirtimeOrder, AirtimeReceipt],
        payments: SendOnce[PaymentOrder, PaymentReceipt],
        refunds: SendOnce[RefundOrder, PaymentReceipt],
        *,
        voice_number: str,
        callbacks_are_protected: bool,
    ) -> None:
        self._consent = consent
        self._sms = sms
        self._calls = calls
        self._airtime = airtime
        self._payments = payments
        self._refunds = refunds
        self._voice_number = voice_number
        self._callbacks_are_protected = callbacks_are_protected

    async def SendSms(self, request: SendSmsRequest, _: Context) -> SendSmsResponse:
        """See the contract."""
        return _response(await self._sms.send(request.idempotency_key, _order(request)))

    async def PlaceCall(self, request: PlaceCallRequest, _: Context) -> PlaceCallResponse:
        """See the contract."""
        order = CallOrder(request.to, request.caller_id or self._voice_number)
        receipt = await self._calls.send(request.idempotency_key, order)
        return PlaceCallResponse(session_id=receipt.session_id, status=receipt.status)

    async def SendAirtime(self, request: SendAirtimeRequest, _: Context) -> SendAirtimeResponse:
        """See the contract."""
        receipt = await self._airtime.send(request.idempotency_key, airtime_order(request))
        return SendAirtimeResponse(
            request_id=receipt.request_id, status=receipt.status, amount=receipt.amount, discount=receipt.discount
        )

    async def RequestPayment(self, request: RequestPaymentRequest, _: Context) -> RequestPaymentResponse:
        """See the contract."""
        receipt = await self._payments.send(request.idempotency_key, payment_order(request))
        return RequestPaymentResponse(
            transaction_id=receipt.transaction_id, status=receipt.status, description=receipt.description
        )

    async def RefundPayment(self, request: RefundPaymentRequest, _: Context) -> RefundPaymentResponse:
        """See the contract."""
        receipt = await self._refunds.send(request.idempotency_key, refund_order(request))
        return RefundPaymentResponse(transaction_id=receipt.transaction_id, status=receipt.status)

    async def GetCallbackAccess(self, _request: GetCallbackAccessRequest, _: Context) -> GetCallbackAccessResponse:
        """See the contract."""
        return GetCallbackAccessResponse(protected=self._callbacks_are_protected)

    async def ListOptOuts(self, request: ListOptOutsRequest, _: Context) -> ListOptOutsResponse:
        """See the contract."""
        page = await self._consent.opt_outs.page(request.sender, request.page_size, request.page_token)
        response = ListOptOutsResponse(next_page_token=page.next_token, senders=await self._consent.opt_outs.senders())
        for opt_out in page.items:
            response.opt_outs.add(number=opt_out.number).opted_out_at.FromMilliseconds(opt_out.at_ms)
        return response

    async def LiftOptOut(self, request: LiftOptOutRequest, _: Context) -> LiftOptOutResponse:
        """See the contract."""
        check_number(request.number, "number")
        return LiftOptOutResponse(lifted=await self._consent.opt_outs.lift(request.sender, request.number))

    async def ListSubscriptions(self, request: ListSubscriptionsRequest, _: Context) -> ListSubscriptionsResponse:
        """See the contract."""
        page = await self._consent.subscriptions.page(
            request.short_code, request.keyword, request.page_size, request.page_token
        )
        response = ListSubscriptionsResponse(next_page_token=page.next_token)
        for known in page.items:
            added = response.subscriptions.add(number=known.number, update_type=known.update)
            added.updated_at.FromMilliseconds(known.at_ms)
        return response


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
