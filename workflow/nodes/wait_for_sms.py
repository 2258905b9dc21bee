"""WAIT_FOR_SMS: goes on when the person sends an SMS."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from workflow.entry import as_meant
from workflow.errors import invalid
from workflow.fields import NodeConfig
from workflow.incoming_sms import reply_name
from workflow.node_type import SUCCESS, TIMEOUT, Category, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Outcome, Wait, WaitKind
from workflow.phone import normalised
from workflow.text_patterns import KEYWORD


class Config(NodeConfig):
    """
    Attributes:
        timeout: How long to wait, seconds.
        keyword: First word of the message, in any case and whatever marks stand around it; absent: any message.
    """

    timeout: Annotated[int, Field(ge=1, le=604_800)] = 86_400
    keyword: Annotated[str, Field(pattern=KEYWORD)] | None = None


class Output(BaseModel):
    """The message that came; `input` is its text without blanks around it. `timestamp` is ISO 8601 UTC."""

    input: str
    message: str
    messageId: str
    msisdn: str
    shortCode: str
    timestamp: str


class WaitForSms(NodeType[Config]):
    type = "WAIT_FOR_SMS"
    title = "Wait for SMS"
    category = Category.ACTION
    description = "Waits for the next SMS of the phone in the payload's msisdn, to its shortCode where there is one."
    config = Config
    output = Output
    outputs = (SUCCESS, TIMEOUT)
    timeout_ms = 0

    def waits(self, config: Config) -> bool:
        return True

    def needs_phone(self, config: Config) -> bool:
        return True

    async def run(self, config: Config, context: NodeContext) -> Outcome:
        wait = _wait(config, context)
        names = [reply_name(wait.memory["msisdn"], wait.memory["shortCode"])]
        return Wait(wait.kind, wait.expires_in_ms, wait.memory, correlations=names)

    async def rehearse(self, config: Config, context: NodeContext) -> Outcome:
        # No name: a real message is not for a rehearsal.
        return _wait(config, context)

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Outcome:
        assert resumption.event is not None
        event = {"input": as_meant(resumption.event["message"]), **resumption.event}
        return Done(output={key: event.get(key, "") for key in Output.model_fields})


def _wait(config: Config, context: NodeContext) -> Wait:
    payload = context.scope.lookup("triggerPayload")
    known = payload if isinstance(payload, Mapping) else {}
    session = context.session
    number = known.get("msisdn") or (None if session is None else session.msisdn)
    if not isinstance(number, str) or not number:
        raise invalid("NO_PHONE_NUMBER", "nobody is known to wait for: the trigger's payload has no msisdn")
    memory = {
        "msisdn": normalised(number, context.default_country),
        "shortCode": str(known.get("shortCode") or ""),
        "keyword": config.keyword,
    }
    return Wait(WaitKind.SMS, config.timeout * 1000, memory)
