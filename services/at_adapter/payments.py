"""Requests payments and pays them back: what happens around one request."""

import structlog

from services.at_adapter.outgoing.exchange import Exchange
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.money import Money, money_of_units
from services.at_adapter.outgoing.payment_answers import read_payment_answer
from services.at_adapter.outgoing.payment_requests import PaymentRequests
from services.at_adapter.outgoing.payments import PaymentOrder, PaymentReceipt, PaymentType, RefundOrder
from services.at_adapter.outgoing.rate_limit import SendRate
from services.at_adapter.outgoing.request_keys import their_key
from services.at_adapter.records.payments import NotReserved, Payment, PaymentRecord, Reserved
from services.at_adapter.records.requested import Requested
from storage.connection import StoreUnavailable

_log = structlog.get_logger()


class Payments:
    """See SendOnce for `prepare` and `deliver`."""

    def __init__(
        self,
        requests: PaymentRequests,
        exchange: Exchange,
        rate: SendRate,
        requested: Requested,
        record: PaymentRecord,
    ) -> None:
        self._requests = requests
        self._exchange = exchange
        self._rate = rate
        self._requested = requested
        self._record = record

    async def prepare(self, key: str, order: PaymentOrder) -> None:
        """Asks the limit, and notes a payment of ours to a user: they may ask back whether it is ours."""
        await self._rate.admit()
        if order.type is PaymentType.B2C:
            await self._requested.note(key, order.number, order.money)

    async def deliver(self, key: str, order: PaymentOrder) -> PaymentReceipt:
        """Sends the request once and notes the payment. Raises SendRefused."""
        call = self._requests.request_for(key, their_key(key), order)
        receipt = await self._exchange.receipt(f"payment.{order.type}", call, read_payment_answer)
        payment = Payment(order.type, order.number, order.product_name, order.money)
        try:
            await self._record.note(receipt.transaction_id, payment, "")
        except StoreUnavailable:
            _log.warning("a payment is not in the record until its notification comes; no refund finds it before")
        return receipt


class Refunds:
    """Pays back by a payment to the user: Africa's Talking has no refund. See SendOnce for `prepare` and `deliver`."""

    def __init__(self, payments: Payments, record: PaymentRecord) -> None:
        self._payments = payments
        self._record = record

    async def prepare(self, key: str, order: RefundOrder) -> None:
        """Sets the amount aside, so that no two refunds together pay back more than was paid."""
        try:
            await self._payments.prepare(key, await self._payment_back(key, order))
        except SendRefused:
            await self._record.release(key, order.transaction_id)
            raise

    async def deliver(self, key: str, order: RefundOrder) -> PaymentReceipt:
        """Pays once what was set aside. Raises SendRefused."""
        try:
            return await self._payments.deliver(key, await self._payment_back(key, order))
        except SendRefused as refusal:
            if refusal.fault is not Fault.SEND_OUTCOME_UNKNOWN:
                await self._release(key, order)
            raise

    async def _payment_back(self, key: str, order: RefundOrder) -> PaymentOrder:
        found = await self._record.reserve(key, order.transaction_id, order.money)
        if isinstance(found, NotReserved):
            raise _refusal(found, order.money)
        return _payment_back(found, order)

    async def _release(self, key: str, order: RefundOrder) -> None:
        try:
            await self._record.release(key, order.transaction_id)
        except StoreUnavailable:
            _log.warning("a refund that was refused still counts as paid back")


def _payment_back(reserved: Reserved, order: RefundOrder) -> PaymentOrder:
    reason = {"reason": order.reason} if order.reason else {}
    return PaymentOrder(
        type=PaymentType.B2C,
        product_name=reserved.product_name,
        number=reserved.number,
        money=money_of_units(reserved.currency, reserved.units),
        metadata={**reason, **order.metadata, "refundOf": order.transaction_id},
        provider_channel="",
        provider="",
        destination_account="",
    )


def _refusal(why: NotReserved, money: Money | None) -> SendRefused:
    match why.why:
        case "unknown":
            return SendRefused(
                Fault.PAYMENT_NOT_FOUND,
                "no payment with this transaction id is in the platform's record, so neither its payer nor its amount "
                "is known; to pay somebody all the same, request a b2c payment",
            )
        case "type":
            return SendRefused(
                Fault.PAYMENT_NOT_REFUNDABLE,
                f"only what a user paid can be paid back, and this is {why.fact}",
            )
        case "status":
            how = f"is {why.fact}" if why.fact else "has no notification yet"
            return SendRefused(
                Fault.PAYMENT_NOT_REFUNDABLE, f"only a payment that is known to be a Success can be paid back; it {how}"
            )
        case "currency":
            asked = "" if money is None else money.currency
            return SendRefused(Fault.CURRENCY_MISMATCH, f"the payment was made in {why.fact}, not in {asked}")
        case _:
            left = int(why.fact) / 10_000
            return SendRefused(
                Fault.REFUND_TOO_LARGE, f"{left:.2f} of the payment is left to be paid back, and more is asked for"
            )
