"""What the adapter reports of airtime and payments, as the engine has it."""

import re

from njia.engine.v1 import money_pb2 as pb
from services.engine.errors import InvalidRequest
from services.engine.servicers.moments import unix_ms
from services.engine.servicers.required import check_required
from services.engine.store.execution_store import Report
from services.engine.triggers.payment_notifications import PaymentNotification
from workflow.money import AIRTIME, airtime_subject

_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,8})?", re.ASCII)


def airtime_report(request: pb.HandleAirtimeStatusRequest, now_ms: int) -> Report:
    """Reads what became of airtime. Raises InvalidRequest."""
    check_required(request, ("request_id", "status"), "an airtime report")
    _check_amount(request.amount)
    subject = ""
    if request.msisdn and request.amount:
        subject = airtime_subject(request.msisdn, request.currency, request.amount)
    return Report(
        message_id=request.request_id,
        status=request.status,
        number=request.msisdn,
        failure_reason=request.description if request.status != "Success" else "",
        network_code="",
        received_at_ms=now_ms,
        channel=AIRTIME,
        amount=f"{request.currency} {request.amount}" if request.amount else "",
        subject=subject,
    )


def payment_notification(request: pb.HandlePaymentRequest, now_ms: int) -> PaymentNotification:
    """Reads a payment notification. Raises InvalidRequest."""
    check_required(request, ("transaction_id", "status"), "a payment notification")
    _check_amount(request.amount)
    return PaymentNotification(
        transaction_id=request.transaction_id,
        status=request.status,
        reference=request.reference,
        currency=request.currency,
        amount=request.amount,
        msisdn=request.msisdn,
        metadata=dict(request.metadata),
        texts={
            "transactionType": request.transaction_type,
            "category": request.category,
            "description": request.description,
            "provider": request.provider,
            "providerRefId": request.provider_ref_id,
            "productName": request.product_name,
            "clientAccount": request.client_account,
        },
        trusted=request.trusted,
        paid_at_ms=unix_ms(request.paid_at, "paid_at") if request.HasField("paid_at") else now_ms,
        received_at_ms=now_ms,
    )


def _check_amount(amount: str) -> None:
    if not amount:
        return
    # Decimal takes more: a power of ten whose digits would fill the memory, and digits of other alphabets.
    if not _AMOUNT.fullmatch(amount):
        raise InvalidRequest("amount", "the amount is no decimal")
