"""What Africa's Talking says and asks about payments."""

from collections.abc import Mapping

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse

from njia.engine.v1.money_pb2 import HandlePaymentRequest
from services.at_adapter.callbacks.airtime import ValidationCallback, answer_validation
from services.at_adapter.callbacks.amounts import read_value
from services.at_adapter.callbacks.fields import CallbackFields, UnusableCallback, phone_number, read_fields
from services.at_adapter.callbacks.reporting import Reporting
from services.at_adapter.outgoing.money import Money
from services.at_adapter.outgoing.payments import REFERENCE
from services.at_adapter.records.payments import Payment, PaymentRecord
from storage.connection import StoreUnavailable

TYPES = {
    "MobileCheckout": "checkout",
    "CardCheckout": "checkout",
    "BankCheckout": "checkout",
    # A user who pays of their own accord: to a flow it is the same, and `category` tells the two apart.
    "MobileC2B": "checkout",
    "MobileB2C": "b2c",
    "MobileB2B": "b2b",
}
"""What their categories are to a flow; the others are no transaction type."""

PHONE_NUMBER = "phonenumber"

REFUND_OF = "refundOf"

_log = structlog.get_logger()


class PaymentCallback:
    """
    POST /at/payments: 200 once the engine or the outbox has the notification, else 503, so that it is posted again
    (every minute for 6 hours).

    Args:
        reporting: Hands it to the engine.
        record: Where the payment stands; only a trusted notification changes it.
        trusted: Whether only Africa's Talking can post here.
    """

    def __init__(self, reporting: Reporting, record: PaymentRecord, *, trusted: bool) -> None:
        self._reporting = reporting
        self._record = record
        self._trusted = trusted

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        money, metadata = read_value(fields.text("value")), _texts(fields.text("requestMetadata"))
        reference = metadata.pop(REFERENCE, "")
        report = _notification(fields, money, metadata, reference, trusted=self._trusted)
        if self._trusted:
            try:
                await self._note(report, money)
            except StoreUnavailable:
                _log.error("a payment notification was not recorded", transaction_id=report.transaction_id)
                return PlainTextResponse("not recorded, please repeat", 503)
        return await self._reporting.answered(report)

    async def _note(self, report: HandlePaymentRequest, money: Money | None) -> None:
        if money is not None and report.msisdn:
            payment = Payment(report.transaction_type or report.category, report.msisdn, report.product_name, money)
            await self._record.note(report.transaction_id, payment, report.status)
        elif report.status == "Failed":
            # It does not say of how much, and need not: nothing of it can be paid back.
            await self._record.failed(report.transaction_id)
        refund_of = report.metadata.get(REFUND_OF, "")
        if report.status == "Failed" and report.reference and refund_of:
            # The user got nothing, so as much can be paid back once more.
            await self._record.release(report.reference, refund_of)


class PaymentValidationCallback:
    """
    POST /at/payments/validation. A payment of ours to a user is answered as ValidationCallback says; a payment that a
    user makes of their own accord has no transaction id yet and is Validated where it can be read.
    """

    def __init__(self, ours: ValidationCallback) -> None:
        self._ours = ours

    async def __call__(self, request: Request) -> JSONResponse:
        """Always answers; raises BodyTooLarge alone, which is answered 413."""
        try:
            fields = await read_fields(request)
        except UnusableCallback:
            return answer_validation(is_ours=False)
        if fields.text("transactionId").strip():
            return await self._ours.answer(fields)
        money = read_value(fields.text("value"))
        readable = money is not None and money.units > 0 and bool(fields.text("phoneNumber").strip())
        return answer_validation(is_ours=readable)


def _notification(
    fields: CallbackFields, money: Money | None, metadata: Mapping[str, str], reference: str, *, trusted: bool
) -> HandlePaymentRequest:
    category = fields.text("category").strip()
    report = HandlePaymentRequest(
        transaction_id=fields.required("transactionId"),
        # Any word is kept: new ones appear without notice.
        status=fields.required("status"),
        transaction_type=TYPES.get(category, ""),
        category=category,
        currency="" if money is None else money.currency,
        amount="" if money is None else money.amount,
        msisdn=_user(fields),
        metadata=metadata,
        reference=reference,
        description=fields.text("description").strip(),
        provider=fields.text("provider").strip(),
        provider_ref_id=fields.text("providerRefId").strip(),
        product_name=fields.text("productName").strip(),
        client_account=fields.text("clientAccount").strip(),
        trusted=trusted,
    )
    paid_at = fields.moment("transactionDate")
    if paid_at is not None:
        report.paid_at.FromDatetime(paid_at)
    return report


def _user(fields: CallbackFields) -> str:
    """Returns the phone number of the user, whichever end of the payment they are; empty where there is none."""
    for end in ("source", "destination"):
        if fields.text(f"{end}Type").strip().lower() == PHONE_NUMBER:
            return phone_number(fields.text(end))
    return ""


def _texts(document: str) -> dict[str, str]:
    """Reads metadata as texts; what is no object has none."""
    try:
        values = orjson.loads(document or "{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(values, dict):
        return {}
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in values.items()
        if value is not None
    }
