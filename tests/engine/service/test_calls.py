"""Callbacks of calls in an order, or with words, that were not hoped for: over a real engine."""

import json

import httpx

from njia.engine.v1 import engine_service_pb2 as pb, voice_pb2
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.platform import Flow, MakeFlow, Platform
from tests.engine.service.publishing import publish

PHONE, NUMBER = "+254711000001", "+254711082000"
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED
TIMEOUT = workflow_pb2.EXECUTION_STATUS_TIMEOUT
ASKS_TWICE: list[Flow] = [
    {"id": "first", "type": "COLLECT_DTMF", "config": {"maxDigits": 1, "timeout": 60, "playPrompt": "First"}},
    {"id": "second", "type": "COLLECT_DTMF", "config": {"maxDigits": 1, "timeout": 60, "playPrompt": "Second"}},
    {"id": "bye", "type": "SESSION_END", "config": {"message": "{{node_first.output.digits}}"}},
]


def said(answer: voice_pb2.HandleVoiceResponse) -> list[str]:
    """What is heard next."""
    return [action.say.text or action.get_digits.say.text for action in answer.actions]


async def test_keys_without_a_query_and_a_call_under_another_id_reach_the_node_that_waits(
    platform: Platform, flow: MakeFlow
) -> None:
    calling: Flow = {"id": "call", "type": "INITIATE_CALL", "config": {"to": PHONE}}
    edges = ["start > call", "call > first", "first > second", "second > bye"]
    source = flow("asking", {"type": "SMS_RECEIVED"}, [calling, *ASKS_TWICE], edges)
    begun = await platform.engine.Execute(
        pb.ExecuteRequest(workflow=source, trigger_payload_json=json.dumps({"msisdn": PHONE}))
    )
    execution_id = begun.result.execution_id
    async with httpx.AsyncClient(base_url=platform.emulator_url, timeout=30) as control:
        [placed] = (await control.get("/control/calls", params={"msisdn": PHONE})).json()["calls"]
    call = f"{placed['sessionId']}f"

    async def comes(digits: str | None = None) -> voice_pb2.HandleVoiceResponse:
        callback = voice_pb2.HandleVoiceRequest(
            session_id=call, direction="Outbound", request_id=f"{execution_id}:call:0", digits=digits
        )
        return await platform.engine.HandleVoice(callback)

    assert said(await comes()) == ["First"]
    assert said(await comes(digits="1")) == ["Second"]
    assert said(await comes(digits="1")) == ["1"]

    result = (await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=execution_id))).execution
    assert result.status == COMPLETED
    placing = next(json.loads(row.output_json) for row in result.node_results if row.node_id == "call")
    assert placing == {"callSessionId": call, "status": "Answered"}


async def test_a_call_whose_end_is_told_before_its_beginning_asks_for_no_key(
    platform: Platform, flow: MakeFlow
) -> None:
    trigger = {"type": "INCOMING_CALL", "config": {"calledNumber": NUMBER}}
    edges = ["start > first", "first > second", "second > bye"]
    await publish(platform, flow("line", trigger, ASKS_TWICE, edges))
    ended = voice_pb2.HandleVoiceEndRequest(session_id="A1", direction="Inbound", hangup_cause="ORIGINATOR_CANCEL")
    await platform.engine.HandleVoiceEnd(ended)

    begun = voice_pb2.HandleVoiceRequest(session_id="A1", msisdn=PHONE, called_number=NUMBER, direction="Inbound")
    answer = await platform.engine.HandleVoice(begun)

    assert [action.WhichOneof("action") for action in answer.actions] == ["say"]
    result = (await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=answer.execution_id))).execution
    assert [(row.node_id, row.error.code) for row in result.node_results] == [("start", ""), ("first", "TIMEOUT")]
    assert (result.status, "ORIGINATOR_CANCEL" in result.error.message) == (TIMEOUT, True)


async def test_keys_without_a_query_are_for_what_was_asked_last_in_a_call_that_came_in(
    platform: Platform, flow: MakeFlow
) -> None:
    trigger = {"type": "INCOMING_CALL", "config": {"calledNumber": NUMBER}}
    edges = ["start > first", "first > second", "second > bye"]
    await publish(platform, flow("line", trigger, ASKS_TWICE, edges))

    async def comes(digits: str | None = None) -> voice_pb2.HandleVoiceResponse:
        callback = voice_pb2.HandleVoiceRequest(
            session_id="A2", msisdn=PHONE, called_number=NUMBER, direction="Inbound", digits=digits
        )
        return await platform.engine.HandleVoice(callback)

    assert said(await comes(digits="9")) == ["First"], "nothing was asked before the first callback"
    assert said(await comes(digits="1")) == ["Second"]
    assert said(await comes(digits="1")) == ["1"]
