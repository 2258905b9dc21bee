"""PAYMENT_CALLBACK: starts a flow when Africa's Talking notifies of a payment."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from workflow.fields import NodeConfig
from workflow.money import PAYMENT
from workflow.node_type import Finding
from workflow.trigger_type import TriggerType

Limit = Annotated[int | float, Field(ge=0, allow_inf_nan=False), WithJsonSchema({"type": "number", "minimum": 0})]
"""The schema would lose the bound of a union."""


class Config(NodeConfig):
    """
    Which notifications start the flow; an absent filter lets all through.

    Attributes:
        product_name: Payment product; what flows ask for under other names starts other flows.
        transaction_type: checkout a user paid, b2c a user was paid, b2b a business was paid.
        status: Pending stands for every word that begins with it, such as PendingConfirmation.
        currency: ISO 4217 code.
        min_amount: Least amount, inclusive.
        max_amount: Greatest amount, inclusive.
        validate_signature: Whether only notifications count that nobody but Africa's Talking can have posted.
    """

    product_name: Annotated[str, Field(pattern=r"^\S(.{0,98}\S)?$")] | None = None
    transaction_type: Literal["checkout", "b2c", "b2b"] | None = None
    status: Literal["Success", "Failed", "Pending"] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    min_amount: Limit | None = None
    max_amount: Limit | None = None
    validate_signature: bool = True


class Payload(BaseModel):
    """
    What the flow knows of the payment. `status` may be a word that is not known yet; `amount` is a number of
    `currency`, and both are missing where the value of the notification cannot be read; `msisdn` is the phone user,
    whichever way the money went; `executionId` is the execution that asked for the payment; `providerRefId` stands on
    the user's receipt; `trusted`: whether nobody else can have posted it; `timestamp` is ISO 8601 UTC.
    """

    transactionId: str
    status: str
    amount: float
    currency: str
    msisdn: str | None = None
    metadata: dict[str, str] | None = None
    transactionType: str | None = None
    category: str | None = None
    description: str | None = None
    provider: str | None = None
    providerRefId: str | None = None
    productName: str | None = None
    clientAccount: str | None = None
    executionId: str | None = None
    trusted: bool
    timestamp: str


class PaymentCallback(TriggerType[Config]):
    type = "PAYMENT_CALLBACK"
    title = "Payment notification"
    description = "Starts the flow when a payment succeeded, failed or came in."
    config = Config
    output = Payload
    channel = PAYMENT
    session_type = "payment"

    def needs_protected_callbacks(self, config: Config) -> bool:
        return config.validate_signature

    def specificity(self, config: Config, payload: Mapping[str, Any]) -> int | None:
        if config.validate_signature and payload.get("trusted") is not True:
            return None
        narrowness = 0
        for wanted, found, weight in (
            (config.product_name, payload.get("productName"), 16),
            (config.transaction_type, payload.get("transactionType"), 8),
            (config.status, _status(payload.get("status")), 4),
            (config.currency, payload.get("currency"), 2),
        ):
            if wanted is not None:
                if wanted != found:
                    return None
                narrowness += weight
        if config.min_amount is not None or config.max_amount is not None:
            if not _within(payload.get("amount"), config):
                return None
            narrowness += 1
        return narrowness

    def claim(self, config: Config) -> tuple[str, ...]:
        return (
            self.channel,
            config.transaction_type or "",
            config.status or "",
            config.currency or "",
            "" if config.min_amount is None else str(_exact(config.min_amount).normalize()),
            "" if config.max_amount is None else str(_exact(config.max_amount).normalize()),
            # Flows that name no product claim what they claimed before this filter was there.
            *([] if config.product_name is None else [config.product_name]),
        )

    def findings(self, config: Config) -> Iterable[Finding]:
        if None not in (config.min_amount, config.max_amount) and _exact(config.min_amount) > _exact(config.max_amount):
            yield Finding("INVALID_NODE_CONFIG", "minAmount is more than maxAmount: nothing fits", "minAmount")
        if config.currency is None and (config.min_amount is not None or config.max_amount is not None):
            field = "minAmount" if config.min_amount is not None else "maxAmount"
            message = "without a currency the amount is compared whatever its currency is"
            yield Finding("AMOUNT_WITHOUT_CURRENCY", message, field, is_warning=True)


def _status(word: Any) -> Any:
    return "Pending" if isinstance(word, str) and word.startswith("Pending") else word


def _within(amount: Any, config: Config) -> bool:
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return False
    exact = _exact(amount)
    return (config.min_amount is None or exact >= _exact(config.min_amount)) and (
        config.max_amount is None or exact <= _exact(config.max_amount)
    )


def _exact(number: float | None) -> Decimal:
    """Returns the decimal that is written: 0.1 is a tenth."""
    return Decimal(str(number))
