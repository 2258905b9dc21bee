"""The whole set on a cluster, from the phone to the log; the services are killed in the middle of a dialogue."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from launcher.stack import ONE_PROCESS, Stack
from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted
from tests.valkey_cluster import ValkeyCluster

SHORT_LEASE_MS = 1000
TO = "22384"


@pytest.fixture
async def platform(tmp_path: Path, redis_url: str) -> AsyncIterator[Platform]:
    environ = {
        "NJIA_REDIS_URL": redis_url,
        "NJIA_ENGINE_LEASE_MS": str(SHORT_LEASE_MS),
        "NJIA_ENGINE_SCAN_MS": "50",
        "NJIA_AT_SMS_RATE_PER_SECOND": "100",
    }
    async with Stack(tmp_path, layout=ONE_PROCESS, environ=environ) as stack, Platform(stack) as platform:
        yield platform


def market(code: str) -> Document:
    return flow(
        new_id("market"),
        dialled(code),
        [
            ask("menu", "What do you sell?"),
            node("keep", "SESSION_WRITE", {"data": {"crop": "{{input}}"}}),
            node("known", "SESSION_WRITE", {"data": {"crop": "{{input}}"}, "scope": "global"}),
            ask("kilos", "How many kilos of {{session.data.crop}}?"),
            sms("note", "{{input}} kg of {{session.data.crop}}"),
            bye("end", "We come for your {{session.data.crop}}"),
        ],
        ["start>menu", "menu>keep", "keep>known", "known>kilos", "kilos>note", "note>end"],
    )


def echo() -> Document:
    return flow(new_id("echo"), texted(shortCode=TO), [sms("reply", "You wrote {{message}}")], ["start>reply"])


async def reported(platform: Platform, workflow_id: str) -> Document:
    """The log of the one execution of a flow, once it has ended and its SMS was delivered."""

    async def log() -> Document | None:
        found = await platform.ended(workflow_id)
        return found if found.get("deliveryReports") else None

    return dict(await eventually(log))


async def test_dialogues_texts_reports_and_listings(platform: Platform, valkey_cluster: ValkeyCluster) -> None:
    code, phone, other = new_code(), new_phone(), new_phone()
    selling, echoing = await platform.publish(market(code)), await platform.publish(echo())

    call = await platform.dial(code, phone)
    assert call.screen.text == "What do you sell?"
    assert (await call.type("maize")).text == "How many kilos of maize?"
    platform.stack.kill("services")
    await platform.stack.restart("services")
    await platform.ready()
    assert (await call.type("70")).text == "We come for your maize"
    await platform.text(other, TO, "hello")

    sold, echoed = await reported(platform, selling), await reported(platform, echoing)
    assert (sold["status"], echoed["status"]) == ("completed", "completed")
    assert await platform.sent_to(phone) == ["70 kg of maize"]
    assert await platform.sent_to(other) == ["You wrote hello"]

    listed = (await platform.rest.get("/api/workflows/executions", params={"limit": 1})).json()
    rest = await platform.rest.get("/api/workflows/executions", params={"limit": 10, "cursor": listed["nextCursor"]})
    newest = [listed["executions"], rest.json()["executions"]]
    assert [[row["workflowId"] for row in page] for page in newest] == [[echoing], [selling]]
    sessions = (await platform.rest.get("/api/sessions", params={"msisdn": phone})).json()["sessions"]
    assert [session["data"] for session in sessions] == [{"crop": "maize"}]

    for index in range(len(valkey_cluster.ports)):
        async with valkey_cluster.node(index) as own:
            assert await own.dbsize() > 0
