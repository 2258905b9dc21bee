"""
Payment requests. The SDK has none, so they are written here as Africa's Talking's Payments connector describes them
(POST /mobile/checkout/request, /mobile/b2c/request, /mobile/b2b/request; JSON).
"""

from collections.abc import Mapping
from typing import Any

import orjson

from services.at_adapter.outgoing.account import PAYMENTS_PREFIX, AtAccount, AtEnvironment
from services.at_adapter.outgoing.payments import REFERENCE, PaymentOrder, PaymentType
from services.at_adapter.outgoing.sdk import HttpCall

HOSTS = {
    AtEnvironment.PRODUCTION: "https://payments.africastalking.com",
    AtEnvironment.SANDBOX: "https://payments.sandbox.africastalking.com",
}

TRANSFER_TYPE = "BusinessToBusinessTransfer"
"""The most general of their four kinds of a payment between businesses; flows do not say which one is meant."""

REASON = "BusinessPayment"
"""Their word for a payment to a user that is neither a salary nor a promotion."""


class PaymentRequests:
    """Builds requests for one account."""

    def __init__(self, account: AtAccount) -> None:
        self._account = account
        self._root = HOSTS.get(account.environment, account.emulator_url + PAYMENTS_PREFIX)

    def request_for(self, key: str, their_key: str, order: PaymentOrder) -> HttpCall:
        """
        Returns the request of an order that passed its check.

        Args:
            key: Our idempotency key, which the notification gives back.
            their_key: What names the request to them, ASCII.
        """
        document = {"username": self._account.username, "productName": order.product_name, **_what(key, order)}
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "apiKey": self._account.api_key,
            "Idempotency-Key": their_key,
        }
        url = f"{self._root}/mobile/{order.type}/request"
        return HttpCall("POST", url, headers, {}, orjson.dumps(document))


def _what(key: str, order: PaymentOrder) -> Mapping[str, Any]:
    # Exact: a number in JSON is a row of decimal digits, and a Fragment goes out as it is written.
    amount = orjson.Fragment(order.money.amount)
    metadata = {**order.metadata, REFERENCE: key}
    channel = {"providerChannel": order.provider_channel} if order.provider_channel else {}
    common = {"currencyCode": order.money.currency, "amount": amount, "metadata": metadata}
    match order.type:
        case PaymentType.CHECKOUT:
            return {"phoneNumber": order.number, **channel, **common}
        case PaymentType.B2C:
            return {"recipients": [{"phoneNumber": order.number, "reason": REASON, **channel, **common}]}
        case PaymentType.B2B:
            return {
                "provider": order.provider,
                "transferType": TRANSFER_TYPE,
                "destinationChannel": order.number,
                "destinationAccount": order.destination_account,
                **common,
            }
