"""WAIT_FOR_SMS over real engines: who gets a message, and that it counts once."""

import json
from itertools import pairwise
from typing import Any

import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from tests.engine.service.publishing import publish
from tests.engine.service.waiting import until

PHONE, OTHER = "+254711000001", "+254711000002"
CODE = "22384"
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED
RUNNING = workflow_pb2.EXECUTION_STATUS_RUNNING
TIMED_OUT = workflow_pb2.EXECUTION_STATUS_TIMEOUT


def survey(flow: MakeFlow, questions: int = 1, **wait: Any) -> workflow_pb2.WorkflowSource:
    """A flow that the word SURVEY starts and that asks for so many messages."""
    names = [f"answer{number}" for number in range(questions)]
    nodes = [{"id": name, "type": "WAIT_FOR_SMS", "config": wait} for name in names]
    last = {"id": "last", "type": "CONDITION", "config": {"expression": "{{input}} != ''"}}
    way = ["start", *names, "last"]
    edges = [f"{source} > {target}" for source, target in pairwise(way)]
    trigger = {"type": "SMS_RECEIVED", "config": {"keyword": "SURVEY"}}
    return flow("survey", trigger, [*nodes, last], edges)


def catch_all(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    check = {"id": "check", "type": "CONDITION", "config": {"expression": "1 == 1"}}
    return flow("catch-all", {"type": "SMS_RECEIVED"}, [check], ["start > check"])


async def text(platform: Platform, message: str, message_id: str, phone: str = PHONE, code: str = CODE) -> str:
    """Sends an SMS; returns the execution that took it."""
    sms = pb.HandleSmsRequest(message_id=message_id, msisdn=phone, message=message, short_code=code)
    return (await platform.engine.HandleSms(sms)).execution_id


async def log(platform: Platform, execution_id: str) -> pb.ExecutionLog:
    answer = await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=execution_id))
    return answer.execution


async def waits_at(platform: Platform, execution_id: str, node_id: str) -> None:
    async def waits() -> bool:
        waiting = (await log(platform, execution_id)).waiting_for
        return (waiting.node_id, waiting.kind) == (node_id, "sms")

    await until(waits)


async def over(platform: Platform, execution_id: str) -> pb.ExecutionLog:
    async def has_ended() -> bool:
        return (await log(platform, execution_id)).status != RUNNING

    await until(has_ended)
    return await log(platform, execution_id)


def outputs(execution: pb.ExecutionLog) -> dict[str, Any]:
    return {result.node_id: json.loads(result.output_json or "null") for result in execution.node_results}


@pytest.mark.also_on_a_cluster
async def test_the_next_message_of_the_phone_answers_and_the_one_behind_it_does_not(
    platform: Platform, flow: MakeFlow
) -> None:
    await publish(platform, survey(flow, questions=2))
    begun = await text(platform, "SURVEY", "m1")
    await waits_at(platform, begun, "answer0")

    assert await text(platform, "Very good", "m2") == begun
    await waits_at(platform, begun, "answer1")
    assert await text(platform, "Very good", "m2") == begun, "the same message again"
    assert (await log(platform, begun)).waiting_for.node_id == "answer1"
    assert await text(platform, " \u0665 bags\n", "m3") == begun

    ended = await over(platform, begun)
    assert ended.status == COMPLETED
    found = outputs(ended)
    assert [found[name]["message"] for name in ("answer0", "answer1")] == ["Very good", " \u0665 bags\n"]
    assert [found[name]["input"] for name in ("answer0", "answer1")] == ["Very good", "5 bags"]
    assert found["answer1"]["shortCode"] == CODE
    assert await text(platform, "Hello?", "m4") == ""


async def test_the_message_that_began_a_flow_does_not_answer_its_question_when_it_is_repeated(
    platform: Platform, flow: MakeFlow
) -> None:
    await publish(platform, survey(flow))
    begun = await text(platform, "SURVEY", "m1")
    await waits_at(platform, begun, "answer0")

    assert await text(platform, "SURVEY", "m1") == begun
    assert (await log(platform, begun)).waiting_for.node_id == "answer0"


async def test_a_word_that_a_flow_listens_for_begins_that_flow(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, survey(flow))
    first = await text(platform, "SURVEY", "m1")
    await waits_at(platform, first, "answer0")

    second = await text(platform, "survey please", "m2")

    assert second not in ("", first)
    await waits_at(platform, second, "answer0")
    assert await text(platform, "Good", "m3") == second, "of two that wait the newest gets it"


async def test_a_flow_that_takes_everything_gets_what_nobody_waits_for(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, survey(flow))
    await publish(platform, catch_all(flow))
    begun = await text(platform, "SURVEY", "m1")
    await waits_at(platform, begun, "answer0")

    others = [await text(platform, "Hi", "m2", phone=OTHER), await text(platform, "Hi", "m3", code="40404")]
    assert begun not in others
    assert await text(platform, "Good", "m4") == begun
    await over(platform, begun)
    again = [await text(platform, "Good", "m4"), await text(platform, "Good", "m5")]

    assert again[0] == begun
    assert again[1] not in ("", begun)


async def test_only_the_keyword_answers_where_there_is_one(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, survey(flow, keyword="YES"))
    begun = await text(platform, "SURVEY", "m1")
    await waits_at(platform, begun, "answer0")

    assert await text(platform, "no", "m2") == ""
    assert await text(platform, "Yes, please", "m3") == begun
    assert (await over(platform, begun)).status == COMPLETED


async def test_without_a_message_the_wait_times_out(start_platform: StartPlatform, flow: MakeFlow) -> None:
    platform = await start_platform(NJIA_ENGINE_SCAN_MS="50")
    await publish(platform, survey(flow, timeout=1))
    begun = await text(platform, "SURVEY", "m1")

    ended = await over(platform, begun)

    assert ended.status == TIMED_OUT
    assert ended.error.message == "no SMS came within 1000 ms"
    assert await text(platform, "Too late", "m2") == ""


async def test_a_flow_that_did_not_begin_with_an_sms_takes_one_to_any_number(
    platform: Platform, flow: MakeFlow
) -> None:
    nodes = [{"id": "answer", "type": "WAIT_FOR_SMS", "config": {}}]
    source = flow("called", {"type": "HTTP_WEBHOOK", "config": {"path": "/called"}}, nodes, ["start > answer"])
    payload = json.dumps({"msisdn": PHONE})
    started = await platform.engine.Execute(
        pb.ExecuteRequest(workflow=source, trigger_payload_json=payload, options=pb.ExecuteOptions(wait_ms=5000))
    )
    assert started.result.waiting_for.kind == "sms"

    assert await text(platform, "Hello", "m1", code="12345") == started.result.execution_id
    assert (await over(platform, started.result.execution_id)).status == COMPLETED


async def test_a_rehearsal_takes_no_message(platform: Platform, flow: MakeFlow) -> None:
    options = pb.ExecuteOptions(dry_run=True, wait_ms=5000)
    payload = json.dumps({"msisdn": PHONE, "message": "SURVEY", "shortCode": CODE})
    await platform.engine.Execute(
        pb.ExecuteRequest(workflow=survey(flow), trigger_payload_json=payload, options=options)
    )

    assert await text(platform, "Hello", "m1") == ""
