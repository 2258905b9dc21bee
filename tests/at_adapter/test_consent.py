"""Who has opted out gets no message; who subscribes is known."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc
import pytest
from structlog.testing import capture_logs

from launcher import valkey
from njia.at_adapter.v1.at_adapter_service_pb2 import PremiumSms, SendSmsRequest
from njia.at_adapter.v1.consent_pb2 import LiftOptOutRequest, ListOptOutsRequest, ListSubscriptionsRequest
from rpc.status import refusal_of
from rpc.tasks import end_task
from services.at_adapter.consent import changes
from services.at_adapter.consent.opt_outs import KEY_PREFIX, OptOuts
from services.at_adapter.consent.subscriptions import Subscriptions
from services.at_adapter.outgoing.sms import Premium, SmsOrder
from storage.audit import KEY as AUDIT
from storage.batches import run_in_stages
from storage.connection import Client, connect, disconnect

Sms = Callable[..., SendSmsRequest]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ANNA, BEN = "+254711000001", "+254711000002"


@pytest.fixture
async def adapter(start_adapter: Any, emulator: Any, engine: Any) -> Any:
    return await start_adapter(AT_BASE_URL=emulator.url, NJIA_ENGINE_TARGET=engine.target)


async def told(adapter: Any, path: str, **fields: str) -> int:
    answer = await adapter.callbacks.post(path, content=urlencode(fields), headers=FORM)
    return int(answer.status_code)


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    refusal = refusal_of(error.value)
    return refusal.code, refusal.reason, refusal.metadata["type"]


async def test_who_opted_out_is_left_out_and_the_others_get_the_message(adapter: Any, emulator: Any, sms: Sms) -> None:
    assert await told(adapter, "/at/sms/opt-out", senderId="NJIA", phoneNumber=BEN) == 200

    response = await adapter.stub.SendSms(sms("a", to=(BEN, ANNA), sender="Njia"))

    assert [message["to"] for message in await emulator.messages()] == [ANNA]
    rows = [(row.number, row.status, row.status_code, row.message_id) for row in response.recipients]
    assert rows[0][:2] == (ANNA, "Success")
    assert rows[1] == (BEN, "OptedOut", 406, "")
    assert await adapter.stub.SendSms(sms("a", to=(BEN, ANNA), sender="Njia")) == response, "the first answer stands"


async def test_a_message_to_nobody_is_refused_for_good_and_the_key_remembers_it(
    adapter: Any, emulator: Any, sms: Sms
) -> None:
    await told(adapter, "/at/sms/opt-out", senderId="22384", phoneNumber=ANNA)
    order = sms("a", to=(ANNA,), sender="22384")
    why = (grpc.StatusCode.FAILED_PRECONDITION, "OPTED_OUT", "permanent")

    assert await refused(adapter.stub.SendSms(order)) == why
    lifted = await adapter.stub.LiftOptOut(LiftOptOutRequest(sender="22384", number=ANNA))
    assert lifted.lifted
    assert await refused(adapter.stub.SendSms(order)) == why
    assert await emulator.messages() == []
    await adapter.stub.SendSms(sms("b", to=(ANNA,), sender="22384"))
    assert [message["to"] for message in await emulator.messages()] == [ANNA]


@pytest.mark.parametrize(
    ("told_of", "sender", "is_left_out"),
    [
        ({"senderId": "NJIA"}, "OTHER", False),
        ({"senderId": "NJIA"}, "", False),
        ({"senderId": "AFRICASTKNG"}, "", True),
        ({}, "NJIA", True),
        ({}, "", True),
    ],
)
async def test_an_opt_out_holds_for_its_sender_and_one_without_for_all(
    adapter: Any, sms: Sms, told_of: dict[str, str], sender: str, *, is_left_out: bool
) -> None:
    await told(adapter, "/at/sms/opt-out", **told_of, phoneNumber=ANNA)

    response = await adapter.stub.SendSms(sms(to=(ANNA, BEN), sender=sender))

    assert ("OptedOut" in [row.status for row in response.recipients]) is is_left_out


async def test_a_premium_message_goes_out_all_the_same(adapter: Any, emulator: Any, sms: Sms) -> None:
    await told(adapter, "/at/sms/opt-out", senderId="21512", phoneNumber=ANNA)
    await adapter.stub.SendSms(sms(to=(ANNA,), sender="21512", premium=PremiumSms(keyword="news")))
    assert len(await emulator.messages()) == 1


@pytest.mark.parametrize("word", ["addition", "Addition"])
async def test_who_subscribes_again_gets_messages_of_that_short_code_again(
    adapter: Any, emulator: Any, sms: Sms, word: str
) -> None:
    for sender in ("21512", "NJIA"):
        await told(adapter, "/at/sms/opt-out", senderId=sender, phoneNumber=ANNA)
    change = {"phoneNumber": ANNA, "shortCode": "21512", "keyword": "News"}
    assert await told(adapter, "/at/sms/subscriptions", **change, updateType=word) == 200

    await adapter.stub.SendSms(sms("a", to=(ANNA,), sender="21512"))
    assert (await refused(adapter.stub.SendSms(sms("b", to=(ANNA,), sender="NJIA"))))[1] == "OPTED_OUT"

    asked = ListSubscriptionsRequest(short_code="21512", keyword="NEWS")
    [known] = (await adapter.stub.ListSubscriptions(asked)).subscriptions
    assert (known.number, known.update_type, known.HasField("updated_at")) == (ANNA, "addition", True)
    await told(adapter, "/at/sms/subscriptions", **change, updateType="Suspended by network")
    [known] = (await adapter.stub.ListSubscriptions(asked)).subscriptions
    assert known.update_type == "suspended by network", "a new word is kept"


async def numbers(adapter: Any, sender: str) -> list[str]:
    return [each.number for each in (await adapter.stub.ListOptOuts(ListOptOutsRequest(sender=sender))).opt_outs]


async def test_what_comes_while_redis_is_away_waits_in_its_order_and_nobody_is_told_that_it_was_kept(
    start_adapter: Any, emulator: Any, engine: Any, tmp_path: Path
) -> None:
    port = valkey.free_port()
    store = await valkey.start(tmp_path, port, fsync="no")
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_ENGINE_TARGET=engine.target, NJIA_REDIS_URL=store.url)
    store.stop()
    subscribed = {"phoneNumber": BEN, "shortCode": "21512", "updateType": "addition"}
    for path, fields in (
        ("/at/sms/opt-out", {"senderId": "21512", "phoneNumber": BEN}),
        ("/at/sms/subscriptions", subscribed),
        ("/at/sms/opt-out", {"senderId": "NJIA", "phoneNumber": ANNA}),
    ):
        assert await told(adapter, path, **fields) == 503

    store = await valkey.start(tmp_path, port, fsync="no")
    try:
        async with asyncio.timeout(30):
            while await numbers(adapter, "NJIA") != [ANNA]:
                await asyncio.sleep(0.05)
        assert await numbers(adapter, "21512") == []
        assert await told(adapter, "/at/sms/opt-out", senderId="NJIA", phoneNumber=BEN) == 200
    finally:
        store.stop()


async def test_what_waits_has_a_bound_and_what_is_lost_is_told_of_without_the_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "MOST_WAITING", 1)
    away = connect("redis://127.0.0.1:1/0")
    consent = changes.ConsentChanges(OptOuts(away), Subscriptions(away))
    with capture_logs() as lines:
        for number in (ANNA, BEN):
            assert not await consent.take(changes.OptedOut("NJIA", number, 1))
        serving = asyncio.create_task(consent.serve())
        await asyncio.sleep(0)
        await end_task(serving)
    await disconnect(away)
    assert [(line["msisdn"], "is lost" in line["event"]) for line in lines] == [
        ("+2547*****001", False),
        ("+2547*****002", True),
        ("+2547*****001", True),
    ]


async def test_an_opt_out_that_waits_to_be_kept_is_honoured_already(redis: Client) -> None:
    opt_outs = OptOuts(redis)
    order = SmsOrder((ANNA, BEN), "hi", "njia", enqueue=False, premium=None)
    unknown = [[None, None], [None, None]]
    opt_outs.expect("NJIA", ANNA)
    assert opt_outs.cleared(order, unknown).to == (BEN,)
    assert opt_outs.cleared(replace(order, sender="OTHER"), unknown).to == (ANNA, BEN)
    assert opt_outs.cleared(replace(order, premium=Premium("news", "")), ()).to == (ANNA, BEN)
    opt_outs.expect("", BEN)
    opt_outs.expect_no_more("NJIA", ANNA)
    assert opt_outs.cleared(order, unknown).to == (ANNA,)


async def test_a_late_subscription_does_not_lift_what_came_behind_it(redis: Client) -> None:
    opt_outs = OptOuts(redis)
    consent = changes.ConsentChanges(opt_outs, Subscriptions(redis))
    await consent.take(changes.OptedOut("21512", ANNA, 200))
    for told_at, left in ((100, 1), (300, 0)):
        await consent.take(changes.SubscriptionChanged("21512", "", ANNA, "addition", told_at))
        assert len((await opt_outs.page("21512", 10, "")).items) == left


async def test_opt_outs_are_listed_by_sender_in_pages(adapter: Any, redis: Client) -> None:
    numbers = {f"+2547110{index:05d}" for index in range(1200)}
    await OptOuts(redis).add("njia", min(numbers), 1)
    entries = [word for number in numbers for word in (number, "1")]
    await run_in_stages(redis, [("HSET", f"{KEY_PREFIX}NJIA", *entries)])
    found: list[str] = []
    token = ""
    while True:
        page = await adapter.stub.ListOptOuts(ListOptOutsRequest(sender="NJIA", page_size=500, page_token=token))
        found += [each.number for each in page.opt_outs]
        assert page.senders == ["NJIA"]
        if not (token := page.next_page_token):
            break
    assert set(found) == numbers
    assert (await refused(adapter.stub.ListOptOuts(ListOptOutsRequest(page_token="x"))))[1] == "INVALID_REQUEST"
    assert (await refused(adapter.stub.ListOptOuts(ListOptOutsRequest(page_size=1001))))[1] == "INVALID_REQUEST"


async def test_lifting_is_noted_in_the_audit_log_without_the_number(adapter: Any, redis: Client) -> None:
    await told(adapter, "/at/sms/opt-out", senderId="NJIA", phoneNumber=ANNA)
    await adapter.stub.LiftOptOut(LiftOptOutRequest(sender="NJIA", number=ANNA))
    assert not (await adapter.stub.LiftOptOut(LiftOptOutRequest(sender="NJIA", number=ANNA))).lifted
    assert (await refused(adapter.stub.LiftOptOut(LiftOptOutRequest(number="0711"))))[1] == "INVALID_PHONE_NUMBER"
    [(entry,)] = await run_in_stages(redis, [("XRANGE", AUDIT, "-", "+")])
    assert {fields[b"action"] for _, fields in entry} == {b"opt_out.lift"}
    assert ANNA.encode() not in b" ".join(fields[b"subject"] for _, fields in entry)


async def test_what_cannot_be_used_is_refused_and_unknown_fields_are_not(adapter: Any) -> None:
    assert await told(adapter, "/at/sms/opt-out", senderId="NJIA") == 400
    assert await told(adapter, "/at/sms/subscriptions", phoneNumber=ANNA, shortCode="21512") == 400
    assert await told(adapter, "/at/sms/opt-out", phoneNumber=ANNA, senderId="N", reason="new") == 200


def test_an_order_is_known_again_by_replicas_of_an_older_version() -> None:
    order = SmsOrder(("+254711000001",), "hi", "NJIA", enqueue=True, premium=Premium("news", "link-1"))
    known_as = sha256(
        b'{"to":["+254711000001"],"message":"hi","sender":"NJIA","enqueue":true,'
        b'"premium":{"keyword":"news","link_id":"link-1"}}'
    )
    assert order.digest() == known_as.hexdigest()
