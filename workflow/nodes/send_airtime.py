"""SEND_AIRTIME: sends airtime through Africa's Talking."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from workflow.errors import NodeFailure, permanent
from workflow.fields import NodeConfig, TemplateText
from workflow.money import AIRTIME, MONEY_RETRY, Amount, Currency, airtime_subject
from workflow.node_type import ERROR, SUCCESS, Category, NodeContext, NodeType
from workflow.outcome import Done, Settlement
from workflow.phone import normalised
from workflow.ports import AirtimeReceipt, AirtimeRequest


class Config(NodeConfig):
    """
    Attributes:
        to: Phone number that gets the airtime.
        amount: How much, a decimal such as 10 or 10.50.
        currency: ISO 4217 code of the amount.
    """

    to: TemplateText
    amount: Amount
    currency: Currency = "KES"


class Output(BaseModel):
    """
    `status` is Africa's Talking's word (Sent: handed to the network; its report stands in the log), `amount` and
    `discount` are as it writes them, such as `KES 10.0000`.
    """

    requestId: str
    status: str
    amount: str
    discount: str
    dryRun: bool | None = None


class SendAirtime(NodeType[Config]):
    type = "SEND_AIRTIME"
    title = "Send airtime"
    category = Category.ACTION
    description = "Sends airtime to a phone number, at most once."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 30_000
    retry = MONEY_RETRY
    has_effect = True

    def phone_numbers(self, config: Config) -> Iterable[tuple[str, str]]:
        return [("to", config.to)]

    async def run(self, config: Config, context: NodeContext) -> Done:
        return _done(await context.ports.airtime.send(_request(config, context)))

    def settled_by(self, config: Config, context: NodeContext) -> Sequence[str]:
        request = _request(config, context)
        return [f"{AIRTIME}:{airtime_subject(request.number, request.currency, request.amount)}"]

    async def settle(self, config: Config, context: NodeContext, settlement: Settlement) -> Done:
        if settlement.status == "Failed":
            message = "Africa's Talking had the request and reports that it failed"
            raise NodeFailure(permanent("AIRTIME_FAILED", message, id=settlement.reference))
        return _done(AirtimeReceipt(settlement.reference, settlement.status, f"{config.currency} {config.amount}", ""))

    async def rehearse(self, config: Config, context: NodeContext) -> Done:
        request = _request(config, context)
        done = _done(AirtimeReceipt("dry-run", "Sent", f"{request.currency} {request.amount}", f"{request.currency} 0"))
        return Done(output={**done.output, "dryRun": True})


def _request(config: Config, context: NodeContext) -> AirtimeRequest:
    return AirtimeRequest(
        idempotency_key=context.idempotency_key,
        number=normalised(config.to, context.default_country),
        currency=config.currency,
        amount=config.amount,
        may_have_begun=context.may_have_begun,
    )


def _done(receipt: AirtimeReceipt) -> Done:
    return Done(
        output={
            "requestId": receipt.request_id,
            "status": receipt.status,
            "amount": receipt.amount,
            "discount": receipt.discount,
        },
        correlations=[f"{AIRTIME}:{receipt.request_id}"],
    )
