"""Between the messages of airtime and payments and the adapter's own orders."""

from njia.at_adapter.v1 import money_pb2 as pb
from rpc.status import FieldViolation
from services.at_adapter.outgoing.airtime import AirtimeOrder
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.money import Money
from services.at_adapter.outgoing.payments import PaymentOrder, PaymentType, RefundOrder

_TYPES = {
    pb.PAYMENT_TYPE_CHECKOUT: PaymentType.CHECKOUT,
    pb.PAYMENT_TYPE_B2C: PaymentType.B2C,
    pb.PAYMENT_TYPE_B2B: PaymentType.B2B,
}


def airtime_order(request: pb.SendAirtimeRequest) -> AirtimeOrder:
    """Reads an airtime order."""
    return AirtimeOrder(request.number, _money(request.amount))


def payment_order(request: pb.RequestPaymentRequest) -> PaymentOrder:
    """Reads a payment order. Raises SendRefused (INVALID_REQUEST) when it has no type."""
    payment_type = _TYPES.get(request.type)
    if payment_type is None:
        violation = FieldViolation("type", "checkout, b2c or b2b")
        raise SendRefused(Fault.INVALID_REQUEST, "the payment has no type", violations=(violation,))
    return PaymentOrder(
        type=payment_type,
        product_name=request.product_name,
        number=request.number,
        money=_money(request.amount),
        metadata=dict(request.metadata),
        provider_channel=request.provider_channel,
        provider=request.provider,
        destination_account=request.destination_account,
    )


def refund_order(request: pb.RefundPaymentRequest) -> RefundOrder:
    """Reads a refund order."""
    money = _money(request.amount) if request.HasField("amount") else None
    return RefundOrder(request.transaction_id, money, request.reason, dict(request.metadata))


def _money(message: pb.Money) -> Money:
    return Money(message.currency, message.amount)
