"""ReplayExecution over a real engine: the same inputs again, without effects unless they are asked for."""

import json
from typing import Any

import grpc
import httpx
import pytest

from njia.engine.v1 import engine_service_pb2 as pb, voice_pb2 as voice_pb
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused

PHONE, CODE = "+254711000001", "*384*1#"
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED
FAILED = workflow_pb2.EXECUTION_STATUS_FAILED


def selling(flow: MakeFlow, **settings: Any) -> workflow_pb2.WorkflowSource:
    """A flow that asks how much, confirms it by SMS, and says goodbye."""
    nodes = [
        {"id": "ask", "type": "SEND_USSD_RESPONSE", "config": {"message": "How many?", "expectInput": True}},
        {"id": "send", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "{{input}} kg"}},
        {"id": "bye", "type": "SESSION_END", "config": {"message": "Bye"}},
    ]
    edges = ["start > ask", "ask > send", "send > bye"]
    return flow("selling", {"type": "USSD_SESSION_START"}, nodes, edges, settings=settings)


async def dial(platform: Platform, *texts: str) -> str:
    """Plays a session; returns its execution."""
    for text in texts:
        answer = await platform.engine.HandleUssd(
            pb.HandleUssdRequest(session_id="ATUid_1", msisdn=PHONE, service_code=CODE, text=text)
        )
    return answer.execution_id


async def inbox(platform: Platform) -> list[str]:
    async with httpx.AsyncClient(base_url=platform.emulator_url, timeout=30) as control:
        answer = await control.get("/control/messages", params={"to": PHONE})
    return [message["text"] for message in answer.json()["messages"]]


async def replay(platform: Platform, execution_id: str, **options: bool) -> pb.ReplayExecutionResponse:
    return await platform.engine.ReplayExecution(pb.ReplayExecutionRequest(execution_id=execution_id, **options))


def changed(answer: pb.ReplayExecutionResponse) -> list[tuple[str, str, Any, Any]]:
    return [
        (row.node_id, row.field, json.loads(row.before_json or "null"), json.loads(row.after_json or "null"))
        for row in answer.differences
    ]


@pytest.mark.also_on_a_cluster
async def test_a_conversation_goes_the_same_way_again_and_sends_nothing(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, selling(flow))
    execution_id = await dial(platform, "", "70")

    answer = await replay(platform, execution_id)

    assert changed(answer) == []
    assert answer.execution.execution_id != execution_id
    assert answer.execution.status == COMPLETED
    assert [result.node_id for result in answer.execution.node_results] == ["start", "ask", "send", "bye"]
    assert await inbox(platform) == ["70 kg"]


async def test_a_replay_for_real_sends_again(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, selling(flow))
    execution_id = await dial(platform, "", "70")

    answer = await replay(platform, execution_id, dry_run=False)

    assert answer.execution.status == COMPLETED
    assert await inbox(platform) == ["70 kg", "70 kg"]


async def test_what_goes_otherwise_is_told_node_by_node(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, selling(flow))
    async with httpx.AsyncClient(base_url=platform.emulator_url, timeout=30) as control:
        answer = await control.post(
            "/control/faults", json={"product": "sms", "kind": "http_status", "status": 401, "times": 1}
        )
        assert answer.is_success, answer.text
        execution_id = await dial(platform, "", "70")
        await control.delete("/control/faults")

    again = await replay(platform, execution_id, dry_run=False)

    rows = changed(again)
    assert ("", "status", "failed", "completed") in rows
    assert ("send", "status", "error", "success") in rows
    assert ("bye", "status", None, "success") in rows


