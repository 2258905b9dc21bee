"""REFUND_PAYMENT: pays back what a phone user paid, through Africa's Talking."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateText, WebAddress
from workflow.money import MONEY_RETRY, PAYMENT, Amount, Currency
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType
from workflow.outcome import Done, Settlement
from workflow.payments import address_finding, settled_receipt
from workflow.ports import PaymentReceipt, RefundRequest


class Config(NodeConfig):
    """
    Attributes:
        transaction_id: The payment that is paid back.
        amount: How much, a decimal; absent means all that is left of the payment.
        currency: Of the amount, which must be the payment's; absent means KES.
        reason: Goes with the metadata.
        callback_url: No effect: the account says where notifications go.
        metadata: What the notification gives back.
    """

    transaction_id: TemplateText
    amount: Amount | None = None
    currency: Currency = "KES"
    reason: TemplateText | None = None
    callback_url: WebAddress | None = None
    metadata: dict[str, TemplateText] | None = None


class Output(BaseModel):
    """`status` is Africa's Talking's word (Queued); the notification of the refund tells the end."""

    refundTransactionId: str
    status: str
    dryRun: bool | None = None


class RefundPayment(NodeType[Config]):
    type = "REFUND_PAYMENT"
    title = "Refund payment"
    category = Category.ACTION
    description = "Pays back all or a part of what a phone user paid, at most once."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 30_000
    retry = MONEY_RETRY
    has_effect = True

    def findings(self, config: Config) -> Iterable[Finding]:
        yield from address_finding(config.callback_url)

    async def run(self, config: Config, context: NodeContext) -> Done:
        return _done(await context.ports.payments.refund(_request(config, context)))

    def settled_by(self, config: Config, context: NodeContext) -> Sequence[str]:
        return [f"{PAYMENT}:{context.idempotency_key}"]

    async def settle(self, config: Config, context: NodeContext, settlement: Settlement) -> Done:
        return _done(settled_receipt(settlement))

    async def rehearse(self, config: Config, context: NodeContext) -> Done:
        _request(config, context)
        return Done(output={"refundTransactionId": "dry-run", "status": "Queued", "dryRun": True})


def _request(config: Config, context: NodeContext) -> RefundRequest:
    transaction_id = config.transaction_id.strip()
    if not transaction_id:
        raise invalid("INVALID_TRANSACTION_ID", "transactionId is empty: name the payment that is to be paid back")
    return RefundRequest(
        idempotency_key=context.idempotency_key,
        transaction_id=transaction_id,
        currency=_currency(config),
        amount=config.amount or "",
        reason=config.reason or "",
        metadata=dict(config.metadata or {}),
        may_have_begun=context.may_have_begun,
    )


def _currency(config: Config) -> str:
    """Without an amount a currency is still a claim about the payment, where the flow makes it."""
    return config.currency if config.amount is not None or "currency" in config.model_fields_set else ""


def _done(receipt: PaymentReceipt) -> Done:
    return Done(
        output={"refundTransactionId": receipt.transaction_id, "status": receipt.status},
        correlations=[f"{PAYMENT}:{receipt.transaction_id}"],
    )
