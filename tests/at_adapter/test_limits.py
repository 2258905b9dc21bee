"""Limits of our own: the rate that replicas share, the places of one process, the deadline of a call."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from njia.at_adapter.v1.at_adapter_service_pb2 import SendSmsRequest
from rpc.deadlines import set_remaining
from rpc.status import Refusal, refusal_of
from services.at_adapter.outgoing.account import AtAccount, AtEnvironment
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.sdk import SmsRequests
from services.at_adapter.outgoing.sms import SmsOrder
from services.at_adapter.outgoing.transport import AtTransport, Timeouts
from storage.connection import Client

Sms = Callable[..., SendSmsRequest]
LONG_MS = 60_000


async def outcome(adapter: Any, request: SendSmsRequest, **options: Any) -> Refusal | None:
    try:
        await adapter.stub.SendSms(request, **options)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    return None


@pytest.mark.also_on_a_cluster
async def test_replicas_share_the_rate_of_the_account(start_adapter: Any, emulator: Any, sms: Sms) -> None:
    settings = {"AT_BASE_URL": emulator.url, "NJIA_AT_SMS_RATE_PER_SECOND": "5"}
    replicas = [await start_adapter(**settings), await start_adapter(**settings)]

    began = time.monotonic()
    outcomes = await asyncio.gather(*(outcome(replicas[n % 2], sms(f"key-{n}")) for n in range(60)))
    seconds = time.monotonic() - began

    refusals = [refusal for refusal in outcomes if refusal is not None]
    # What a busy machine takes seconds for may be more than one second's messages.
    assert 5 <= 60 - len(refusals) <= 5 * (1 + int(seconds + 1))
    assert len(await emulator.messages()) == 60 - len(refusals)
    assert {(r.code, r.reason, r.metadata["type"]) for r in refusals} == {
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMIT", "rate_limit")
    }
    assert all(refusal.retry_after_ms for refusal in refusals)


@pytest.mark.also_on_a_cluster
async def test_a_send_over_the_rate_may_be_repeated_with_its_key(start_adapter: Any, emulator: Any, sms: Sms) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_AT_SMS_RATE_PER_SECOND="1")
    # On a busy machine one second's messages may take more than a second.
    sent = 0
    async with asyncio.timeout(30):
        while (refusal := await outcome(adapter, sms(f"key-{sent}"))) is None:
            sent += 1
    assert refusal.reason == "RATE_LIMIT"

    async with asyncio.timeout(30):
        while await outcome(adapter, sms(f"key-{sent}")) is not None:
            await asyncio.sleep(0.1)

    assert len(await emulator.messages()) == sent + 1


async def test_an_answered_key_is_not_held_to_the_rate(start_adapter: Any, emulator: Any, sms: Sms) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_AT_SMS_RATE_PER_SECOND="1")

    assert [await outcome(adapter, sms()) for _ in range(5)] == [None] * 5


async def test_without_a_rate_nothing_is_counted(start_adapter: Any, emulator: Any, sms: Sms, redis: Client) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url)
    await adapter.stub.SendSms(sms())

    assert len(await redis.keys("njia:at:rate*")) == 0


async def test_places_and_the_line_before_them_are_bounded(start_adapter: Any, emulator: Any, sms: Sms) -> None:
    adapter = await start_adapter(
        AT_BASE_URL=emulator.url,
        NJIA_AT_CONCURRENT_SENDS="2",
        NJIA_AT_QUEUED_SENDS="3",
        NJIA_AT_READ_TIMEOUT_MS=f"{LONG_MS}",
    )
    await emulator.fault(kind="slow", delayMs=LONG_MS, times=2)

    calls = [asyncio.ensure_future(outcome(adapter, sms(f"key-{n}"))) for n in range(10)]
    async with asyncio.timeout(30):
        while sum(call.done() for call in calls) < 5:
            await asyncio.sleep(0.01)
    await emulator.let_go()
    outcomes = await asyncio.gather(*calls)

    counts = Counter("sent" if refusal is None else refusal.reason for refusal in outcomes)
    assert counts == {"sent": 5, "RATE_LIMIT": 5}
    assert len(await emulator.messages()) == 5


async def test_nothing_is_sent_for_a_caller_whose_deadline_passed_in_the_line(
    start_adapter: Any, emulator: Any, sms: Sms
) -> None:
    adapter = await start_adapter(
        AT_BASE_URL=emulator.url, NJIA_AT_CONCURRENT_SENDS="1", NJIA_AT_READ_TIMEOUT_MS=f"{LONG_MS}"
    )
    await emulator.fault(kind="slow", delayMs=LONG_MS)
    first = asyncio.create_task(outcome(adapter, sms("first")))
    async with asyncio.timeout(30):
        while not await emulator.messages():
            await asyncio.sleep(0.01)

    late = await outcome(adapter, sms("late"), timeout=0.1)

    assert late is not None
    assert not first.done()
    await emulator.let_go()
    assert await first is None
    assert len(await emulator.messages()) == 1
    assert await outcome(adapter, sms("late")) is None


async def test_nothing_is_sent_once_the_deadline_has_passed(raw_server: Any) -> None:
    account = AtAccount(AtEnvironment.EMULATOR, "sandbox", "k", raw_server.url)
    transport = AtTransport(account, Timeouts(connect=1, read=1), max_connections=1)
    order = SmsOrder(("+254711000001",), "Hello", "", enqueue=False, premium=None)
    set_remaining(0)

    with pytest.raises(SendRefused) as caught:
        await transport.send(SmsRequests(account).request_for(order))
    await transport.close()

    assert caught.value.fault is Fault.NETWORK_ERROR
    assert raw_server.requests == []


async def test_an_answer_after_the_deadline_is_kept_for_the_next_call(
    start_adapter: Any, emulator: Any, sms: Sms
) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url)
    await emulator.fault(kind="slow", delayMs=300)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stub.SendSms(sms(), timeout=0.1)
    async with asyncio.timeout(30):
        while (refusal := await outcome(adapter, sms())) is not None:
            assert refusal.reason == "SEND_IN_PROGRESS"
            await asyncio.sleep(0.02)

    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(await emulator.messages()) == 1
