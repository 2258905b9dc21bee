"""What Redis holds once the retention of everything that happened is over, and what waits meanwhile."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from launcher.stack import ONE_PROCESS, Stack
from tests.e2e.conftest import check_logs
from tests.e2e.driving import Platform, eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, quick_retry, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

THREE_SECONDS_OF_A_DAY = "0.000035"
ONE_SECOND_OF_A_DAY = "0.000012"
LONGEST_LIFE_MS = 24 * 3600 * 1000
AUDIT_LIFE_MS = 90 * LONGEST_LIFE_MS
AN_HOUR_MS = 3600 * 1000

WITHOUT_LIFE = (
    # Flows are kept until they are deleted.
    r"njia:\{registry\}:(version|published|ids|w:.+)",
    r"njia:graph:[0-9a-f]{32}\.\d+",
    # Looked after by the sessions service.
    r"njia:\{(sessions|m:.+)\}:index:(created|due)",
)
"""Keys that may be there for good."""

OF_EXECUTIONS = (
    r"njia:\{p[0-9a-f]\}:(x:|r:|t:|c:|due|ended|executions).*|njia:(correlation|report(s|ed)|unsettled|unmatched):.*"
)
"""Keys that must go with the executions."""

OF_FLOWS_WITH_CALLS = r"njia:graph:[0-9a-f]{32}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Keeps what has ended for three seconds."""
    directory: Path = tmp_path_factory.mktemp("retention")
    environ = {
        "NJIA_ENGINE_RETENTION_DAYS": THREE_SECONDS_OF_A_DAY,
        "NJIA_ENGINE_RETENTION_MARGIN_DAYS": ONE_SECOND_OF_A_DAY,
        "NJIA_ENGINE_SETTLE_MS": "2000",
        "NJIA_ENGINE_SCAN_MS": "50",
        "NJIA_SESSIONS_RETENTION_SECONDS": "0",
    }
    async with Stack(directory, layout=ONE_PROCESS, environ=environ) as running, Platform(running) as started:
        yield started
    check_logs(directory)


@pytest_asyncio.fixture(loop_scope="session")
async def redis(platform: Platform) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(platform.stack.redis_url)
    yield client
    await client.aclose()


async def names(redis: Redis, pattern: str) -> set[str]:
    """The keys whose whole name fits."""
    found = [key.decode() async for key in redis.scan_iter(count=1000)]
    return {key for key in found if re.fullmatch(pattern, key)}


async def listed(platform: Platform, workflow_id: str) -> list[str]:
    answer = await platform.rest.get("/api/workflows/executions", params={"workflowId": workflow_id})
    assert answer.status_code == 200, answer.text
    return [row["executionId"] for row in answer.json()["executions"]]


async def test_what_has_ended_leaves_redis_with_its_entries_in_the_indexes(platform: Platform, redis: Redis) -> None:
    code, phone = new_code(), new_phone()
    nodes = [ask("menu", "Name?"), sms("send"), bye("end", "Bye")]
    edges = ["start>menu", "menu>send", "send>end"]
    dialled_flow = await platform.publish(flow(new_id("kept-shortly"), dialled(code), nodes, edges))
    call = await platform.dial(code, phone)
    assert str(await call.type("Asha")) == "END Bye"
    # An SMS with a delivery report.
    number = str(23_000 + int(phone[-3:]))
    texted_flow = await platform.publish(
        flow(new_id("kept-shortly"), texted(shortCode=number), [sms("send")], ["start>send"])
    )
    sender, other = new_phone(), new_phone()
    await platform.text(sender, number, "hi")
    await eventually(lambda: platform.sent_to(sender))
    # A call with an idempotency key, and a send whose answer is lost and that its report settles.
    inline = flow(new_id("kept-shortly"), texted(), [sms("send", retry=quick_retry())], ["start>send"])
    await platform.fault(kind="lost_answer", times=1)
    payload = {"msisdn": other, "message": "hi"}
    both = [asyncio.ensure_future(platform.execute(inline, payload, key="only-once")) for _ in range(2)]
    # While they run: what has ended may be gone soon.
    await eventually(lambda: names(redis, OF_EXECUTIONS))
    await eventually(lambda: names(redis, OF_FLOWS_WITH_CALLS))
    first, again = [await each for each in both]
    assert first["executionId"] == again["executionId"]

    async def is_clean() -> bool:
        return not await names(redis, f"{OF_EXECUTIONS}|{OF_FLOWS_WITH_CALLS}")

    await eventually(is_clean, seconds=60)

    assert await platform.sent_to(other) == ["hello"]
    assert [await listed(platform, it) for it in (dialled_flow, texted_flow)] == [[], []]
    lives = {key: await redis.pttl(key) for key in await names(redis, ".*")}
    for key, life_ms in lives.items():
        if life_ms == -1:
            assert any(re.fullmatch(pattern, key) for pattern in WITHOUT_LIFE), f"{key} stays for good"
        else:
            longest_ms = AUDIT_LIFE_MS if key == "njia:audit" else LONGEST_LIFE_MS
            assert life_ms <= longest_ms, f"{key} lives for {life_ms} ms"


async def test_an_execution_that_waits_for_longer_than_the_retention_loses_nothing(
    platform: Platform, redis: Redis
) -> None:
    waiting = flow(
        new_id("waits-long"),
        texted(),
        [sms("send"), node("later", "DELAY", {"duration": AN_HOUR_MS})],
        ["start>send", "send>later"],
    )
    phone = new_phone()
    patient = (await platform.execute(waiting, {"msisdn": phone, "message": "hi"}, wait_ms=0))["executionId"]
    mine = await eventually(lambda: complete(redis))
    # Whatever would go with the retention of what began later has gone before.
    brief = flow(new_id("waits-not"), texted(), [sms("send")], ["start>send"])
    await platform.hold_up_sends()
    ended = (await platform.execute(brief, {"msisdn": new_phone(), "message": "hi"}, wait_ms=0))["executionId"]
    of_both = await names(redis, f"{OF_EXECUTIONS}|{OF_FLOWS_WITH_CALLS}")
    await platform.answer_sends()
    assert any(ended in key for key in of_both)

    async def only_the_waiting_one_is_left() -> bool:
        left = await names(redis, f"{OF_EXECUTIONS}|{OF_FLOWS_WITH_CALLS}")
        return bool(left == mine)

    await eventually(only_the_waiting_one_is_left, seconds=60)
    log = await platform.log(patient)
    assert log["status"] == "running"
    assert [row["nodeId"] for row in log["nodeResults"]][:2] == ["start", "send"]
    assert log["deliveryReports"]
    assert await listed(platform, waiting["metadata"]["workflowId"]) == [patient]

    cancelled = await platform.rest.post(f"/api/workflows/executions/{patient}/cancel")
    assert cancelled.json()["status"] == "cancelled"

    async def nothing_is_left() -> bool:
        return not await names(redis, f"{OF_EXECUTIONS}|{OF_FLOWS_WITH_CALLS}")

    await eventually(nothing_is_left, seconds=60)


async def complete(redis: Redis) -> set[str]:
    """The keys of the only execution, once its delivery report is among them; the report may overtake its send."""
    keys = await names(redis, f"{OF_EXECUTIONS}|{OF_FLOWS_WITH_CALLS}")
    is_complete = any("reports" in key for key in keys) and not any("unmatched" in key for key in keys)
    return keys if is_complete else set()
