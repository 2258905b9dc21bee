"""Payment requests: /mobile/checkout/request, /mobile/b2c/request and /mobile/b2b/request of the host payments."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from emulator.api.answers import Rejected, data_answer
from emulator.api.requests import authenticate, read_json
from emulator.faults import Fault, Faults, RowRefused
from emulator.money import number
from emulator.networks import is_international
from emulator.payments.payments import B2B, B2C, CHANNEL, CHECKOUT, PROVIDER, TRANSFER_FEE, Payment, Payments
from emulator.submissions import Submissions

TRANSFER_TYPES = frozenset(
    {"BusinessBuyGoods", "BusinessPayBill", "DisburseFundsToBusiness", "BusinessToBusinessTransfer"}
)
PROVIDERS = frozenset({"Mpesa", "TigoTanzania", "Athena"})

Document = Mapping[str, Any]


class PaymentsApi:
    """The endpoints. `api_key` is the key of the account."""

    def __init__(self, payments: Payments, submissions: Submissions, faults: Faults, api_key: str) -> None:
        self._payments = payments
        self._submissions = submissions
        self._faults = faults
        self._api_key = api_key

    async def checkout(self, request: Request) -> Response:
        """POST /payments/mobile/checkout/request: asks a user to confirm."""
        return await self._answer(request, self._checkout)

    async def b2c(self, request: Request) -> Response:
        """POST /payments/mobile/b2c/request: pays users."""
        return await self._answer(request, self._b2c)

    async def b2b(self, request: Request) -> Response:
        """POST /payments/mobile/b2b/request: pays a business."""
        return await self._answer(request, self._b2b)

    async def _answer(
        self, request: Request, handle: Callable[[Document, str | None, Fault | None], dict[str, Any]]
    ) -> Response:
        document = await read_json(request)
        authenticate(request, str(_member(document, "username")), self._api_key)
        fault = self._faults.take("payments")
        key = request.headers.get("idempotency-key")

        def work() -> Response:
            _member(document, "productName")
            return data_answer(request, 201, handle(document, key, fault))

        return await self._faults.answer_under(fault, work)

    def _checkout(self, document: Document, key: str | None, fault: Fault | None) -> dict[str, Any]:
        phone = _member(document, "phoneNumber")
        refusal = self._refusal(document, document, key, fault)
        if refusal is None and not is_international(phone):
            refusal = "Invalid phone number"
        if refusal is not None:
            return {"description": refusal, "status": "InvalidRequest"}
        payment = _payment(CHECKOUT, document, document, phone, key)
        self._payments.request(payment)
        return {
            "description": "Waiting for user input",
            "providerChannel": document.get("providerChannel", CHANNEL),
            "status": "PendingConfirmation",
            "transactionId": payment.transaction_id,
        }

    def _b2c(self, document: Document, key: str | None, fault: Fault | None) -> dict[str, Any]:
        recipients = _member(document, "recipients")
        if not isinstance(recipients, list) or not all(isinstance(entry, dict) for entry in recipients):
            raise Rejected(400, "The request content was malformed:\nExpected List as JsArray")
        entries = [self._entry(document, entry, key, fault) for entry in recipients]
        queued = sum(entry["status"] == "Queued" for entry in entries)
        return {"numQueued": queued, "totalValue": "0", "totalTransactionFee": "0", "entries": entries}

    def _entry(self, document: Document, entry: Document, key: str | None, fault: Fault | None) -> dict[str, Any]:
        phone = _member(entry, "phoneNumber")
        refusal = self._refusal(document, entry, key, fault)
        if refusal is None and not is_international(phone):
            refusal = "Invalid phone number"
        if refusal is not None:
            return {"phoneNumber": phone, "status": "InvalidRequest", "errorMessage": refusal}
        payment = _payment(B2C, document, entry, phone, key)
        self._payments.request(payment)
        return {
            "phoneNumber": phone,
            "provider": PROVIDER,
            "providerChannel": entry.get("providerChannel", CHANNEL),
            "status": "Queued",
            "transactionFee": TRANSFER_FEE,
            "transactionId": payment.transaction_id,
            "value": payment.value,
        }

    def _b2b(self, document: Document, key: str | None, fault: Fault | None) -> dict[str, Any]:
        channel, account = _member(document, "destinationChannel"), _member(document, "destinationAccount")
        refusal = self._refusal(document, document, key, fault)
        if document.get("transferType") not in TRANSFER_TYPES or document.get("provider") not in PROVIDERS:
            refusal = refusal or "Invalid provider or transfer type"
        if refusal is not None:
            return {"description": refusal, "status": "InvalidRequest"}
        payment = _payment(B2B, document, document, channel, key)
        payment.account = account
        self._payments.request(payment)
        return {
            "providerChannel": CHANNEL,
            "status": "Queued",
            "transactionFee": TRANSFER_FEE,
            "transactionId": payment.transaction_id,
        }

    def _refusal(self, document: Document, part: Document, key: str | None, fault: Fault | None) -> str | None:
        if not isinstance(part.get("metadata", {}), dict):
            raise Rejected(400, "The request content was malformed:\nExpected Map as JsObject")
        currency = _member(part, "currencyCode")
        if number(_member(part, "amount")) is None:
            return "Invalid amount"
        if not isinstance(currency, str) or len(currency) != 3:
            return "Invalid currency"
        if isinstance(fault, RowRefused):
            return fault.message
        return self._submissions.duplicate(key, orjson.dumps([document["productName"], part]).decode())


def _payment(category: str, document: Document, part: Document, other: str, key: str | None) -> Payment:
    amount = number(part["amount"])
    assert amount is not None, "an amount that was looked at before"
    return Payment(
        category=category,
        other=other,
        product_name=str(document["productName"]),
        currency=part["currencyCode"],
        amount=amount,
        metadata=part.get("metadata", {}),
        idempotency_key=key,
    )


def _member(document: Document, name: str) -> Any:
    if name not in document:
        raise Rejected(400, f"The request content was malformed:\nObject is missing required member '{name}'")
    return document[name]
