"""INITIATE_CALL: calls a phone number and waits until somebody answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, Field

from workflow.errors import NodeFailure, permanent
from workflow.fields import NodeConfig, TemplateText, WebAddress
from workflow.node_type import ERROR, SUCCESS, Category, Finding, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Outcome, Settlement, Wait, WaitKind
from workflow.phone import normalised
from workflow.ports import CallRequest
from workflow.unsupported import without_effect
from workflow.voice import ANSWERED, DOCUMENT_SECONDS, VOICE

NO_ANSWER = "no_answer"

LONGEST_RINGING_SECONDS = 180
"""Networks let a phone ring for a minute at the most, and say so; without word by then nobody has answered."""

FAILED_CAUSES = frozenset({"UNALLOCATED_NUMBER", "SERVICE_UNAVAILABLE", "NORMAL_TEMPORARY_FAILURE"})
"""Causes of an end without an answer that say nothing of the person: the number or the network is at fault."""


class Config(NodeConfig):
    """
    Attributes:
        to: The number to call.
        caller_id: Number of the account that the call comes from (`from`); the adapter's own where it is left out.
        call_hold_music: No effect: only calls that are joined to another phone have it.
        max_call_duration: Seconds; no effect: a call lasts until one of the two hangs up.
        record_call: No effect, as callHoldMusic.
        recording_url: No effect, as callHoldMusic.
        enable_dtmf: No effect: COLLECT_DTMF asks for keys.
        ringback_tone: No effect, as callHoldMusic.
        timeout: Seconds; no effect: the network says how long the phone rings.
    """

    to: TemplateText
    caller_id: TemplateText | None = Field(default=None, alias="from")
    call_hold_music: WebAddress | None = None
    max_call_duration: Annotated[int, Field(ge=10, le=3600)] = 300
    record_call: bool = False
    recording_url: WebAddress | None = None
    enable_dtmf: bool = True
    ringback_tone: WebAddress | None = None
    timeout: Annotated[int, Field(ge=5, le=60)] = 30


class Output(BaseModel):
    """The network's id of the call, and how it went on: Answered, or the cause of its end, such as USER_BUSY."""

    callSessionId: str
    status: str
    dryRun: bool | None = None


class InitiateCall(NodeType[Config]):
    type = "INITIATE_CALL"
    title = "Call"
    category = Category.ACTION
    description = "Calls a phone number; the nodes behind it talk to whoever answers."
    config = Config
    output = Output
    outputs = (SUCCESS, NO_ANSWER, ERROR)
    timeout_ms = 60_000
    requires_session = True
    opens_session = VOICE
    has_effect = True

    def waits(self, config: Config) -> bool:
        return True

    def phone_numbers(self, config: Config) -> Iterable[tuple[str, str]]:
        return [("to", config.to)]

    def findings(self, config: Config) -> Iterable[Finding]:
        ringing = "Africa's Talking lets the phone ring for as long as its network does"
        bridged = "Africa's Talking has it for calls that are joined to another phone alone"
        yield from without_effect(
            config,
            {
                "call_hold_music": bridged,
                "max_call_duration": "Africa's Talking ends a call when one of the two hangs up",
                "record_call": bridged,
                "recording_url": bridged,
                "enable_dtmf": "keys are asked for by COLLECT_DTMF and by nothing else",
                "ringback_tone": bridged,
                "timeout": ringing,
            },
        )

    async def run(self, config: Config, context: NodeContext) -> Outcome:
        assert context.session is not None
        placed = await context.ports.calls.place(
            CallRequest(
                idempotency_key=context.idempotency_key,
                to=normalised(config.to, context.default_country),
                caller_id=(config.caller_id or "").strip(),
                may_have_begun=context.may_have_begun,
            )
        )
        context.session.live_for(LONGEST_RINGING_SECONDS + DOCUMENT_SECONDS)
        return Wait(
            WaitKind.CALL,
            LONGEST_RINGING_SECONDS * 1000,
            {"callSessionId": placed.session_id},
            correlations=[f"call:{placed.session_id}"],
        )

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Done:
        event = resumption.event
        if event is None:
            return _ended(str(resumption.memory["callSessionId"]), NO_ANSWER.upper())
        # The network may have called under another id than the one that it answered with.
        return _went_on(str(event["callSessionId"]), event)

    def settled_by(self, config: Config, context: NodeContext) -> Sequence[str]:
        return [f"call:{context.idempotency_key}"]

    async def settle(self, config: Config, context: NodeContext, settlement: Settlement) -> Done:
        return _went_on(settlement.reference, {"answered": settlement.status == ANSWERED, "cause": settlement.status})

    async def rehearse(self, config: Config, context: NodeContext) -> Done:
        normalised(config.to, context.default_country)
        call = f"dry-run-{context.idempotency_key}"
        if context.missed_call is not None:
            missed = _ended(call, context.missed_call)
            return replace(missed, output={**missed.output, "dryRun": True})
        return Done(output={"callSessionId": call, "status": ANSWERED, "dryRun": True}, opens_call=call)


def _went_on(call: str, event: Mapping[str, Any]) -> Done:
    if event["answered"]:
        output = {"callSessionId": call, "status": ANSWERED}
        return Done(output=output, opens_call=call, correlations=[f"call:{call}"])
    return _ended(call, str(event["cause"]))


def _ended(call: str, cause: str) -> Done:
    if cause in FAILED_CAUSES:
        message = f"the call could not be put through: {cause}"
        raise NodeFailure(permanent(cause, message, callSessionId=call))
    return Done(output={"callSessionId": call, "status": cause}, handle=NO_ANSWER)
