"""Rates over all engines: the turns that a shared store gives, the node, and settings.rateLimit."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from services.engine.store.redis.rate_limits import SharedRates
from services.engine.triggers.ussd_turns import FLOW_IS_FULL
from storage.connection import Client, connect
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused
from workflow.ports import Permit, Rate

HOUR_MS = 3_600_000
LONG_MS = 100 * HOUR_MS
WINDOW_MS = 300
COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose()


async def turns(redis: Client, rate: Rate, count: int) -> list[int]:
    """How long so many permits wait, ms, asked for side by side and sorted."""
    asked = [SharedRates(redis).reserve(rate, f"permit-{number}", LONG_MS) for number in range(count)]
    permits = await asyncio.gather(*asked)
    assert all(permit.granted for permit in permits)
    return sorted(permit.wait_ms for permit in permits)


@pytest.mark.also_on_a_cluster
@pytest.mark.parametrize("strategy", ["fixed", "sliding"])
async def test_no_window_has_more_turns_than_it_may(redis: Client, strategy: str) -> None:
    waits = await turns(redis, Rate("k", 3, HOUR_MS, strategy), 10)

    assert waits[:3] == [0, 0, 0]
    assert all(0 < wait <= HOUR_MS for wait in waits[3:6])
    assert all(HOUR_MS < wait <= 2 * HOUR_MS for wait in waits[6:9])
    if strategy == "sliding":
        # A few ms pass between the calls.
        assert all(
            abs(later - earlier - HOUR_MS) < 60_000 for earlier, later in zip(waits[3:], waits[6:], strict=False)
        )
    else:
        assert waits[3] == pytest.approx(waits[5], abs=60_000)


async def test_a_permit_that_is_asked_for_again_has_its_turn(redis: Client) -> None:
    rates, rate = SharedRates(redis), Rate("k", 1, HOUR_MS, "sliding")
    first, second = [await rates.reserve(rate, name, LONG_MS) for name in ("a", "b")]
    again = await rates.reserve(rate, "b", LONG_MS)

    assert first == Permit(True, 0)
    assert again.granted
    assert second.wait_ms - 60_000 < again.wait_ms <= second.wait_ms


async def test_a_turn_that_would_come_too_late_is_not_taken(redis: Client) -> None:
    rates, rate = SharedRates(redis), Rate("k", 1, HOUR_MS, "sliding")
    await rates.reserve(rate, "a", LONG_MS)
    refusals = [await rates.reserve(rate, name, 1000) for name in ("b", "c")]

    assert not any(refusal.granted for refusal in refusals)
    assert all(HOUR_MS - 60_000 < refusal.wait_ms <= HOUR_MS for refusal in refusals)


async def test_what_is_remembered_goes_by_itself(redis: Client) -> None:
    await SharedRates(redis).reserve(Rate("k", 1, 1000, "fixed"), "a", LONG_MS)
    [key] = await redis.keys("njia:rate:*")

    assert 0 < await redis.pttl(key) <= 700_000


def sending(flow: MakeFlow, workflow_id: str, **more: Any) -> workflow_pb2.WorkflowSource:
    """A flow that one execution may pass in WINDOW_MS."""
    limit = {"maxRequests": 1, "windowMs": WINDOW_MS, "strategy": "sliding", "key": "the bank"}
    return flow(
        workflow_id,
        {"type": "SMS_RECEIVED"},
        [{"id": "limit", "type": "RATE_LIMIT", "config": limit}],
        ["start > limit"],
        **more,
    )


async def test_executions_of_two_flows_pass_one_after_the_other(platform: Platform, flow: MakeFlow) -> None:
    flows = [sending(flow, name) for name in ("one", "two")]
    engines = [platform.engine, platform.other_engine]

    answers = await asyncio.gather(
        *(
            engine.Execute(pb.ExecuteRequest(workflow=source, trigger_payload_json="{}"))
            for engine, source in itertools.product(engines, flows)
        )
    )

    assert [answer.result.status for answer in answers] == [COMPLETED] * 4
    logs = [
        (await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=answer.result.execution_id))).execution
        for answer in answers
    ]
    began_ms = min(log.started_at.ToMilliseconds() for log in logs)
    ended_ms = max(log.completed_at.ToMilliseconds() for log in logs)
    assert ended_ms - began_ms >= 3 * WINDOW_MS, "each has a turn of its own"


def starting(flow: MakeFlow, most: int) -> workflow_pb2.WorkflowSource:
    end = {"id": "end", "type": "SESSION_END", "config": {"message": "Hello"}}
    settings = {"rateLimit": {"maxRequests": most, "windowMs": HOUR_MS, "strategy": "sliding"}}
    return flow("starting", {"type": "USSD_SESSION_START"}, [end], ["start > end"], settings=settings)


def execute(source: workflow_pb2.WorkflowSource, key: str = "") -> pb.ExecuteRequest:
    return pb.ExecuteRequest(workflow=source, trigger_payload_json='{"msisdn": "+254711000001"}', idempotency_key=key)


async def test_starts_beyond_the_rate_are_refused_until_the_window_is_over(platform: Platform, flow: MakeFlow) -> None:
    source = starting(flow, 2)
    await platform.engine.Execute(execute(source, key="one"))
    await platform.other_engine.Execute(execute(source))

    refusal = await refused(platform.engine.Execute(execute(source)))
    repeated = await platform.engine.Execute(execute(source, key="one"))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WORKFLOW_RATE_LIMITED")
    assert refusal.retry_after_ms is not None
    assert HOUR_MS - 60_000 < refusal.retry_after_ms <= HOUR_MS
    assert repeated.result.status == COMPLETED


async def test_each_execution_of_one_session_is_a_start(platform: Platform, flow: MakeFlow) -> None:
    note = {"id": "note", "type": "SESSION_WRITE", "config": {"data": {"seen": True}}}
    settings = {"rateLimit": {"maxRequests": 2, "windowMs": HOUR_MS, "strategy": "sliding"}}
    source = flow("noting", {"type": "SMS_RECEIVED"}, [note], ["start > note"], settings=settings)
    once_more = pb.ExecuteRequest(workflow=source, trigger_payload_json='{"sessionId": "one-session"}')

    before = [(await platform.engine.Execute(once_more)).result.status for _ in range(2)]
    refusal = await refused(platform.engine.Execute(once_more))

    assert before == [COMPLETED] * 2
    assert refusal.reason == "WORKFLOW_RATE_LIMITED"


async def test_an_execution_that_goes_on_is_no_start(platform: Platform, flow: MakeFlow) -> None:
    screens = [
        {"id": name, "type": "SEND_USSD_RESPONSE", "config": {"message": name, "expectInput": True}}
        for name in ("first", "second")
    ]
    settings = {"rateLimit": {"maxRequests": 2, "windowMs": HOUR_MS, "strategy": "sliding"}}
    end = {"id": "end", "type": "SESSION_END", "config": {}}
    edges = ["start > first", "first > second", "second > end"]
    source = flow("talking", {"type": "USSD_SESSION_START"}, [*screens, end], edges, settings=settings)

    def says(session: str, text: str) -> pb.ExecuteRequest:
        payload = f'{{"sessionId": "{session}", "msisdn": "+254711000001", "text": "{text}", "input": "{text}"}}'
        return pb.ExecuteRequest(workflow=source, trigger_payload_json=payload)

    replies = [
        (await platform.engine.Execute(says(session, text))).result.reply.text
        for session, text in (("a", ""), ("a", "1"), ("b", ""))
    ]

    assert replies == ["first", "second", "first"]


async def test_a_caller_beyond_the_rate_gets_a_sentence(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, starting(flow, 1))

    async def dial(session: str) -> str:
        callback = pb.HandleUssdRequest(session_id=session, msisdn="+254711000001", service_code="*384*1#", text="")
        return (await platform.engine.HandleUssd(callback)).reply.text

    assert [await dial("ATUid_1"), await dial("ATUid_2"), await dial("ATUid_1")] == [
        "Hello",
        FLOW_IS_FULL.text,
        "Hello",
    ]
