"""settings.maxConcurrentExecutions, over all engines."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import refusal_of
from services.engine import ids
from services.engine.executions import flow_places
from services.engine.store import keys
from services.engine.triggers.ussd_turns import FLOW_IS_FULL
from storage.connection import Client, connect
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused

PHONE = "+254711000001"
SPENT = grpc.StatusCode.RESOURCE_EXHAUSTED
RUNNING = workflow_pb2.EXECUTION_STATUS_RUNNING
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose()


def asking(flow: MakeFlow, limit: int | None) -> workflow_pb2.WorkflowSource:
    """A flow that asks a question and waits."""
    return flow(
        "asking",
        {"type": "USSD_SESSION_START"},
        [
            {"id": "ask", "type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}},
            {"id": "bye", "type": "SESSION_END", "config": {"message": "Bye"}},
        ],
        ["start > ask", "ask > bye"],
        settings={} if limit is None else {"maxConcurrentExecutions": limit},
    )


def texting(flow: MakeFlow, limit: int) -> workflow_pb2.WorkflowSource:
    """A flow that an SMS starts and that waits."""
    return flow(
        "texting",
        {"type": "SMS_RECEIVED"},
        [{"id": "ask", "type": "SEND_USSD_RESPONSE", "config": {"message": "?", "expectInput": True}}],
        ["start > ask"],
        settings={"maxConcurrentExecutions": limit},
    )


def run(source: workflow_pb2.WorkflowSource, **more: Any) -> pb.ExecuteRequest:
    return pb.ExecuteRequest(workflow=source, trigger_payload_json=f'{{"msisdn": "{PHONE}"}}', **more)


def hop(session_id: str, text: str = "") -> pb.HandleUssdRequest:
    return pb.HandleUssdRequest(session_id=session_id, msisdn=PHONE, service_code="*1#", text=text)


def text(message_id: str) -> pb.HandleSmsRequest:
    return pb.HandleSmsRequest(message_id=message_id, msisdn=PHONE, message="hi", short_code="22384")


async def count(platform: Platform) -> int:
    answer = await platform.engine.ListExecutions(pb.ListExecutionsRequest(page_size=100))
    return len(answer.executions)


@pytest.mark.also_on_a_cluster
async def test_two_engines_together_begin_as_many_as_the_flow_allows(platform: Platform, flow: MakeFlow) -> None:
    source = asking(flow, 3)

    async def outcome(number: int) -> str:
        engine = (platform.engine, platform.other_engine)[number % 2]
        try:
            return (await engine.Execute(run(source))).result.execution_id
        except grpc.aio.AioRpcError as error:
            return refusal_of(error).reason

    outcomes = Counter(await asyncio.gather(*(outcome(number) for number in range(20))))

    assert outcomes["WORKFLOW_BUSY"] == 17
    assert await count(platform) == 3


async def test_a_refusal_says_what_is_full_and_when_to_come_back(platform: Platform, flow: MakeFlow) -> None:
    source = asking(flow, 1)
    await platform.engine.Execute(run(source))

    refusal = await refused(platform.other_engine.Execute(run(source)))

    assert (refusal.code, refusal.reason) == (SPENT, "WORKFLOW_BUSY")
    assert refusal.metadata == {"workflow_id": "asking", "limit": "1"}
    assert refusal.retry_after_ms == 5000
    assert "maxConcurrentExecutions" in refusal.message


async def test_an_execution_that_ends_or_is_cancelled_makes_room(platform: Platform, flow: MakeFlow) -> None:
    source = asking(flow, 1)
    first = (await platform.engine.Execute(run(source))).result
    ended = (await platform.other_engine.Execute(run(source, session_id=first.session_id))).result
    second = (await platform.engine.Execute(run(source))).result
    await platform.other_engine.CancelExecution(pb.CancelExecutionRequest(execution_id=second.execution_id))
    third = (await platform.other_engine.Execute(run(source))).result

    assert [ended.status, second.status, third.status] == [COMPLETED, RUNNING, RUNNING]


async def test_what_waits_is_resumed_however_full_the_flow_is(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, asking(flow, 1))
    first = await platform.engine.HandleUssd(hop("ATUid_1"))
    repeated = await platform.other_engine.HandleUssd(hop("ATUid_1"))
    stranger = await platform.engine.HandleUssd(hop("ATUid_2"))
    last = await platform.other_engine.HandleUssd(hop("ATUid_1", "1"))

    assert [first.reply.text, repeated.reply.text, last.reply.text] == ["?", "?", "Bye"]
    assert stranger.reply.text == FLOW_IS_FULL.text
    assert repeated.repeated_answer


@pytest.mark.also_on_a_cluster
async def test_one_idempotency_key_counts_once(platform: Platform, flow: MakeFlow, redis: Client) -> None:
    source = asking(flow, 1)
    calls = [platform.engine, platform.other_engine] * 3
    results = [(await engine.Execute(run(source, idempotency_key="k"))).result for engine in calls]

    assert len({result.execution_id for result in results}) == 1
    assert await redis.zcard(keys.places("asking")) == 1


async def test_a_key_that_was_refused_begins_once_there_is_room(platform: Platform, flow: MakeFlow) -> None:
    source = asking(flow, 1)
    first = (await platform.engine.Execute(run(source))).result
    refusal = await refused(platform.engine.Execute(run(source, idempotency_key="k")))
    await platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=first.execution_id))
    later = (await platform.engine.Execute(run(source, idempotency_key="k"))).result

    assert (refusal.reason, later.status) == ("WORKFLOW_BUSY", RUNNING)


async def test_a_phone_that_dials_a_full_flow_is_told_so_and_may_dial_again(
    platform: Platform, flow: MakeFlow, redis: Client
) -> None:
    await publish(platform, asking(flow, 1))
    await platform.engine.HandleUssd(hop("ATUid_1"))
    refused_call = await platform.other_engine.HandleUssd(hop("ATUid_2"))
    recorded = await redis.exists(keys.ledger(ids.partition_of_session("ATUid_2"), "ATUid_2"))
    await platform.engine.HandleUssd(hop("ATUid_1", "1"))
    again = await platform.other_engine.HandleUssd(hop("ATUid_2"))

    assert (refused_call.reply.kind, refused_call.reply.text) == ("end", FLOW_IS_FULL.text)
    assert (refused_call.execution_id, recorded) == ("", 0)
    assert again.reply.text == "?"


async def test_a_callback_that_comes_twice_at_once_counts_once(
    platform: Platform, flow: MakeFlow, redis: Client
) -> None:
    await publish(platform, asking(flow, 1))
    engines = [platform.engine, platform.other_engine] * 4
    answers = await asyncio.gather(*(engine.HandleUssd(hop("ATUid_1")) for engine in engines))

    assert {answer.reply.text for answer in answers} == {"?"}
    assert len({answer.execution_id for answer in answers}) == 1
    assert await redis.zcard(keys.places("asking")) == 1


async def test_an_sms_for_a_full_flow_is_to_come_again_and_a_recorded_one_is_not(
    platform: Platform, flow: MakeFlow
) -> None:
    await publish(platform, texting(flow, 1))
    first = await platform.engine.HandleSms(text("m1"))
    repeated = await platform.other_engine.HandleSms(text("m1"))
    refusal = await refused(platform.other_engine.HandleSms(text("m2")))
    await platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=first.execution_id))
    second = await platform.engine.HandleSms(text("m2"))
    late = await platform.engine.HandleSms(text("m1"))

    assert first.execution_id == repeated.execution_id == late.execution_id
    assert (refusal.code, refusal.reason) == (SPENT, "WORKFLOW_BUSY")
    assert second.execution_id
    assert await count(platform) == 2


async def test_an_sms_that_comes_twice_to_a_flow_without_sessions_keeps_its_place(
    platform: Platform, flow: MakeFlow
) -> None:
    pause = {"id": "pause", "type": "DELAY", "config": {"duration": 3_600_000}}
    await publish(
        platform,
        flow("later", {"type": "SMS_RECEIVED"}, [pause], ["start > pause"], settings={"maxConcurrentExecutions": 1}),
    )
    first = await platform.engine.HandleSms(text("m1"))
    repeated = await platform.other_engine.HandleSms(text("m1"))
    refusal = await refused(platform.other_engine.HandleSms(text("m2")))

    assert first.execution_id == repeated.execution_id
    assert refusal.reason == "WORKFLOW_BUSY"


@pytest.mark.also_on_a_cluster
async def test_places_of_dead_engines_are_found_and_freed(platform: Platform, flow: MakeFlow, redis: Client) -> None:
    source = asking(flow, 3)
    place = keys.places("asking")
    live = (await platform.engine.Execute(run(source))).result
    ended = (await platform.engine.Execute(run(source))).result
    await platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=ended.execution_id))
    now_ms = int((await redis.time())[0]) * 1000
    long_ago_ms = now_ms - flow_places.BEGIN_WITHIN_MS - 1000
    never_began, about_to_begin = "ATUid_never", "ATUid_soon"
    # What engines leave that died behind the end, before the beginning, and one that is at it.
    await redis.zadd(place, {ended.session_id: long_ago_ms, never_began: long_ago_ms})

    begun = (await platform.other_engine.Execute(run(source))).result
    holders = set(await redis.zrange(place, 0, -1))
    await redis.zadd(place, {about_to_begin: now_ms - 5000, begun.session_id: now_ms - 5000})
    refusal = await refused(platform.engine.Execute(run(source)))

    assert holders == {live.session_id.encode(), begun.session_id.encode()}
    assert refusal.reason == "WORKFLOW_BUSY"


async def test_a_rehearsal_and_a_flow_without_a_limit_take_no_place(
    platform: Platform, flow: MakeFlow, redis: Client
) -> None:
    rehearsed = run(asking(flow, 1))
    rehearsed.options.dry_run = True
    for request in (rehearsed, rehearsed, run(asking(flow, None)), run(asking(flow, None))):
        await platform.engine.Execute(request)

    assert await redis.exists(keys.places("asking")) == 0


async def test_the_newest_version_s_limit_counts_what_began_before(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, asking(flow, 5))
    for number in range(3):
        await platform.engine.HandleUssd(hop(f"ATUid_{number}"))
    await publish(platform, asking(flow, 3))
    newest = pb.ExecuteRequest(ref=workflow_pb2.WorkflowRef(workflow_id="asking"))

    assert (await refused(platform.engine.Execute(newest))).reason == "WORKFLOW_BUSY"
