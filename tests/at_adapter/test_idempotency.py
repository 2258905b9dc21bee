"""One key, one message, and always the first answer."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from launcher import valkey
from njia.at_adapter.v1.at_adapter_service_pb2 import PremiumSms, SendSmsRequest
from rpc.status import Refusal, refusal_of
from services.at_adapter.idempotency.answers import AnswerState, StoredAnswer
from services.at_adapter.idempotency.ledger import KEY_PREFIX, Granted, SendLedger, UnderWay, new_claim
from services.at_adapter.outgoing.sms import SmsOrder
from storage.connection import Client

Sms = Callable[..., SendSmsRequest]

LEASE_MS = 60_000
ORDER = SmsOrder(("+254711000001",), "Hello", "", enqueue=False, premium=None)
"""What the request of the fixture `sms` says."""


async def refused(adapter: Any, request: SendSmsRequest) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stub.SendSms(request)
    return refusal_of(caught.value)


@pytest.mark.also_on_a_cluster
async def test_a_repeated_key_gets_the_first_answer(adapter: Any, emulator: Any, sms: Sms) -> None:
    first = await adapter.stub.SendSms(sms(to=("+254711000001", "+254711000002")))
    second = await adapter.stub.SendSms(sms(to=("+254711000001", "+254711000002")))

    assert first == second
    assert len(await emulator.messages()) == 2


@pytest.mark.also_on_a_cluster
async def test_another_replica_gives_the_first_answer_too(start_adapter: Any, emulator: Any, sms: Sms) -> None:
    one = await start_adapter(AT_BASE_URL=emulator.url)
    other = await start_adapter(AT_BASE_URL=emulator.url)

    assert await one.stub.SendSms(sms()) == await other.stub.SendSms(sms())
    assert len(await emulator.messages()) == 1


@pytest.mark.also_on_a_cluster
async def test_a_key_of_another_request_is_refused(adapter: Any, emulator: Any, sms: Sms) -> None:
    await adapter.stub.SendSms(sms())

    others: tuple[dict[str, Any], ...] = (
        {"message": "Bye"},
        {"to": ("+254711000009",)},
        {"sender": "NJIA"},
        {"enqueue": True},
        {"sender": "NJIA", "premium": PremiumSms()},
    )
    for fields in others:
        refusal = await refused(adapter, sms(**fields))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED")
        assert refusal.metadata["type"] == "validation"

    assert len(await emulator.messages()) == 1


@pytest.mark.also_on_a_cluster
async def test_a_hundred_calls_with_one_key_send_one_message(adapter: Any, emulator: Any, sms: Sms) -> None:
    await emulator.fault(kind="slow", delayMs=100)
    outcomes: Counter[str] = Counter()

    async def call() -> None:
        try:
            await adapter.stub.SendSms(sms())
            outcomes["sent"] += 1
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
            assert refusal.code is grpc.StatusCode.ABORTED
            assert refusal.metadata["type"] == "transient"
            assert refusal.retry_after_ms is not None
            outcomes[refusal.reason] += 1

    await asyncio.gather(*(call() for _ in range(100)))

    assert outcomes.keys() == {"sent", "SEND_IN_PROGRESS"}
    assert len(await emulator.messages()) == 1


KEPT: tuple[tuple[dict[str, Any], str], ...] = (
    ({"kind": "http_status", "status": 401}, "AUTHENTICATION_FAILED"),
    ({"kind": "row_status", "statusCode": 406}, "USER_IN_BLACKLIST"),
    ({"kind": "empty_recipients"}, "INVALID_SENDER_ID"),
    ({"kind": "lost_answer"}, "SEND_OUTCOME_UNKNOWN"),
)

FREED: tuple[dict[str, Any], ...] = (
    {"kind": "http_status", "status": 429},
    {"kind": "http_status", "status": 500},
    {"kind": "row_status", "statusCode": 501},
)


async def test_a_permanent_or_unknown_answer_is_repeated(adapter: Any, emulator: Any, sms: Sms) -> None:
    for fault, reason in KEPT:
        await emulator.fault(**fault)

        first = await refused(adapter, sms(reason))
        second = await refused(adapter, sms(reason))

        assert first.reason == reason
        assert first == second

    assert (await emulator.control.get("/control/faults")).json()["taken"] == len(KEPT)


@pytest.mark.also_on_a_cluster
async def test_a_refusal_that_may_be_retried_frees_the_key(adapter: Any, emulator: Any, sms: Sms) -> None:
    for number, fault in enumerate(FREED, 1):
        await emulator.fault(times=2, **fault)
        await refused(adapter, sms(f"key-{number}"))
        await refused(adapter, sms(f"key-{number}"))

        response = await adapter.stub.SendSms(sms(f"key-{number}"))

        assert len(response.recipients) == 1
        assert len(await emulator.messages()) == number


async def test_a_caller_that_goes_away_does_not_stop_the_send(adapter: Any, emulator: Any, sms: Sms) -> None:
    await emulator.fault(kind="slow", delayMs=150)
    call = adapter.stub.SendSms(sms())
    async with asyncio.timeout(30):
        while not await emulator.messages():
            await asyncio.sleep(0.01)
    call.cancel()

    async with asyncio.timeout(30):
        while (first := await outcome(adapter, sms())) == "SEND_IN_PROGRESS":
            await asyncio.sleep(0.02)

    assert first == "sent"
    assert len(await emulator.messages()) == 1


async def outcome(adapter: Any, request: SendSmsRequest) -> str:
    try:
        await adapter.stub.SendSms(request)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error).reason
    return "sent"


async def test_a_send_under_way_is_settled_before_the_adapter_ends(
    adapter: Any, start_adapter: Any, emulator: Any, sms: Sms
) -> None:
    await emulator.fault(kind="slow", delayMs=300)
    call = adapter.stub.SendSms(sms())
    async with asyncio.timeout(30):
        while not await emulator.messages():
            await asyncio.sleep(0.01)
    call.cancel()
    adapter.stop.set()
    await adapter.serving

    successor = await start_adapter(AT_BASE_URL=emulator.url)

    assert await outcome(successor, sms()) == "sent"
    assert len(await emulator.messages()) == 1


@pytest.mark.also_on_a_cluster
async def test_a_claim_left_by_a_dead_sender_is_under_way_and_then_unknown(
    adapter: Any, emulator: Any, sms: Sms, redis: Client
) -> None:
    dead = SendLedger(redis, lease_ms=LEASE_MS, keep_seconds=600)
    assert isinstance(await dead.claim(new_claim("key-1"), ORDER.digest(), ()), Granted)

    under_way = await refused(adapter, sms())
    # The claim of the dead sender runs out.
    [entry] = [key async for key in redis.scan_iter(match=f"{KEY_PREFIX}*")]
    await redis.hset(entry, "lease_until_ms", "1")
    later = await refused(adapter, sms())
    again = await refused(adapter, sms())

    assert under_way.reason == "SEND_IN_PROGRESS"
    assert under_way.retry_after_ms is not None
    assert 0 < under_way.retry_after_ms <= LEASE_MS
    assert (later.code, later.reason) == (grpc.StatusCode.UNKNOWN, "SEND_OUTCOME_UNKNOWN")
    assert later == again
    assert await emulator.messages() == []


@pytest.mark.usefixtures("impatient_store")
async def test_a_claim_whose_answer_was_lost_is_freed(
    start_adapter: Any, emulator: Any, sms: Sms, tmp_path: Path
) -> None:
    """The store makes the claim and is too slow to say so: nothing was sent, so the key must stay usable."""
    store = await valkey.start(tmp_path, valkey.free_port(), fsync="no")
    try:
        adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_REDIS_URL=store.url)
        await adapter.stub.SendSms(sms("warm"))

        store.process.send_signal(signal.SIGSTOP)
        first = await refused(adapter, sms())
        store.process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(30):
            while (later := await outcome(adapter, sms())) == "SEND_IN_PROGRESS":
                await asyncio.sleep(0.02)
    finally:
        store.stop()

    assert first.reason == "STORE_UNAVAILABLE"
    assert later == "sent"
    assert len(await emulator.messages()) == 2


@pytest.mark.also_on_a_cluster
async def test_a_sender_that_comes_back_too_late_changes_nothing(redis: Client) -> None:
    """Its key was called unknown in the meantime, and whoever asks again must hear the same."""
    ledger = SendLedger(redis, lease_ms=1, keep_seconds=60)
    late = new_claim("key-1")
    assert isinstance(await ledger.claim(late, ORDER.digest(), ()), Granted)
    async with asyncio.timeout(30):
        while isinstance(heard := await ledger.claim(new_claim("key-1"), ORDER.digest(), ()), UnderWay):
            await asyncio.sleep(0.005)

    await ledger.free(late)
    await ledger.settle(late, StoredAnswer(AnswerState.DONE, b"{}"))

    assert heard == StoredAnswer(AnswerState.UNKNOWN, b"")
    assert await ledger.claim(new_claim("key-1"), ORDER.digest(), ()) == heard


async def test_a_key_is_kept_for_its_time_and_holds_no_phone_number_in_its_name(
    start_adapter: Any, emulator: Any, sms: Sms, redis: Client
) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_AT_IDEMPOTENCY_TTL_SECONDS="120")

    await adapter.stub.SendSms(sms("sms to +254711000001"))

    [key] = await redis.keys("*")
    assert str(key).startswith(f"b'{KEY_PREFIX}{{")
    assert "254711000001" not in str(key)
    assert 110 < await redis.ttl(key) <= 120


async def test_a_send_takes_two_trips_to_redis(adapter: Any, sms: Sms, redis: Client) -> None:
    await adapter.stub.SendSms(sms("warm"))
    before = await _script_calls(redis)

    await adapter.stub.SendSms(sms("counted"))

    assert await _script_calls(redis) - before == 2


async def _script_calls(redis: Client) -> int:
    statistics = await redis.info("commandstats")
    # Commands inside of a script are counted too, so only those that travel are looked at; health asks with PING.
    inside = {"hget", "hmget", "hset", "hdel", "del", "expire", "time"}
    ours = {"info", "ping", "hello", "client|setinfo", "client|setname", "select"}
    names = {name.removeprefix("cmdstat_"): entry["calls"] for name, entry in statistics.items()}
    return sum(calls for name, calls in names.items() if name not in inside | ours)
