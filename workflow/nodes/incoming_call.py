"""INCOMING_CALL: a call to one of the numbers starts the flow."""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from workflow.fields import NodeConfig
from workflow.node_type import Finding
from workflow.text_patterns import SENDER
from workflow.trigger_type import TriggerType
from workflow.unsupported import without_effect
from workflow.voice import VOICE

LONGEST_CALL_SECONDS = 3600


class Config(NodeConfig):
    """
    Which calls start the flow; an absent filter lets all through.

    Attributes:
        phone_number: Caller; * stands for any digits, as in +2547*.
        called_number: The number that was called, as Africa's Talking knows it.
        require_caller_id: Whether a call from a hidden number is left to other flows.
        max_call_duration: Longest call, seconds.
    """

    phone_number: Annotated[str, Field(pattern=SENDER)] | None = None
    called_number: Annotated[str, Field(pattern=SENDER)] | None = None
    require_caller_id: bool = True
    max_call_duration: Annotated[int, Field(ge=10, le=LONGEST_CALL_SECONDS)] | None = None


class Payload(BaseModel):
    """
    What the flow knows of the call.

    `msisdn` and `callerNumber` are the phone's number in E.164, empty where it is hidden; `direction` is Inbound,
    `timestamp` ISO 8601 UTC.
    """

    callSessionId: str
    msisdn: str
    callerNumber: str
    calledNumber: str
    direction: str
    timestamp: str


class IncomingCall(TriggerType[Config]):
    type = "INCOMING_CALL"
    title = "Incoming call"
    description = "Starts the flow when somebody calls."
    config = Config
    output = Payload
    requires_session = True
    channel = VOICE
    session_type = VOICE

    def specificity(self, config: Config, payload: Mapping[str, Any]) -> int | None:
        caller, called = str(payload.get("msisdn") or ""), str(payload.get("calledNumber") or "")
        if config.require_caller_id and not caller:
            return None
        narrowness = 0
        if config.called_number is not None:
            if not fnmatch.fnmatchcase(called, config.called_number):
                return None
            narrowness += 2
        if config.phone_number is not None:
            if not fnmatch.fnmatchcase(caller, config.phone_number):
                return None
            narrowness += 1 if "*" in config.phone_number else 4
        return narrowness

    def claim(self, config: Config) -> tuple[str, ...]:
        return (
            self.channel,
            config.called_number or "",
            config.phone_number or "",
            "" if config.require_caller_id else "hidden",
        )

    def session_ttl_seconds(self, config: Config) -> int:
        return LONGEST_CALL_SECONDS

    def findings(self, config: Config) -> Iterable[Finding]:
        return without_effect(
            config, {"max_call_duration": "Africa's Talking ends a call that comes in when one of the two hangs up"}
        )
