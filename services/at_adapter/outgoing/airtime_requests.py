"""The official SDK as a builder of airtime requests."""

from collections.abc import Mapping
from typing import Any

from africastalking.Airtime import AirtimeService

from services.at_adapter.outgoing.account import API_PREFIX, AtAccount
from services.at_adapter.outgoing.airtime import AirtimeOrder
from services.at_adapter.outgoing.sdk import HttpCall


class AirtimeRequests:
    """
    Builds requests.

    The SDK keeps the idempotency key of one request for those after it, and changes the recipients that it is given;
    so each request gets an instance and recipients of its own.
    """

    def __init__(self, account: AtAccount) -> None:
        self._account = account

    def request_for(self, idempotency_key: str, order: AirtimeOrder) -> HttpCall:
        """Returns the request of an order that passed its check; the key is theirs, ASCII."""
        recipient = {
            "phoneNumber": order.number,
            "amount": order.money.amount,
            "currency_code": order.money.currency,
        }
        call: HttpCall = _Builder(self._account).send(recipients=[recipient], idempotency_key=idempotency_key)
        return call


class _Builder(AirtimeService):  # type: ignore[misc]  # the SDK has no types
    """The SDK's airtime service that returns the request where the SDK would send it."""

    def __init__(self, account: AtAccount) -> None:
        super().__init__(account.username, account.api_key)
        if account.emulator_url:
            self._baseUrl = f"{account.emulator_url}{API_PREFIX}/airtime"

    def _make_request(
        self, url: str, method: str, headers: Mapping[str, str], data: Mapping[str, Any], **_unsent: Any
    ) -> HttpCall:
        return HttpCall(method, url, dict(headers), {name: str(value) for name, value in data.items()})
