"""Airtime and payments through the AT adapter."""

from typing import TYPE_CHECKING

from njia.at_adapter.v1 import money_pb2 as pb
from services.engine.adapters.at_adapter_calls import UNKNOWN_AFTER_SECONDS, answer_of
from workflow.ports import AirtimeReceipt, AirtimeRequest, PaymentReceipt, PaymentRequest, RefundRequest

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub

_TYPES = {
    "checkout": pb.PAYMENT_TYPE_CHECKOUT,
    "b2c": pb.PAYMENT_TYPE_B2C,
    "b2b": pb.PAYMENT_TYPE_B2B,
}


class AtAdapterAirtime:
    """See workflow.ports.AirtimeSender. `unknown_after_seconds` is UNKNOWN_AFTER_SECONDS but in tests."""

    def __init__(self, stub: "AtAdapterServiceAsyncStub", unknown_after_seconds: float = UNKNOWN_AFTER_SECONDS) -> None:
        self._stub = stub
        self._unknown_after_seconds = unknown_after_seconds

    async def send(self, request: AirtimeRequest) -> AirtimeReceipt:
        message = pb.SendAirtimeRequest(
            idempotency_key=request.idempotency_key,
            number=request.number,
            amount=pb.Money(currency=request.currency, amount=request.amount),
        )
        response: pb.SendAirtimeResponse = await answer_of(
            self._stub.SendAirtime,
            message,
            may_have_begun=request.may_have_begun,
            unknown_after_seconds=self._unknown_after_seconds,
        )
        return AirtimeReceipt(response.request_id, response.status, response.amount, response.discount)


class AtAdapterPayments:
    """See workflow.ports.PaymentGateway. `unknown_after_seconds` is UNKNOWN_AFTER_SECONDS but in tests."""

    def __init__(self, stub: "AtAdapterServiceAsyncStub", unknown_after_seconds: float = UNKNOWN_AFTER_SECONDS) -> None:
        self._stub = stub
        self._unknown_after_seconds = unknown_after_seconds

    async def request(self, request: PaymentRequest) -> PaymentReceipt:
        message = pb.RequestPaymentRequest(
            idempotency_key=request.idempotency_key,
            type=_TYPES[request.type],
            product_name=request.product_name,
            number=request.number,
            amount=pb.Money(currency=request.currency, amount=request.amount),
            metadata=request.metadata,
            provider_channel=request.provider_channel,
            provider=request.provider,
            destination_account=request.destination_account,
        )
        response: pb.RequestPaymentResponse = await answer_of(
            self._stub.RequestPayment,
            message,
            may_have_begun=request.may_have_begun,
            unknown_after_seconds=self._unknown_after_seconds,
        )
        return PaymentReceipt(response.transaction_id, response.status)

    async def refund(self, request: RefundRequest) -> PaymentReceipt:
        message = pb.RefundPaymentRequest(
            idempotency_key=request.idempotency_key,
            transaction_id=request.transaction_id,
            amount=pb.Money(currency=request.currency, amount=request.amount) if request.amount else None,
            reason=request.reason,
            metadata=request.metadata,
        )
        response: pb.RefundPaymentResponse = await answer_of(
            self._stub.RefundPayment,
            message,
            may_have_begun=request.may_have_begun,
            unknown_after_seconds=self._unknown_after_seconds,
        )
        return PaymentReceipt(response.transaction_id, response.status)
