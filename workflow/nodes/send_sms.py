"""SEND_SMS: sends a text through Africa's Talking."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from workflow import gsm
from workflow.errors import invalid
from workflow.fields import TEMPLATED, NodeConfig, Role, TemplateMessage, TemplateText, Text, WebAddress
from workflow.literals import literal_text
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType
from workflow.outcome import Done, Settlement
from workflow.phone import normalised
from workflow.ports import PremiumSms, SmsRecipient, SmsRequest
from workflow.spec import RetryPolicy
from workflow.templates import TemplateSyntaxError, parse_message_template

ACCEPTED_CODES = frozenset({100, 101, 102})
"""Processed, sent and queued (Africa's Talking, SMS status codes)."""

MAX_RECIPIENTS = 1000
MAX_MESSAGE_LENGTH = 1600

Recipients = Annotated[Text | list[Text], TEMPLATED, Role.VALUE]


class Config(NodeConfig):
    r"""
    Attributes:
        to: One number, several separated by commas, or a list.
        message: The text; a written \n is a new line.
        sender: Short code or alphanumeric sender (`from`).
        encoding: GSM7 refuses a text that needs more; UCS2 counts segments as UCS-2; auto takes what fits.
        delivery_report: No effect: Africa's Talking sends reports for every message or none, as the account says.
        delivery_report_url: No effect: the account says where reports go.
        enqueue: Whether Africa's Talking may queue the message and answer at once.
        bulk_sms_mode: 1 the sender pays; 0 premium.
        keyword: Premium product's keyword.
        link_id: linkId of the premium message that this one answers.
        retry_on_failure: False: one attempt, whatever the retry policy says.
    """

    to: Recipients
    message: TemplateMessage
    sender: TemplateText | None = Field(default=None, alias="from")
    encoding: Literal["GSM7", "UCS2", "auto"] = "auto"
    delivery_report: bool = False
    delivery_report_url: WebAddress | None = None
    enqueue: bool = False
    bulk_sms_mode: Literal[0, 1] = Field(default=1, alias="bulkSMSMode")
    keyword: TemplateText | None = None
    link_id: TemplateText | None = None
    retry_on_failure: bool = True


class Recipient(BaseModel):
    """One entry a number; `statusCode` is Africa's Talking's, 0 where its answer was lost."""

    number: str
    status: str
    statusCode: int
    messageId: str
    cost: str


class Output(BaseModel):
    """
    `messageId` and `status` are those of the first accepted number, `cost` is the sum as `KES 1.6000`, one sum a
    currency; `segments` counts the parts of the text for one number.
    """

    messageId: str
    status: str
    cost: str
    segments: int
    recipients: list[Recipient]
    dryRun: bool | None = None


class SendSms(NodeType[Config]):
    type = "SEND_SMS"
    title = "Send SMS"
    category = Category.ACTION
    description = "Sends a text to one or more phone numbers."
    config = Config
    output = Output
    outputs = (SUCCESS, ERROR)
    timeout_ms = 30_000
    retry = RetryPolicy(
        maxAttempts=3,
        initialDelayMs=1000,
        backoffMultiplier=2.0,
        retryableErrors=["RATE_LIMIT", "NETWORK_ERROR", "SERVER_ERROR"],
    )
    has_effect = True
    repeats_unknown = True

    def may_be_retried(self, config: Config) -> bool:
        return config.retry_on_failure

    def phone_numbers(self, config: Config) -> Iterable[tuple[str, str]]:
        if isinstance(config.to, str):
            return [("to", config.to)]
        return [(f"to[{index}]", number) for index, number in enumerate(config.to)]

    def findings(self, config: Config) -> Iterable[Finding]:
        if config.delivery_report_url is not None:
            yield Finding(
                "UNSUPPORTED_BY_PROVIDER",
                "Africa's Talking takes the address of delivery reports from the account, not from a message; reports "
                "that come are joined to the execution",
                "deliveryReportUrl",
                is_warning=True,
            )
        if config.delivery_report:
            yield Finding(
                "UNSUPPORTED_BY_PROVIDER",
                "Africa's Talking sends delivery reports for every message or none, as the account says",
                "deliveryReport",
                is_warning=True,
            )
        yield from _size_findings(config)
        if config.bulk_sms_mode == 1 and (config.keyword is not None or config.link_id is not None):
            field = "keyword" if config.keyword is not None else "linkId"
            yield Finding("INVALID_NODE_CONFIG", f"{field} is for premium messages: set bulkSMSMode to 0", field)
        if config.bulk_sms_mode == 0 and config.sender is None:
            yield Finding(
                "INVALID_NODE_CONFIG", "a premium message needs the short code that sends it: set from", "from"
            )

    async def run(self, config: Config, context: NodeContext) -> Done:
        request = _request(config, context)
        rows = await context.ports.sms.send(request)
        return Done(
            output=_output(rows, _segments(config)),
            correlations=[f"sms:{row.message_id}" for row in rows if row.message_id],
        )

    def settled_by(self, config: Config, context: NodeContext) -> Sequence[str]:
        return [f"sms:{number}" for number in _request(config, context).to]

    async def settle(self, config: Config, context: NodeContext, settlement: Settlement) -> Done:
        """One report proves that the request was carried out; of the other numbers nothing more is known."""
        reported = settlement.name.removeprefix("sms:")
        rows = [
            SmsRecipient(number, settlement.status, 0, settlement.reference, "")
            if number == reported
            else SmsRecipient(number, "Unknown", 0, "", "")
            for number in _request(config, context).to
        ]
        return Done(
            output=_output(sorted(rows, key=lambda row: row.number != reported), _segments(config)),
            correlations=[f"sms:{settlement.reference}"],
        )

    async def rehearse(self, config: Config, context: NodeContext) -> Done:
        request = _request(config, context)
        rows = [
            SmsRecipient(number, "Success", 101, f"dry-run-{index}", "0") for index, number in enumerate(request.to)
        ]
        return Done(output={**_output(rows, _segments(config)), "dryRun": True})


def _size_findings(config: Config) -> Iterable[Finding]:
    """Measures what is always in the text."""
    try:
        text = literal_text(parse_message_template(config.message)) or ""
    except TemplateSyntaxError:
        return
    size = gsm.sms_segments(text, config.encoding)
    if size.segments > 1:
        message = (
            f"the text is sent as {size.segments} messages, each of which costs: it counts {size.units} characters, "
            f"and a single message holds {_room(text, size)}"
        )
        yield Finding("SMS_MULTI_SEGMENT", message, "message", is_warning=True)


def _room(text: str, size: gsm.SmsSize) -> str:
    """Says how many characters one message holds, on every network, and why it is no more."""
    if size.encoding == "GSM7":
        twice = " (one of €[]{}~^|\\ counts twice)" if size.units > len(text) else ""
        return f"{gsm.SINGLE_GSM7}{twice}"
    strange = gsm.strange_character(text)
    why = "encoding is UCS2" if strange is None else f"{strange!r} is not in the GSM alphabet"
    return f"{gsm.SINGLE_UCS2}, since {why}"


def _request(config: Config, context: NodeContext) -> SmsRequest:
    if not config.message:
        raise invalid("INVALID_MESSAGE", "the message is empty: there is nothing to send")
    if len(config.message) > MAX_MESSAGE_LENGTH:
        raise invalid(
            "INVALID_MESSAGE", f"the message has {len(config.message)} characters, at most {MAX_MESSAGE_LENGTH}"
        )
    if config.encoding == "GSM7" and (strange := gsm.strange_character(config.message)) is not None:
        raise invalid(
            "INVALID_MESSAGE", f"{strange!r} is not in the GSM 7-bit alphabet: set encoding to auto or change it"
        )
    premium = None
    if config.bulk_sms_mode == 0:
        premium = PremiumSms(keyword=config.keyword or "", link_id=config.link_id or "")
    return SmsRequest(
        idempotency_key=context.idempotency_key,
        to=_numbers(config.to, context.default_country),
        message=config.message,
        sender=config.sender or "",
        enqueue=config.enqueue,
        premium=premium,
        may_have_begun=context.may_have_begun,
    )


def _numbers(to: str | list[str], default_country: str | None) -> list[str]:
    written = to.split(",") if isinstance(to, str) else to
    numbers = list(dict.fromkeys(normalised(number, default_country) for number in written if number.strip()))
    if not numbers:
        raise invalid("INVALID_PHONE_NUMBER", "there is no number to send to")
    if len(numbers) > MAX_RECIPIENTS:
        raise invalid("TOO_MANY_RECIPIENTS", f"{len(numbers)} numbers, at most {MAX_RECIPIENTS}")
    return numbers


def _segments(config: Config) -> int:
    return gsm.sms_segments(config.message, config.encoding).segments


def _output(rows: Sequence[SmsRecipient], segments: int) -> dict[str, Any]:
    first = next((row for row in rows if row.status_code in ACCEPTED_CODES), rows[0])
    return {
        "messageId": first.message_id,
        "status": first.status,
        "cost": total_cost([row.cost for row in rows]),
        "segments": segments,
        "recipients": [
            {
                "number": row.number,
                "status": row.status,
                "statusCode": row.status_code,
                "messageId": row.message_id,
                "cost": row.cost,
            }
            for row in rows
        ],
    }


def total_cost(costs: Iterable[str]) -> str:
    """Adds amounts written as `KES 0.8000`; one sum a currency, joined by commas. `0` counts nothing."""
    sums: dict[str, Decimal] = {}
    for cost in costs:
        currency, _, amount = cost.rpartition(" ")
        try:
            value = Decimal(amount)
        except InvalidOperation:
            continue
        if currency:
            sums[currency] = sums.get(currency, Decimal(0)) + value
    return ", ".join(f"{currency} {value:.4f}" for currency, value in sums.items()) or "0"
