"""ListUnclaimed over a real engine: what came in and nobody claimed."""

import json

import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from tests.engine.service.platform import Platform, StartPlatform
from tests.engine.service.refused import refused
from tests.engine.service.waiting import until

PHONE = "+254711000001"


async def text(platform: Platform, message_id: str, message: str) -> None:
    sms = pb.HandleSmsRequest(message_id=message_id, msisdn=PHONE, message=message, short_code="22384")
    await platform.engine.HandleSms(sms)


async def listed(platform: Platform, **query: object) -> pb.ListUnclaimedResponse:
    return await platform.other_engine.ListUnclaimed(pb.ListUnclaimedRequest(**query))  # type: ignore[arg-type]


@pytest.mark.also_on_a_cluster
async def test_what_nobody_claims_is_listed_once_newest_first(platform: Platform) -> None:
    await text(platform, "m1", "one")
    await text(platform, "m2", "two")
    await text(platform, "m1", "one")
    dial = pb.HandleUssdRequest(session_id="ATUid_1", msisdn=PHONE, service_code="*384*9#", text="")
    await platform.engine.HandleUssd(dial)

    rows = (await listed(platform)).unclaimed
    texts = [json.loads(row.payload_json).get("message") for row in rows]

    assert [row.channel for row in rows] == ["ussd", "sms", "sms"]
    assert texts[1:] == ["two", "one"]
    assert json.loads(rows[0].payload_json)["serviceCode"] == "*384*9#"
    assert [row.channel for row in (await listed(platform, channel="ussd")).unclaimed] == ["ussd"]


async def test_pages_hold_each_entry_once(platform: Platform) -> None:
    for number in range(5):
        await text(platform, f"m{number}", f"{number}")

    found: list[str] = []
    token = ""
    while True:
        page = await listed(platform, page_size=2, page_token=token)
        found += [json.loads(row.payload_json)["message"] for row in page.unclaimed]
        token = page.next_page_token
        if not token:
            break

    assert found == ["4", "3", "2", "1", "0"]


async def test_a_token_that_no_listing_gave_is_refused(platform: Platform) -> None:
    refusal = await refused(platform.engine.ListUnclaimed(pb.ListUnclaimedRequest(page_token="x")))

    assert refusal.reason == "INVALID_FILTER"


async def test_entries_are_forgotten_after_their_time(start_platform: StartPlatform) -> None:
    platform = await start_platform(NJIA_ENGINE_UNCLAIMED_DAYS="0.00002")
    await text(platform, "m1", "one")

    async def forgotten() -> bool:
        return not (await listed(platform)).unclaimed

    await until(forgotten)