def reminding(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    """A flow that calls a person and texts them the key that they press."""
    nodes = [
        {"id": "call", "type": "INITIATE_CALL", "config": {"to": PHONE}},
        {"id": "ask", "type": "COLLECT_DTMF", "config": {"maxDigits": 1, "timeout": 60}},
        {
            "id": "send",
            "type": "SEND_SMS",
            "config": {"to": PHONE, "message": "Key {{node_ask.output.digits}}"},
        },
        {"id": "bye", "type": "SESSION_END", "config": {"message": "Bye"}},
    ]
    edges = ["start > call", "call > ask", "ask > send", "send > bye"]
    return flow("reminding", {"type": "SMS_RECEIVED"}, nodes, edges)


async def begin_reminding(platform: Platform, flow: MakeFlow) -> str:
    payload = json.dumps({"msisdn": PHONE, "message": "call me"})
    request = pb.ExecuteRequest(workflow=reminding(flow), trigger_payload_json=payload)
    return (await platform.engine.Execute(request)).result.execution_id


async def talk(platform: Platform, execution_id: str) -> None:
    """Picks up the call that an execution placed, presses 7, and hangs up."""
    async with httpx.AsyncClient(base_url=platform.emulator_url, timeout=30) as control:
        calls = (await control.get("/control/calls", params={"msisdn": PHONE})).json()["calls"]
    call, request = calls[-1]["sessionId"], f"{execution_id}:call:0"
    asked = await platform.engine.HandleVoice(
        voice_pb.HandleVoiceRequest(session_id=call, direction="Outbound", request_id=request)
    )
    pressed = voice_pb.HandleVoiceRequest(
        session_id=call, direction="Outbound", request_id=request, answers=asked.turn, digits="7"
    )
    assert (await platform.engine.HandleVoice(pressed)).execution_id == execution_id
    await platform.engine.HandleVoiceEnd(
        voice_pb.HandleVoiceEndRequest(session_id=call, direction="Outbound", request_id=request, status="Completed")
    )


async def test_what_was_pressed_in_a_call_that_the_flow_placed_is_pressed_again(
    platform: Platform, flow: MakeFlow
) -> None:
    execution_id = await begin_reminding(platform, flow)
    await talk(platform, execution_id)

    for dry_run, sent in ((True, 1), (False, 2)):
        again = await replay(platform, execution_id, dry_run=dry_run)
        assert again.execution.status == COMPLETED
        assert [result.node_id for result in again.execution.node_results] == ["start", "call", "ask", "send", "bye"]
        assert [row for row in changed(again) if row[0] in ("call", "ask")] == []
        assert await inbox(platform) == ["Key 7"] * sent


async def test_a_call_that_came_to_nothing_comes_to_the_same_in_a_rehearsal(platform: Platform, flow: MakeFlow) -> None:
    for cause, status in (("USER_BUSY", COMPLETED), ("UNALLOCATED_NUMBER", FAILED)):
        execution_id = await begin_reminding(platform, flow)
        await platform.engine.HandleVoiceEnd(
            voice_pb.HandleVoiceEndRequest(
                session_id="ATVId_x", direction="Outbound", request_id=f"{execution_id}:call:0", hangup_cause=cause
            )
        )

        again = await replay(platform, execution_id)

        assert (changed(again), again.execution.status) == ([], status)
        [placed] = [row for row in again.execution.node_results if row.node_id == "call"]
        went = json.loads(placed.output_json)["status"] if placed.output_json else placed.error.code
        assert went == cause


async def test_an_abandoned_conversation_is_abandoned_again(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, selling(flow))
    execution_id = await dial(platform, "")
    await platform.engine.HandleUssdEnd(pb.HandleUssdEndRequest(session_id="ATUid_1", status="Incomplete"))

    assert changed(await replay(platform, execution_id)) == []


async def test_a_flow_may_forbid_it(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, selling(flow, enableReplay=False))
    execution_id = await dial(platform, "", "70")

    request = pb.ReplayExecutionRequest(execution_id=execution_id)
    refusal = await refused(platform.engine.ReplayExecution(request))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REPLAY_DISABLED")


async def test_what_was_never_executed_cannot_be_replayed(platform: Platform) -> None:
    request = pb.ReplayExecutionRequest(execution_id="exe_0" + 24 * "0")

    assert (await refused(platform.engine.ReplayExecution(request))).reason == "EXECUTION_NOT_FOUND"
