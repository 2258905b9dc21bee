"""Airtime: once, never twice, and asked about afterwards."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import grpc
import orjson
import pytest

from launcher.valkey import free_port
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceStub
from njia.at_adapter.v1.money_pb2 import Money, SendAirtimeRequest
from rpc.status import Refusal, refusal_of

NUMBER = "+254711000001"


def airtime(key: str = "key-1", number: str = NUMBER, amount: str = "10", currency: str = "KES") -> SendAirtimeRequest:
    return SendAirtimeRequest(idempotency_key=key, number=number, amount=Money(currency=currency, amount=amount))


async def refused(adapter: Any, request: SendAirtimeRequest) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stub.SendAirtime(request)
    return refusal_of(caught.value)


async def sent(emulator: Any) -> list[dict[str, Any]]:
    return list((await emulator.control.get("/control/airtime")).json()["airtime"])


@pytest.mark.also_on_a_cluster
async def test_airtime_is_sent_once_a_key_with_a_key_of_its_own_there(adapter: Any, emulator: Any) -> None:
    first = await adapter.stub.SendAirtime(airtime())
    assert await adapter.stub.SendAirtime(airtime()) == first
    # The SDK would keep the key of the first request, and the other side would refuse the next as a duplicate.
    await adapter.stub.SendAirtime(airtime("key-2", number="+254711000002", amount="10.50"))

    one, other = await sent(emulator)
    assert (first.status, first.amount, first.discount) == ("Sent", "KES 10.0000", "KES 0.4000")
    assert (one["id"], one["amount"], other["amount"]) == (first.request_id, "KES 10.0000", "KES 10.5000")
    assert len({one["idempotencyKey"], other["idempotencyKey"], None}) == 3


@pytest.mark.parametrize("amount", ["nan", "inf", "-5", "0", "0.00", "1e400", "", " 5", "1.555", "5 000", "1234567890"])
async def test_what_is_no_amount_is_refused_and_nothing_is_sent(adapter: Any, emulator: Any, amount: str) -> None:
    refusal = await refused(adapter, airtime(amount=amount))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_AMOUNT")
    assert refusal.metadata["type"] == "validation"
    assert await sent(emulator) == []


async def test_a_key_of_another_amount_is_refused(adapter: Any) -> None:
    await adapter.stub.SendAirtime(airtime())

    assert (await refused(adapter, airtime(amount="11"))).reason == "IDEMPOTENCY_KEY_REUSED"


async def test_a_lost_answer_is_unknown_and_stays_so(adapter: Any, emulator: Any) -> None:
    await emulator.fault(product="airtime", kind="lost_answer")

    for _ in range(2):
        refusal = await refused(adapter, airtime())
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNKNOWN, "SEND_OUTCOME_UNKNOWN")
    assert len(await sent(emulator)) == 1


async def test_one_key_at_two_adapters_at_one_moment_sends_once(
    adapter: Any, start_adapter: Any, emulator: Any
) -> None:
    other = await start_adapter(AT_BASE_URL=emulator.url)
    await emulator.fault(product="airtime", kind="slow", delayMs=200)

    async def outcome(asked: Any) -> str:
        try:
            return str((await asked.stub.SendAirtime(airtime())).request_id)
        except grpc.aio.AioRpcError as error:
            return refusal_of(error).reason

    outcomes = set(await asyncio.gather(*(outcome(asked) for asked in (adapter, other) * 5)))
    [one] = await sent(emulator)
    assert outcomes <= {one["id"], "SEND_IN_PROGRESS"}
    assert await outcome(other) == one["id"]


async def test_a_refusal_frees_the_key_and_the_next_attempt_is_no_duplicate(adapter: Any, emulator: Any) -> None:
    await emulator.fault(product="airtime", kind="http_status", status=500)

    refusal = await refused(adapter, airtime())
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_ERROR")
    await adapter.stub.SendAirtime(airtime())
    assert len(await sent(emulator)) == 1


async def test_what_the_other_side_has_and_we_forgot_is_unknown_not_sent_again(
    adapter: Any, emulator: Any, redis: Any
) -> None:
    await adapter.stub.SendAirtime(airtime())
    await redis.flushall()

    refusal = await refused(adapter, airtime())
    assert (refusal.reason, refusal.metadata["duplicate"]) == ("SEND_OUTCOME_UNKNOWN", "true")
    assert len(await sent(emulator)) == 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"errorMessage": "Insufficient balance", "numSent": 0, "responses": []}, "INSUFFICIENT_BALANCE"),
        (
            {"errorMessage": "A duplicate request was received within the last 5 minutes", "numSent": 0},
            "SEND_OUTCOME_UNKNOWN",
        ),
        ({"errorMessage": "None", "numSent": 0, "responses": []}, "SEND_OUTCOME_UNKNOWN"),
        ({"responses": [{"status": "Failed", "errorMessage": "Value is too low", "requestId": "None"}]}, "REJECTED"),
        ({"responses": [{"status": "Sent", "errorMessage": "None", "requestId": "None"}]}, "SEND_OUTCOME_UNKNOWN"),
        ([], "SEND_OUTCOME_UNKNOWN"),
    ],
)
async def test_each_answer_has_its_meaning(start_adapter: Any, raw_server: Any, document: Any, reason: str) -> None:
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    raw_server.answer("201 Created", orjson.dumps(document), "Content-Type: application/json")

    assert (await refused(adapter, airtime())).reason == reason


async def test_airtime_has_a_limit_of_its_own(start_adapter: Any, emulator: Any, sms: Callable[..., Any]) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_AT_AIRTIME_RATE_PER_SECOND="1")
    outcomes = []
    for number in range(3):
        try:
            await adapter.stub.SendAirtime(airtime(f"key-{number}"))
            outcomes.append("sent")
        except grpc.aio.AioRpcError as error:
            outcomes.append(refusal_of(error).reason)
        await adapter.stub.SendSms(sms(f"sms-{number}"))

    assert set(outcomes) == {"sent", "RATE_LIMIT"}


async def test_only_what_was_requested_is_validated_and_once(start_adapter: Any, emulator: Any, engine: Any) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_ENGINE_TARGET=engine.target)
    await adapter.stub.SendAirtime(airtime(amount="10"))

    async def asked(**fields: Any) -> str:
        document = {"transactionId": "t-1", "phoneNumber": NUMBER, "currencyCode": "KES", "amount": 10.0, **fields}
        answer = await adapter.callbacks.post("/at/airtime/validation", json=document)
        assert answer.status_code == 200
        return str(answer.json()["status"])

    assert await asked(amount=11.0) == "Failed"
    assert await asked(phoneNumber="+254711000009") == "Failed"
    assert await asked(amount="nan") == "Failed"
    assert await asked(amount="10.0000") == "Validated"
    assert await asked() == "Validated"
    assert await asked(transactionId="t-2") == "Failed"
    answer = await adapter.callbacks.post("/at/airtime/validation", content=b"{")
    assert (answer.status_code, answer.json()) == (200, {"status": "Failed"})


async def test_a_status_comes_as_json_or_as_a_form_and_keeps_unknown_words(
    start_adapter: Any, emulator: Any, engine: Any
) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_ENGINE_TARGET=engine.target)
    fields = {"requestId": "ATQid_1", "status": "Parked", "phoneNumber": NUMBER, "value": "KES 100.0000", "odd": "1"}

    assert (await adapter.callbacks.post("/at/airtime/status", json={**fields, "more": {"a": [1]}})).status_code == 200
    assert (await adapter.callbacks.post("/at/airtime/status", data=fields)).status_code == 200
    assert (await adapter.callbacks.post("/at/airtime/status", json={"status": "Success"})).status_code == 400
    first, second = engine.servicer.airtime
    assert first == second
    assert (first.request_id, first.status, first.currency, first.amount) == ("ATQid_1", "Parked", "KES", "100")


async def test_a_killed_adapter_leaves_a_send_that_is_unknown_and_not_made_again(
    emulator: Any, redis: Any, redis_url: str, start_adapter: Any
) -> None:
    """The process dies between sending and recording; whoever asks the next one is not told that nothing was sent."""
    port = free_port()
    environ = {
        **os.environ,
        "NJIA_REDIS_URL": redis_url,
        "AT_BASE_URL": emulator.url,
        "NJIA_AT_ADAPTER_LISTEN": f"127.0.0.1:{port}",
    }
    await emulator.fault(product="airtime", kind="slow", delayMs=5_000)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "at_adapter"),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            while b"serving" not in await process.stdout.readline():
                pass
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            asking = asyncio.ensure_future(AtAdapterServiceStub(channel).SendAirtime(airtime()))
            async with asyncio.timeout(20):
                while not await sent(emulator):
                    await asyncio.sleep(0.02)
            process.kill()
            await process.wait()
            with pytest.raises(grpc.aio.AioRpcError):
                await asking
    finally:
        if process.returncode is None:
            process.kill()
    adapter = await start_adapter(AT_BASE_URL=emulator.url)
    assert (await refused(adapter, airtime())).reason == "SEND_IN_PROGRESS"
    # The claim of the dead process runs out.
    [entry] = await redis.keys("njia:at:send:*")
    await redis.hset(entry, "lease_until_ms", 1)

    for _ in range(2):
        assert (await refused(adapter, airtime())).reason == "SEND_OUTCOME_UNKNOWN"
    assert len(await sent(emulator)) == 1
