"""INCOMING_CALL, PLAY_IVR, COLLECT_DTMF, INITIATE_CALL and SESSION_END in a call."""

from typing import Any

import pytest

from tests.workflow.stage import Findings, Stage, done, waiting
from workflow.errors import NodeFailure
from workflow.node_type import NodeType
from workflow.nodes.collect_dtmf import CollectDtmf
from workflow.nodes.incoming_call import IncomingCall
from workflow.nodes.initiate_call import InitiateCall
from workflow.nodes.play_ivr import PlayIvr
from workflow.nodes.session_end import SessionEnd
from workflow.outcome import Settlement, WaitKind
from workflow.voice import CallState, GetDigits, Play, Redirect, Say

CALL, KEYS, PLAY, PLACE = IncomingCall(), CollectDtmf(), PlayIvr(), InitiateCall()
INBOUND = {"msisdn": "+254711000001", "calledNumber": "+254711082000"}


@pytest.fixture
def in_call(stage: Stage) -> Stage:
    stage.call = CallState.LIVE
    return stage


@pytest.mark.parametrize(
    ("document", "narrowness"),
    [
        ({}, 0),
        ({"calledNumber": "+254711082000"}, 2),
        ({"phoneNumber": "+254711*"}, 1),
        ({"phoneNumber": "+254711000001", "calledNumber": "+254711082000"}, 6),
        ({"calledNumber": "+254711082001"}, None),
        ({"phoneNumber": "+255*"}, None),
    ],
)
def test_the_narrowest_filter_gets_the_call(document: dict[str, Any], narrowness: int | None) -> None:
    assert CALL.specificity(CALL.config.model_validate(document), INBOUND) == narrowness


def test_a_hidden_number_starts_only_flows_that_want_it() -> None:
    hidden = {**INBOUND, "msisdn": ""}
    assert CALL.specificity(CALL.config.model_validate({}), hidden) is None
    assert CALL.specificity(CALL.config.model_validate({"requireCallerId": False}), hidden) == 0


async def test_words_and_recordings_are_heard_as_often_as_the_flow_says(in_call: Stage) -> None:
    said = done(await in_call.run(PLAY, {"text": "Hello", "voice": "male", "loop": 2, "bargeIn": True}))
    assert (list(said.actions), said.output) == ([Say("Hello", "male", interruptible=True)] * 2, {"played": True})
    played = done(await in_call.run(PLAY, {"audioUrl": "https://example.com/a.mp3"}))
    assert list(played.actions) == [Play("https://example.com/a.mp3")]


@pytest.mark.parametrize("text", [" ", "x" * 4001])
async def test_a_text_that_is_empty_or_too_long_is_not_said(in_call: Stage, text: str) -> None:
    with pytest.raises(NodeFailure, match="INVALID_MESSAGE"):
        await in_call.run(PLAY, {"text": text})


@pytest.mark.parametrize("node_type", [PLAY, KEYS])
async def test_without_a_call_a_node_that_speaks_fails(stage: Stage, node_type: NodeType[Any]) -> None:
    with pytest.raises(NodeFailure, match="NO_CALL"):
        await stage.run(node_type, {"text": "Hello"})


async def test_a_prompt_is_said_while_keys_may_be_pressed_already(in_call: Stage) -> None:
    config = {"maxDigits": 4, "timeout": 5, "finishOnKey": "#", "playPrompt": "Your PIN"}
    wait = waiting(await in_call.run(KEYS, config))
    assert list(wait.actions) == [GetDigits(4, 5, "#", Say("Your PIN"))]
    assert wait.expires_in_ms > 5000


