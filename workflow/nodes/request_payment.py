"""REQUEST_PAYMENT: asks a phone user for money, or pays one, through Africa's Talking."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateText, WebAddress
from workflow.money import MONEY_RETRY, PAYMENT, Amount, Currency
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType
from workflow.outcome import Done, Settlement
from workflow.payments import address_finding, settled_receipt
from workflow.phone import normalised
from workflow.ports import PaymentReceipt, PaymentRequest
from workflow.unsupported import UNSUPPORTED

NARRATION = "narration"

B2B_PROVIDERS: Mapping[str, str] = {"M-Pesa": "Mpesa"}
"""Of the providers that a flow can name, those that Africa's Talking pays a business over, by its name for them."""


class Config(NodeConfig):
    """
    Attributes:
        transaction_type: checkout asks a phone user, who confirms on their phone; b2c pays one; b2b pays a business.
        amount: How much, a decimal such as 100 or 10.50.
        currency: ISO 4217 code of the amount.
        phone_number: The user's phone; for b2b the channel of the business, such as its pay bill number.
        product_name: Payment product of the account.
        metadata: What the notification gives back.
        callback_url: No effect: the account says where notifications go.
        provider_channel: Channel of the provider; absent means the product's own.
        provider: Of a b2b payment: M-Pesa; else Africa's Talking chooses it by the phone number.
        narration: Goes with the metadata; for b2b it is the account at the business.
        validity_period: Minutes; no effect: the network says how long a user may take to confirm.
        checkout_token: No effect: Africa's Talking takes one for premium SMS alone.
    """

    transaction_type: Literal["checkout", "b2c", "b2b"]
    amount: Amount
    currency: Currency = "KES"
    phone_number: TemplateText
    product_name: TemplateText
    metadata: dict[str, TemplateText] | None = None
    callback_url: WebAddress | None = None
    provider_channel: str | None = None
    provider: Literal["AT", "M-Pesa", "Airtel", "MTN", "Orange"] | None = None
    narration: TemplateText | None = None
    validity_period: Annotated[int, Field(ge=1, le=1440)] | None = None
    checkout_token: str | None = None


class Output(BaseModel):
    """`status` is Africa's Talking's word (PendingConfirmation: the user is asked); the notification tells the end."""

    transactionId: str
    checkoutToken: str | None = None
    status: str
    dryRun: bool | None = None


class RequestPayment(NodeType[Config]):
    type = "REQUEST_PAYMENT"
    title = "Request payment"
    category = Category.ACTION
    description = "Asks a phone user for a payment, or pays a user or a business, at most once."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 30_000
    retry = MONEY_RETRY
    has_effect = True

    def phone_numbers(self, config: Config) -> Iterable[tuple[str, str]]:
        return [] if config.transaction_type == "b2b" else [("phoneNumber", config.phone_number)]

    def findings(self, config: Config) -> Iterable[Finding]:
        yield from address_finding(config.callback_url)
        for field, value, message in (
            (
                "validityPeriod",
                config.validity_period,
                "Africa's Talking takes no validity period: the network decides how long a user may take to confirm",
            ),
            (
                "checkoutToken",
                config.checkout_token,
                "Africa's Talking takes no checkout token with a payment, only with a premium SMS subscription",
            ),
        ):
            if value is not None:
                yield Finding(UNSUPPORTED, f"{message}; this has no effect", field, is_warning=True)
        if config.transaction_type == "b2b":
            yield from _b2b_findings(config)
        elif config.provider not in (None, "AT"):
            message = "Africa's Talking chooses the provider by the phone number; this has no effect"
            yield Finding(UNSUPPORTED, message, "provider", is_warning=True)
        if config.narration is not None and config.transaction_type != "b2b":
            message = "Africa's Talking shows the user no text; it comes back in the notification's metadata"
            yield Finding(UNSUPPORTED, message, NARRATION, is_warning=True)

    async def run(self, config: Config, context: NodeContext) -> Done:
        return _done(await context.ports.payments.request(_request(config, context)))

    def settled_by(self, config: Config, context: NodeContext) -> Sequence[str]:
        return [f"{PAYMENT}:{context.idempotency_key}"]

    async def settle(self, config: Config, context: NodeContext, settlement: Settlement) -> Done:
        return _done(settled_receipt(settlement))

    async def rehearse(self, config: Config, context: NodeContext) -> Done:
        _request(config, context)
        status = "PendingConfirmation" if config.transaction_type == "checkout" else "Queued"
        return Done(output={"transactionId": "dry-run", "status": status, "dryRun": True})


def _b2b_findings(config: Config) -> Iterable[Finding]:
    if config.provider is None:
        yield Finding("INVALID_NODE_CONFIG", "a b2b payment needs the provider that it goes over", "provider")
    elif config.provider not in B2B_PROVIDERS:
        names = ", ".join(B2B_PROVIDERS)
        message = f"Africa's Talking pays businesses over {names} and over no {config.provider}"
        yield Finding("INVALID_NODE_CONFIG", message, "provider")
    if config.provider_channel is not None:
        message = "Africa's Talking takes no channel with a payment to a business; this has no effect"
        yield Finding(UNSUPPORTED, message, "providerChannel", is_warning=True)
    if config.narration is None:
        message = "a b2b payment needs the account at the business: set narration"
        yield Finding("INVALID_NODE_CONFIG", message, NARRATION)


def _request(config: Config, context: NodeContext) -> PaymentRequest:
    is_b2b = config.transaction_type == "b2b"
    number = config.phone_number.strip() if is_b2b else normalised(config.phone_number, context.default_country)
    if not config.product_name.strip():
        raise invalid("INVALID_PRODUCT", "productName is empty: name a payment product of the account")
    metadata = dict(config.metadata or {})
    if config.narration and not is_b2b:
        metadata.setdefault(NARRATION, config.narration)
    return PaymentRequest(
        idempotency_key=context.idempotency_key,
        type=config.transaction_type,
        product_name=config.product_name.strip(),
        number=number,
        currency=config.currency,
        amount=config.amount,
        metadata=metadata,
        provider_channel="" if is_b2b else config.provider_channel or "",
        provider=B2B_PROVIDERS.get(config.provider or "", "") if is_b2b else "",
        destination_account=config.narration or "" if is_b2b else "",
        may_have_begun=context.may_have_begun,
    )


def _done(receipt: PaymentReceipt) -> Done:
    return Done(
        output={"transactionId": receipt.transaction_id, "status": receipt.status},
        correlations=[f"{PAYMENT}:{receipt.transaction_id}"],
    )
