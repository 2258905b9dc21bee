"""Sending airtime: /version1/airtime/send."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from emulator.airtime.sent import SentAirtime, SentAirtimes
from emulator.api.answers import Rejected, data_answer
from emulator.api.requests import authenticate, read_form, read_json, required_field
from emulator.faults import Faults, RowRefused
from emulator.identifiers import new_airtime_id
from emulator.money import MINIMUM, read_amount, written
from emulator.networks import is_international
from emulator.submissions import Submissions

DISCOUNT = Decimal("0.04")
"""Share of the amount that the account does not pay."""

Recipients = list[dict[str, Any]]


class AirtimeApi:
    """The endpoint. `api_key` is the key of the account."""

    def __init__(self, sent: SentAirtimes, submissions: Submissions, faults: Faults, api_key: str) -> None:
        self._sent = sent
        self._submissions = submissions
        self._faults = faults
        self._api_key = api_key

    async def send(self, request: Request) -> Response:
        """POST /api/version1/airtime/send: a form with `recipients` as JSON, or a JSON document."""
        username, recipients = await _read(request)
        authenticate(request, username, self._api_key)
        fault = self._faults.take("airtime")
        key = request.headers.get("idempotency-key")

        def work() -> Response:
            return data_answer(request, 201, self._accept(_rows(recipients), key, fault))

        return await self._faults.answer_under(fault, work)

    def _accept(self, recipients: Recipients, key: str | None, fault: Any) -> dict[str, Any]:
        duplicate = self._submissions.duplicate(key, orjson.dumps(recipients).decode())
        if duplicate is not None:
            return _answer(duplicate, [], [])
        if isinstance(fault, RowRefused):
            refused = [_refused(row, fault.message) for row in recipients]
            return _answer("None", refused, [])
        rows, accepted = [], []
        for row in recipients:
            sent = _sent(row, key)
            if isinstance(sent, str):
                rows.append(_refused(row, sent))
                continue
            self._sent.add(sent)
            accepted.append(sent)
            rows.append(
                {
                    "amount": sent.value,
                    "discount": written(sent.currency, sent.discount),
                    "errorMessage": "None",
                    "phoneNumber": sent.number,
                    "requestId": sent.request_id,
                    "status": "Sent",
                }
            )
        return _answer("None", rows, accepted)


async def _read(request: Request) -> tuple[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        document = await read_json(request)
        if "username" not in document:
            raise Rejected(400, "The request content was malformed:\nObject is missing required member 'username'")
        return str(document["username"]), document.get("recipients")
    form = await read_form(request)
    return required_field(form, "username"), required_field(form, "recipients")


def _rows(recipients: Any) -> Recipients:
    if isinstance(recipients, str):
        try:
            recipients = orjson.loads(recipients)
        except orjson.JSONDecodeError as error:
            raise Rejected(400, f"The request content was malformed:\n{error}") from error
    if not isinstance(recipients, list) or not all(isinstance(row, dict) for row in recipients):
        raise Rejected(400, "The request content was malformed:\nExpected List as JsArray")
    for row in recipients:
        for name in ("phoneNumber", "amount"):
            if not isinstance(row.get(name), str):
                raise Rejected(400, f"The request content was malformed:\nObject is missing required member '{name}'")
    return recipients


def _sent(row: Mapping[str, Any], key: str | None) -> SentAirtime | str:
    """Returns airtime that is accepted, or why it is not."""
    if not is_international(row["phoneNumber"]):
        return "Invalid phone number"
    read = read_amount(row["amount"])
    if read is None:
        return "Invalid amount"
    currency, amount = read
    if amount < MINIMUM.get(currency, Decimal(1)):
        return f"Value is outside the allowed limits for {currency}"
    discount = (amount * DISCOUNT).quantize(Decimal("0.0001"))
    return SentAirtime(new_airtime_id(), row["phoneNumber"], currency, amount, discount, key)


def _refused(row: Mapping[str, Any], why: str) -> dict[str, Any]:
    return {
        "amount": row["amount"],
        "discount": "0",
        "errorMessage": why,
        "phoneNumber": row["phoneNumber"],
        "requestId": "None",
        "status": "Failed",
    }


def _answer(error: str, rows: list[dict[str, Any]], accepted: list[SentAirtime]) -> dict[str, Any]:
    return {
        "errorMessage": error,
        "numSent": len(accepted),
        "responses": rows,
        "totalAmount": _total([(sent.currency, sent.amount) for sent in accepted]),
        "totalDiscount": _total([(sent.currency, sent.discount) for sent in accepted]),
    }


def _total(amounts: list[tuple[str, Decimal]]) -> str:
    """Sums of one currency; the original converts to the account's, at rates that are not known here."""
    currencies = {currency for currency, _ in amounts}
    if len(currencies) != 1:
        return "0"
    return written(currencies.pop(), sum((amount for _, amount in amounts), Decimal(0)))
