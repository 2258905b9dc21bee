"""Two engines over one Redis share the work."""

import asyncio
import json

import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.phone_network import phone_network_of
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish
from tests.engine.service.waiting import until

PHONE = "+254711000001"


def hop(text: str) -> pb.HandleUssdRequest:
    return pb.HandleUssdRequest(session_id="ATUid_1", msisdn=PHONE, service_code="*1#", text=text)


def questions(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    ask = {"type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}}
    return flow(
        "questions",
        {"type": "USSD_SESSION_START"},
        [
            {"id": "first", **ask},
            {"id": "second", **ask, "config": {"message": "and {{input}}?", "expectInput": True}},
            {"id": "bye", "type": "SESSION_END", "config": {"message": "got {{input}}"}},
            {"id": "note", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "hello"}},
        ],
        ["start > first", "start > note", "first > second", "second > bye"],
    )


@pytest.mark.also_on_a_cluster
async def test_each_screen_may_be_answered_by_another_engine(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, questions(flow))
    answers = [
        await engine.HandleUssd(hop(text))
        for engine, text in (
            (platform.engine, ""),
            (platform.other_engine, "a"),
            (platform.engine, "a*b"),
            (platform.other_engine, "a*b"),
        )
    ]

    assert [answer.reply.text for answer in answers] == ["?", "and a?", "got b", "got b"]
    assert [answer.repeated_answer for answer in answers] == [False, False, False, True]
    assert len({answer.execution_id for answer in answers}) == 1


async def test_a_node_that_still_runs_in_one_engine_does_not_delay_a_screen_of_the_other(
    platform: Platform, flow: MakeFlow
) -> None:
    await publish(platform, questions(flow))
    async with phone_network_of(platform) as network:
        await network.hold_up_sends()
        await platform.engine.HandleUssd(hop(""))
        await until(network.has_sent)
        second = await platform.other_engine.HandleUssd(hop("a"))

    assert second.reply.text == "and a?"


@pytest.mark.also_on_a_cluster
async def test_one_callback_that_reaches_both_engines_at_once_runs_once(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, questions(flow))
    both = await asyncio.gather(platform.engine.HandleUssd(hop("")), platform.other_engine.HandleUssd(hop("")))
    log = await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=both[0].execution_id))

    assert [answer.reply.text for answer in both] == ["?", "?"]
    assert both[0].execution_id == both[1].execution_id
    assert [result.node_id for result in log.execution.node_results].count("start") == 1


@pytest.mark.also_on_a_cluster
async def test_a_flow_that_one_engine_publishes_answers_at_the_other_at_once(
    platform: Platform, flow: MakeFlow
) -> None:
    nobody = await platform.other_engine.HandleUssd(pb.HandleUssdRequest(session_id="ATUid_0", msisdn=PHONE))
    await publish(platform, questions(flow))
    somebody = await platform.other_engine.HandleUssd(hop(""))

    assert nobody.execution_id == ""
    assert somebody.reply.text == "?"


@pytest.mark.also_on_a_cluster
async def test_a_phone_goes_on_with_what_a_client_began_on_its_session(platform: Platform, flow: MakeFlow) -> None:
    begun = await platform.engine.Execute(
        pb.ExecuteRequest(
            workflow=questions(flow),
            trigger_payload_json=json.dumps({"msisdn": PHONE, "sessionId": "ATUid_1"}),
        )
    )
    answers = [await platform.engine.HandleUssd(hop(text)) for text in ("a", "a*b")]

    assert begun.result.reply.text == "?"
    assert [answer.reply.text for answer in answers] == ["and a?", "got b"]
    assert {answer.execution_id for answer in answers} == {begun.result.execution_id}


async def test_a_repeated_execute_waits_for_what_another_engine_runs(platform: Platform, flow: MakeFlow) -> None:
    note = {"id": "note", "type": "SEND_SMS", "config": {"to": PHONE, "message": "hello"}}
    request = pb.ExecuteRequest(
        workflow=flow("alert", {"type": "SMS_RECEIVED"}, [note], ["start > note"]),
        trigger_payload_json=json.dumps({"sender": PHONE, "message": "hello", "timestamp": "2026-11-28T08:00:00Z"}),
        idempotency_key="once",
        options=pb.ExecuteOptions(wait_ms=20_000),
    )
    async with phone_network_of(platform) as network:
        await network.hold_up_sends()
        calls = [asyncio.ensure_future(engine.Execute(request)) for engine in (platform.engine, platform.other_engine)]
        await until(network.has_sent)
        # Long enough for an answer that does not wait for the end.
        await asyncio.wait(calls, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        await network.answer_sends()
        both = await asyncio.gather(*calls)

    assert [answer.result.status for answer in both] == [workflow_pb2.EXECUTION_STATUS_COMPLETED] * 2
    assert both[0].result.execution_id == both[1].result.execution_id
