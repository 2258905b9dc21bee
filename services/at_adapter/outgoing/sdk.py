"""
The official SDK as a builder of requests.

The SDK sends with one new connection a call, loses the status code of a refusal and has no asyncio
(https://github.com/AfricasTalkingLtd/africastalking-python). So it builds the request (address, headers, form) and
hands it over instead of sending it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from africastalking.SMS import SMSService

from services.at_adapter.outgoing.account import API_PREFIX, CONTENT_PREFIX, AtAccount
from services.at_adapter.outgoing.sms import SmsOrder

_NO_SECRETS = frozenset({"username", "to", "phoneNumber"})
"""Fields that everybody knows who reads the log, or phone numbers, which are masked wherever they stand."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """
    One request, ready to be sent.

    Attributes:
        method: GET or POST.
        url: Full address.
        headers: With the account's key; never shown.
        form: Fields of the form.
        document: JSON that is sent in place of a form; None where a form is sent.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    document: bytes | None = field(default=None, repr=False)

    def texts(self) -> tuple[str, ...]:
        """Returns the texts that are sent, but for the account's own name and the numbers that it is for."""
        return tuple(_texts(self.form if self.document is None else orjson.loads(self.document)))


class SmsRequests(SMSService):  # type: ignore[misc]  # the SDK has no types
    """The SDK's SMS service that returns the request where the SDK would send it."""

    def __init__(self, account: AtAccount) -> None:
        super().__init__(account.username, account.api_key)
        if account.emulator_url:
            self._baseUrl = account.emulator_url + API_PREFIX
            self._contentUrl = account.emulator_url + CONTENT_PREFIX

    def request_for(self, order: SmsOrder) -> HttpCall:
        """Returns the request of an order that passed its check."""
        recipients = list(order.to)
        if order.premium is None:
            call: HttpCall = self.send(order.message, recipients, sender_id=order.sender or None)
        else:
            call = self.send_premium(
                order.message,
                order.sender,
                recipients,
                keyword=order.premium.keyword or None,
                link_id=order.premium.link_id or None,
            )
        # Left out, it means 1 at their side, so a "no" must be said; the SDK can only say "yes".
        return HttpCall(call.method, call.url, call.headers, {**call.form, "enqueue": "1" if order.enqueue else "0"})

    def _make_request(
        self, url: str, method: str, headers: Mapping[str, str], data: Mapping[str, Any], **_unsent: Any
    ) -> HttpCall:
        return HttpCall(method, url, dict(headers), {name: str(value) for name, value in data.items()})


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case Mapping():
            for name, item in value.items():
                if name not in _NO_SECRETS:
                    yield from _texts(item)
