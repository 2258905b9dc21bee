"""What an engine does at its bounds."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from redis.asyncio import Redis

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import Refusal
from services.engine import ids
from services.engine.store import keys
from tests.engine.service.phone_network import PhoneNetwork, phone_network_of
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused
from tests.engine.service.waiting import until

PHONE = "+254711000001"
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED
MAX_LIVE = 2
MOST_TURNS = 16


@pytest.fixture
async def platform(start_platform: StartPlatform) -> Platform:
    return await start_platform(NJIA_ENGINE_MAX_LIVE=str(MAX_LIVE), NJIA_ENGINE_DRAIN_SECONDS="0")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def network(platform: Platform) -> AsyncIterator[PhoneNetwork]:
    async with phone_network_of(platform) as network:
        yield network


def sending(flow: MakeFlow, trigger: str = "SMS_RECEIVED") -> workflow_pb2.WorkflowSource:
    """A flow that sends twice, one message behind the other."""
    send = {"type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "hello"}}
    nodes = [{"id": "one", **send}, {"id": "two", **send}]
    return flow("sending", {"type": trigger}, nodes, ["start > one", "one > two"])


def menu(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    ask = {"type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}}
    bye = {"type": "SESSION_END", "config": {"message": "Bye"}}
    nodes = [{"id": "ask", **ask}, {"id": "bye", **bye}]
    return flow("menu", {"type": "USSD_SESSION_START"}, nodes, ["start > ask", "ask > bye"])


def errand(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    """A menu with a message behind it."""
    send = {"type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "hello"}}
    ask = {"type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}}
    bye = {"type": "SESSION_END", "config": {"message": "Bye"}}
    nodes = [{"id": "ask", **ask}, {"id": "send", **send}, {"id": "bye", **bye}]
    return flow("menu", {"type": "USSD_SESSION_START"}, nodes, ["start > ask", "ask > send", "send > bye"])


def slow_menu(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    send = {"type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "hello"}}
    ask = {"type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}}
    bye = {"type": "SESSION_END", "config": {"message": "Bye"}}
    nodes = [{"id": "send", **send}, {"id": "ask", **ask}, {"id": "bye", **bye}]
    return flow("menu", {"type": "USSD_SESSION_START"}, nodes, ["start > send", "send > ask", "ask > bye"])


def run(source: workflow_pb2.WorkflowSource) -> pb.ExecuteRequest:
    request = pb.ExecuteRequest(workflow=source, trigger_payload_json=f'{{"msisdn": "{PHONE}"}}')
    request.options.wait_ms = 0
    return request


def hop(text: str, session_id: str = "ATUid_1") -> pb.HandleUssdRequest:
    return pb.HandleUssdRequest(session_id=session_id, msisdn=PHONE, service_code="*1#", text=text)


def is_full(refusal: Refusal) -> bool:
    said = (refusal.code, refusal.reason, refusal.retry_after_ms)
    return said == (grpc.StatusCode.RESOURCE_EXHAUSTED, "ENGINE_BUSY", 1000)


async def test_calls_that_come_at_once_begin_no_more_than_the_engine_may_run(
    platform: Platform, flow: MakeFlow, redis: Redis, network: PhoneNetwork
) -> None:
    rehearsal = run(sending(flow))
    rehearsal.options.dry_run = True
    rehearsal.options.ClearField("wait_ms")
    # From now on the engine knows the flow: the calls below are not queued behind its compilation.
    await platform.engine.Execute(rehearsal)
    await network.hold_up_sends(times=100)
    # All of them are on their way to Redis before the first one is recorded.
    await redis.client_pause(300)
    outcomes = await asyncio.gather(
        *(platform.engine.Execute(run(sending(flow))) for _ in range(40)), return_exceptions=True
    )

    assert len([outcome for outcome in outcomes if isinstance(outcome, pb.ExecuteResponse)]) == MAX_LIVE
    assert is_full(await refused(platform.engine.Execute(run(sending(flow)))))


async def test_a_full_engine_refuses_dials_and_sms_and_records_nothing(
    platform: Platform, flow: MakeFlow, redis: Redis, network: PhoneNetwork
) -> None:
    await publish(platform, menu(flow))
    await publish(platform, sending(flow))
    await network.hold_up_sends(times=100)
    for _ in range(MAX_LIVE):
        await platform.engine.Execute(run(sending(flow)))
    sms = pb.HandleSmsRequest(message_id="m1", msisdn=PHONE, message="hi", short_code="22384")

    assert is_full(await refused(platform.engine.HandleUssd(hop("", "ATUid_new"))))
    assert is_full(await refused(platform.engine.HandleSms(sms)))
    assert await redis.exists(keys.ledger(ids.partition_of_session("ATUid_new"), "ATUid_new")) == 0
    assert (await platform.other_engine.HandleUssd(hop("", "ATUid_new"))).reply.text == "?"
    assert (await platform.other_engine.HandleSms(sms)).execution_id


async def test_whoever_is_in_the_middle_of_a_menu_goes_before_whoever_begins(
    platform: Platform, flow: MakeFlow, network: PhoneNetwork
) -> None:
    await publish(platform, menu(flow))
    await platform.engine.HandleUssd(hop(""))
    await network.hold_up_sends(times=100)
    for _ in range(MAX_LIVE):
        await platform.engine.Execute(run(sending(flow)))

    assert (await platform.engine.HandleUssd(hop("1"))).reply.text == "Bye"


async def test_a_full_engine_takes_no_signal_and_records_none(
    platform: Platform, flow: MakeFlow, redis: Redis, network: PhoneNetwork
) -> None:
    await publish(platform, errand(flow))
    left, *others = [f"ATUid_{number}" for number in range(MAX_LIVE + 1)]
    executions = {name: (await platform.engine.HandleUssd(hop("", name))).execution_id for name in (left, *others)}

    async def turns(session_id: str) -> int:
        return await redis.llen(keys.turns(ids.partition_of_session(session_id), executions[session_id]))

    await network.hold_up_sends(times=100)
    for _ in range(MAX_LIVE):
        await platform.engine.Execute(run(sending(flow)))
    typed = [asyncio.ensure_future(platform.engine.HandleUssd(hop("1", name))) for name in others]

    async def all_run() -> bool:
        return [await turns(name) for name in others] == [2] * len(others)

    await until(all_run)
    hung_up = pb.HandleUssdEndRequest(session_id=left, status="Incomplete")

    assert is_full(await refused(platform.engine.HandleUssdEnd(hung_up)))
    assert await turns(left) == 1
    assert (await platform.other_engine.HandleUssdEnd(hung_up)).execution_id == executions[left]
    await network.answer_sends()
    await asyncio.gather(*typed)


async def test_an_engine_takes_over_what_it_has_room_for_and_all_of_it_in_the_end(
    platform: Platform, flow: MakeFlow, network: PhoneNetwork
) -> None:
    await network.hold_up_sends(times=100, each_ms=700)
    begun = [
        (await engine.Execute(run(sending(flow)))).result.execution_id
        for engine in (platform.engine, platform.other_engine)
        for _ in range(MAX_LIVE)
    ]
    platform.stop_engine.set()
    logs: list[pb.ExecutionLog] = []

    async def all_ended() -> bool:
        requests = [pb.GetExecutionRequest(execution_id=execution_id) for execution_id in begun]
        logs[:] = [(await platform.other_engine.GetExecution(request)).execution for request in requests]
        return all(log.status == COMPLETED for log in logs)

    await until(all_ended)

    # What was handed over is logged by the engine that went on: its sends never overlap with more than its bound.
    assert max_overlap(logs) <= MAX_LIVE
    assert [[row.node_id for row in log.node_results] for log in logs] == [["start", "one", "two"]] * len(begun)


def max_overlap(logs: list[pb.ExecutionLog]) -> int:
    """How many executions were sending at once, by their logs."""
    changes = []
    for log in logs:
        first, last = log.node_results[1], log.node_results[2]
        changes.append((first.executed_at.ToMilliseconds(), 1))
        changes.append((last.executed_at.ToMilliseconds() + last.duration_ms, -1))
    running, most = 0, 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most


async def test_a_session_that_types_on_while_its_execution_hangs_fills_no_memory(
    start_platform: StartPlatform, flow: MakeFlow, redis: Redis
) -> None:
    platform = await start_platform(NJIA_USSD_BUDGET_MS="3000")
    await publish(platform, slow_menu(flow))
    async with phone_network_of(platform) as network:
        await network.hold_up_sends()
        await types_on(platform, redis)


async def types_on(platform: Platform, redis: Redis) -> None:
    """Types more than is kept, and hears only that it takes too long."""
    partition = ids.partition_of_session("ATUid_1")
    calls: list[asyncio.Future[pb.HandleUssdResponse]] = []

    async def turns() -> int:
        execution_id = await redis.hget(keys.ledger(partition, "ATUid_1"), "execution")
        return await redis.llen(keys.turns(partition, _text(execution_id))) if execution_id else 0

    async def all_are_recorded() -> bool:
        return await turns() == len(calls)

    for length in range(MOST_TURNS + 10):
        calls.append(asyncio.ensure_future(platform.engine.HandleUssd(hop("*".join("1" * length)))))
        if length < MOST_TURNS:
            await until(all_are_recorded)
    answers = await asyncio.gather(*calls)

    assert await turns() == MOST_TURNS
    assert {answer.reply.kind for answer in answers} == {"end"}


async def test_a_text_that_nobody_can_have_typed_is_refused(platform: Platform) -> None:
    refusal = await refused(platform.engine.HandleUssd(hop("1*" * 2049)))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


def _text(answer: bytes | str) -> str:
    return answer.decode() if isinstance(answer, bytes) else answer
