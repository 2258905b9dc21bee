"""SMS_RECEIVED: an incoming SMS starts the flow."""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from workflow.expressions.patterns import MAX_PATTERN_BYTES, PatternError, compiled
from workflow.fields import NodeConfig, WebAddress
from workflow.incoming_sms import keywords
from workflow.node_type import Finding
from workflow.text_patterns import KEYWORD, SENDER
from workflow.trigger_type import TriggerType


class Config(NodeConfig):
    """
    Which messages start the flow; an absent filter lets all through.

    Attributes:
        phone_number: Sender; * stands for any digits.
        keyword: First word of the message, whatever marks stand around it: PRICE takes `PRICE.` too.
        case_sensitive: Whether the keyword's case counts.
        regex_pattern: RE2 pattern that must be found in the message.
        short_code: Number or short code that it was sent to.
        require_delivery_report: No effect: Africa's Talking sends none for what came in.
        delivery_report_url: No effect, likewise.
    """

    phone_number: Annotated[str, Field(pattern=SENDER)] | None = None
    keyword: Annotated[str, Field(pattern=KEYWORD)] | None = None
    case_sensitive: bool = False
    regex_pattern: Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_BYTES)] | None = None
    short_code: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    require_delivery_report: bool = False
    delivery_report_url: WebAddress | None = None


class Payload(BaseModel):
    """What the flow knows of the message. `timestamp` is ISO 8601 UTC."""

    msisdn: str
    message: str
    messageId: str
    shortCode: str
    linkId: str | None = None
    networkCode: str | None = None
    timestamp: str


class SmsReceived(TriggerType[Config]):
    type = "SMS_RECEIVED"
    title = "SMS received"
    description = "Starts the flow when an SMS comes in."
    config = Config
    output = Payload
    channel = "sms"
    session_type = "sms"

    def specificity(self, config: Config, payload: Mapping[str, Any]) -> int | None:
        message, sender = str(payload.get("message", "")), str(payload.get("msisdn", ""))
        narrowness = 0
        if config.short_code is not None:
            if config.short_code != payload.get("shortCode"):
                return None
            narrowness += 16
        if config.keyword is not None:
            wanted, begun = config.keyword, message
            if not config.case_sensitive:
                wanted, begun = wanted.casefold(), begun.casefold()
            literal, bare = keywords(begun)
            if wanted not in (literal, bare):
                return None
            # Who writes the marks of another flow's keyword means that flow, whatever else this one asks of a message.
            narrowness += 8 if wanted == literal else 4
        if config.regex_pattern is not None:
            if not compiled(config.regex_pattern).fits(message):
                return None
            narrowness += 2
        if config.phone_number is not None:
            if not fnmatch.fnmatchcase(sender, config.phone_number):
                return None
            narrowness += 1
        return narrowness

    def names_flow(self, config: Config) -> bool:
        return config.keyword is not None or config.regex_pattern is not None

    def claim(self, config: Config) -> tuple[str, ...]:
        keyword = config.keyword or ""
        return (
            self.channel,
            config.short_code or "",
            keyword if config.case_sensitive else keyword.casefold(),
            config.regex_pattern or "",
            config.phone_number or "",
        )

    def findings(self, config: Config) -> Iterable[Finding]:
        if config.regex_pattern is not None:
            try:
                compiled(config.regex_pattern)
            except PatternError as problem:
                yield Finding("INVALID_NODE_CONFIG", f"regexPattern: {problem}", "regexPattern")
        if config.require_delivery_report or config.delivery_report_url is not None:
            field = "deliveryReportUrl" if config.delivery_report_url is not None else "requireDeliveryReport"
            yield Finding(
                "UNSUPPORTED_BY_PROVIDER",
                "Africa's Talking sends no delivery report for a message that came in; this has no effect",
                field,
                is_warning=True,
            )