@pytest.mark.parametrize(
    ("config", "typed"),
    [
        ({"validKeys": "12"}, "3"),
        ({"minDigits": 2}, "1"),
        ({}, ""),
        ({"maxDigits": 2}, "123"),
    ],
)
async def test_a_row_that_does_not_fit_is_asked_for_again_or_fails(
    in_call: Stage, config: dict[str, Any], typed: str
) -> None:
    again = waiting(await in_call.resume(KEYS, {**config, "invalidKeyMessage": "No"}, {"tries": 0}, typed))
    assert again.actions[0] == Say("No")
    assert again.memory == {"tries": 1}
    for last in ({"tries": 3}, {"tries": 0}):
        refused = config if last["tries"] else {**config, "retryOnInvalid": False}
        with pytest.raises(NodeFailure, match="INVALID_INPUT"):
            await in_call.resume(KEYS, refused, last, typed)


async def test_a_call_is_placed_under_its_key_and_waited_for(stage: Stage) -> None:
    stage.default_country = "KE"
    wait = waiting(await stage.run(PLACE, {"to": "0711000001", "from": "+254711082000"}))
    [request] = stage.exchange.requests
    assert (request.to, request.caller_id, request.idempotency_key) == ("+254711000001", "+254711082000", "exec-1:n:2")
    assert (wait.kind, wait.memory) == (WaitKind.CALL, {"callSessionId": "ATVId_1"})


async def test_an_answer_opens_the_call_and_anything_else_leaves_by_no_answer(stage: Stage) -> None:
    memory, config = {"callSessionId": "ATVId_1"}, {"to": "+254711000001"}
    answered = done(await stage.resume(PLACE, config, memory, None, {"answered": True, "callSessionId": "ATVId_2"}))
    assert (answered.handle, answered.opens_call) == (None, "ATVId_2"), "the id that the network called under"
    for event in (None, {"answered": False, "cause": "USER_BUSY", "callSessionId": "ATVId_1"}):
        missed = done(await stage.resume(PLACE, config, memory, None, event))
        assert (missed.handle, missed.opens_call) == ("no_answer", None)
    settled = await PLACE.settle(
        PLACE.config.model_validate(config), stage.context, Settlement("", "ATVId_9", "Answered")
    )
    assert (settled.opens_call, settled.output["callSessionId"]) == ("ATVId_9", "ATVId_9")


async def test_a_dry_run_calls_nobody_and_goes_on_as_if_somebody_had_answered(stage: Stage) -> None:
    rehearsed = done(await stage.rehearse(PLACE, {"to": "+254711000001"}))
    assert (stage.exchange.requests, rehearsed.output["dryRun"]) == ([], True)
    assert rehearsed.opens_call is not None


async def test_goodbye_is_said_in_a_call_and_another_application_may_go_on(in_call: Stage) -> None:
    ended = done(await in_call.run(SessionEnd(), {"message": "Bye", "redirectUrl": "https://example.com/next"}))
    assert (list(ended.actions), ended.text) == ([Say("Bye"), Redirect("https://example.com/next")], None)


@pytest.mark.parametrize(
    ("node_type", "document", "fields"),
    [
        (CALL, {"maxCallDuration": 60}, ["maxCallDuration"]),
        (PLAY, {"text": "x", "voice": "child", "language": "sw"}, ["voice", "language"]),
        (PLAY, {"audioUrl": "https://x.example/a", "audioFormat": "gsm", "sampleRate": 8000, "timeout": 5}, [
            "audioFormat", "sampleRate", "timeout",
        ]),
        (KEYS, {"invalidKeyTone": True}, ["invalidKeyTone"]),
        (PLACE, {"to": "+254711000001", "recordCall": True, "recordingUrl": "https://x.example", "enableDtmf": False}, [
            "recordCall", "recordingUrl", "enableDtmf",
        ]),
    ],
)  # fmt: skip
def test_what_the_network_has_nothing_for_is_a_warning(
    findings: Findings, node_type: NodeType[Any], document: dict[str, Any], fields: list[str]
) -> None:
    assert findings(node_type, document) == [("UNSUPPORTED_BY_PROVIDER", field) for field in fields]
    assert findings(KEYS, {}) == []
