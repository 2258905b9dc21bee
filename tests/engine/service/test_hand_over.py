"""An engine that is told to stop while a node hangs: the other one goes on at once, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.phone_network import PhoneNetwork, phone_network_of
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused
from tests.engine.service.waiting import until

PHONE = "+254711000001"
DRAIN_SECONDS = "0.2"
RUNNING = workflow_pb2.EXECUTION_STATUS_RUNNING
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED


@pytest.fixture
async def platform(start_platform: StartPlatform) -> Platform:
    return await start_platform(NJIA_ENGINE_DRAIN_SECONDS=DRAIN_SECONDS)


@pytest.fixture
async def network(platform: Platform) -> AsyncIterator[PhoneNetwork]:
    """The emulator; its next send hangs."""
    async with phone_network_of(platform) as network:
        await network.hold_up_sends()
        yield network


def receipt(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    return flow(
        "receipt",
        {"type": "USSD_SESSION_START"},
        [
            {"id": "send", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "hello"}},
            {"id": "bye", "type": "SESSION_END", "config": {"message": "Sent {{node_send.output.messageId}}"}},
        ],
        ["start > send", "send > bye"],
    )


async def log_of(platform: Platform, execution_id: str) -> pb.ExecutionLog:
    return (await platform.other_engine.GetExecution(pb.GetExecutionRequest(execution_id=execution_id))).execution


@pytest.mark.also_on_a_cluster
async def test_a_caller_is_told_at_once_to_ask_the_engine_that_goes_on_and_gets_its_screen(
    platform: Platform, flow: MakeFlow, network: PhoneNetwork
) -> None:
    await publish(platform, receipt(flow))
    request = pb.HandleUssdRequest(session_id="ATUid_1", msisdn=PHONE, service_code="*1#", text="")
    dialled = asyncio.ensure_future(platform.engine.HandleUssd(request))
    await until(network.has_sent)

    platform.stop_engine.set()
    refusal = await refused(dialled)
    assert await network.sent() == 1
    asked_again = asyncio.ensure_future(platform.other_engine.HandleUssd(request))
    await network.answer_sends()
    answer = await asked_again

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "ENGINE_STOPPING")
    assert answer.reply.text.startswith("Sent ATXid_")
    assert await network.sent() == 1
    log = await log_of(platform, answer.execution_id)
    assert [(result.node_id, result.attempt) for result in log.node_results] == [("start", 1), ("send", 1), ("bye", 1)]
    assert {result.status for result in log.node_results} == {workflow_pb2.NODE_STATUS_SUCCESS}


async def test_a_call_that_waits_for_an_execution_is_answered_and_the_other_engine_goes_on(
    platform: Platform, flow: MakeFlow, network: PhoneNetwork
) -> None:
    request = pb.ExecuteRequest(workflow=receipt(flow), trigger_payload_json=f'{{"msisdn": "{PHONE}"}}')
    called = asyncio.ensure_future(platform.engine.Execute(request))
    await until(network.has_sent)

    platform.stop_engine.set()
    result = (await called).result
    await network.answer_sends()

    async def has_ended() -> bool:
        return (await log_of(platform, result.execution_id)).status != RUNNING

    assert result.status == RUNNING
    assert [row.node_id for row in result.node_results] == ["start"]
    await until(has_ended)
    log = await log_of(platform, result.execution_id)
    assert log.status == COMPLETED
    assert [row.node_id for row in log.node_results] == ["start", "send", "bye"]
    assert await network.sent() == 1


async def test_a_call_that_waits_for_a_timer_does_not_hold_up_the_end_of_its_engine(
    start_platform: StartPlatform, flow: MakeFlow
) -> None:
    platform = await start_platform(NJIA_ENGINE_DRAIN_SECONDS="15")
    pause = {"id": "pause", "type": "DELAY", "config": {"duration": 55_000}}
    source = flow("pause", {"type": "SMS_RECEIVED"}, [pause], ["start > pause"])
    request = pb.ExecuteRequest(workflow=source, trigger_payload_json="{}", idempotency_key="key")
    request.options.wait_ms = 60_000
    called = asyncio.ensure_future(platform.engine.Execute(request))

    async def it_pauses() -> bool:
        listed = await platform.other_engine.ListExecutions(pb.ListExecutionsRequest())
        return any(execution.HasField("waiting_for") for execution in listed.executions)

    await until(it_pauses)
    platform.stop_engine.set()

    # Sooner than the drain, and by far than the timer.
    assert (await asyncio.wait_for(called, 14)).result.status == RUNNING


async def test_what_ends_within_the_drain_is_not_handed_over(start_platform: StartPlatform, flow: MakeFlow) -> None:
    platform = await start_platform(NJIA_ENGINE_DRAIN_SECONDS="15")
    async with phone_network_of(platform) as network:
        await network.hold_up_sends()
        request = pb.ExecuteRequest(workflow=receipt(flow), trigger_payload_json=f'{{"msisdn": "{PHONE}"}}')
        called = asyncio.ensure_future(platform.engine.Execute(request))
        await until(network.has_sent)
        platform.stop_engine.set()
        # Long enough for an engine that hands over at once to do so.
        await asyncio.wait({called}, timeout=0.5)
        await network.answer_sends()

        assert (await called).result.status == COMPLETED
