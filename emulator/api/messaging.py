"""Sending and fetching SMS: /version1/messaging of the hosts api and content, and /version1/messaging/bulk."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from emulator.api.answers import Rejected, data_answer
from emulator.api.requests import authenticate, read_form, read_json, required_field, required_query
from emulator.faults import Faults
from emulator.sms.acceptance import Acceptance, SendRequest
from emulator.sms.incoming import MAX_FETCHED, IncomingMessage, IncomingMessages


class Messaging:
    """The endpoints. `api_key` is the key of the account."""

    def __init__(self, acceptance: Acceptance, incoming: IncomingMessages, faults: Faults, api_key: str) -> None:
        self._acceptance = acceptance
        self._incoming = incoming
        self._faults = faults
        self._api_key = api_key

    async def send(self, request: Request) -> Response:
        """POST /api/version1/messaging: a form; bulkSMSMode=0 makes it a premium message."""
        form = await read_form(request)
        return await self._send_form(request, form, premium=form.get("bulkSMSMode") == "0")

    async def send_premium(self, request: Request) -> Response:
        """POST /content/version1/messaging: a form, always a premium message."""
        return await self._send_form(request, await read_form(request), premium=True)

    async def send_bulk(self, request: Request) -> Response:
        """POST /api/version1/messaging/bulk: a JSON document; rows say how many parts a message has."""
        document = await read_json(request)
        authenticate(request, _member(document, "username", str), self._api_key)
        return await self._answer(request, lambda: _bulk_request(document))

    async def fetch(self, request: Request) -> Response:
        """GET /api/version1/messaging: incoming messages after lastReceivedId, at most MAX_FETCHED."""
        authenticate(request, required_query(request, "username"), self._api_key)
        last = request.query_params.get("lastReceivedId", "0")
        if not (last.isascii() and last.isdigit()):
            raise Rejected(400, "The query parameter 'lastReceivedId' was malformed:\nnot a valid number")
        rows = [_fetched(message) for message in itertools.islice(self._incoming.since(int(last)), MAX_FETCHED)]
        return data_answer(request, 200, {"SMSMessageData": {"Messages": rows}})

    async def _send_form(self, request: Request, form: Mapping[str, str], *, premium: bool) -> Response:
        authenticate(request, required_field(form, "username"), self._api_key)
        return await self._answer(request, lambda: _form_request(form, premium=premium))

    async def _answer(self, request: Request, read: Callable[[], SendRequest]) -> Response:
        # The fault is taken before the fields are looked at: a server that is down does not notice a missing one.
        fault = self._faults.take("sms")

        def work() -> Response:
            return data_answer(request, 201, self._acceptance.accept(read(), fault))

        return await self._faults.answer_under(fault, work)


def _form_request(form: Mapping[str, str], *, premium: bool) -> SendRequest:
    numbers = [number.strip() for number in required_field(form, "to").split(",") if number.strip()]
    text = required_field(form, "message")
    return SendRequest(
        numbers=numbers,
        text=text,
        sender=required_field(form, "from") if premium else form.get("from"),
        enqueue=form.get("enqueue", "1") != "0",
        premium=premium,
        keyword=form.get("keyword"),
        link_id=form.get("linkId"),
        retry_duration_in_hours=form.get("retryDurationInHours"),
    )


def _bulk_request(document: Mapping[str, Any]) -> SendRequest:
    numbers = _member(document, "phoneNumbers", list)
    if not all(isinstance(number, str) for number in numbers):
        raise Rejected(400, "The request content was malformed:\nExpected String in 'phoneNumbers'")
    return SendRequest(
        numbers=numbers,
        text=_member(document, "message", str),
        sender=_member(document, "senderId", str),
        enqueue=document.get("enqueue", True) not in (False, 0, "0", "false"),
        rows_with_parts=True,
    )


def _member(document: Mapping[str, Any], name: str, expected: type[Any]) -> Any:
    if name not in document:
        raise Rejected(400, f"The request content was malformed:\nObject is missing required member '{name}'")
    if not isinstance(document[name], expected):
        raise Rejected(400, f"The request content was malformed:\n'{name}' has the wrong type")
    return document[name]


def _fetched(message: IncomingMessage) -> dict[str, Any]:
    milliseconds = message.sent_at.microsecond // 1000
    return {
        "linkId": message.link_id or "",
        "text": message.text,
        "to": message.to,
        "id": message.sequence,
        "date": f"{message.sent_at:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z",
        "from": message.sender,
    }
