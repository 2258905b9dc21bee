"""Saving, publishing and listing through the REST API; what is published is what answers."""

import asyncio
import json
from pathlib import Path

import pytest
from opentelemetry.trace import NoOpTracerProvider

from launcher import process
from launcher.stack import ROOT
from launcher.valkey import free_port
from njia.engine.v1 import engine_service_pb2
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from rpc.channels import open_channel
from rpc.listening import reachable
from tests.e2e.driving import (
    CALL_SECONDS,
    Document,
    Platform,
    new_code,
    new_id,
    new_phone,
    results_of,
)
from tests.e2e.flows import ask, bye, dialled, flow, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def says(workflow_id: str, code: str, words: str) -> Document:
    return flow(workflow_id, dialled(code), [bye("end", words)], ["start>end"])


async def save(platform: Platform, spec: Document) -> tuple[int, Document]:
    answer = await platform.rest.post("/api/workflows", json=spec)
    return answer.status_code, answer.json()


async def publish(platform: Platform, workflow_id: str, query: str = "") -> tuple[int, Document]:
    answer = await platform.rest.post(f"/api/workflows/{workflow_id}/publish{query}")
    return answer.status_code, answer.json()


async def test_every_changed_save_is_a_version_and_an_equal_one_is_not(platform: Platform) -> None:
    workflow_id, code = new_id("versions"), new_code()

    first, one = await save(platform, says(workflow_id, code, "One"))
    again, same = await save(platform, says(workflow_id, code, "One"))
    second, two = await save(platform, says(workflow_id, code, "Two"))

    assert (first, one["version"]) == (201, 1)
    assert (again, same["version"]) == (200, 1)
    assert (second, two["version"]) == (201, 2)
    kept = (await platform.rest.get(f"/api/workflows/{workflow_id}?version=1")).json()
    assert kept["workflow"]["nodes"][0]["config"]["message"] == "One"
    newest = (await platform.rest.get(f"/api/workflows/{workflow_id}")).json()
    assert (newest["version"], newest["published"]) == (2, False)


async def test_a_published_version_answers_and_a_newer_save_does_not_change_it(platform: Platform) -> None:
    workflow_id, code, phone = new_id("published"), new_code(), new_phone()
    await save(platform, says(workflow_id, code, "One"))
    assert str((await platform.dial(code, phone)).screen).startswith("END")
    status, published = await publish(platform, workflow_id)
    assert (status, published["published"], published["publishedVersion"]) == (200, True, 1)

    await save(platform, says(workflow_id, code, "Two"))
    assert str((await platform.dial(code, phone)).screen) == "END One"
    await publish(platform, workflow_id)
    assert str((await platform.dial(code, phone)).screen) == "END Two"
    await publish(platform, workflow_id, "?version=1")
    assert str((await platform.dial(code, phone)).screen) == "END One"

    taken_off = await platform.rest.post(f"/api/workflows/{workflow_id}/unpublish")
    assert taken_off.json()["publishedVersion"] == 0
    assert str((await platform.dial(code, phone)).screen) not in ("END One", "END Two")


async def test_two_flows_that_claim_one_trigger_are_refused_with_both_names(platform: Platform) -> None:
    one, other, code = new_id("claims"), new_id("claims"), new_code()
    await save(platform, says(one, code, "One"))
    await save(platform, says(other, code, "Other"))
    assert (await publish(platform, one))[0] == 200

    status, refusal = await publish(platform, other)

    assert (status, refusal["code"]) == (409, "TRIGGER_CLAIMED")
    assert one in refusal["message"]
    assert other in refusal["message"]
    assert str((await platform.dial(code, new_phone())).screen) == "END One"


async def test_ten_flows_that_claim_one_trigger_at_once_leave_one_published(platform: Platform) -> None:
    code, names = new_code(), [new_id("race") for _ in range(10)]
    for name in names:
        await save(platform, says(name, code, name))

    answers = await asyncio.gather(*(publish(platform, name) for name in names))

    won = [name for name, (status, _) in zip(names, answers, strict=True) if status == 200]
    assert len(won) == 1
    assert {status for status, _ in answers} == {200, 409}
    assert str((await platform.dial(code, new_phone())).screen) == f"END {won[0]}"


async def test_a_published_flow_is_not_deleted_and_a_deleted_one_is_gone(platform: Platform) -> None:
    workflow_id, code = new_id("deleted"), new_code()
    await save(platform, says(workflow_id, code, "One"))
    await publish(platform, workflow_id)

    kept = await platform.rest.delete(f"/api/workflows/{workflow_id}")
    await platform.rest.post(f"/api/workflows/{workflow_id}/unpublish")
    deleted = await platform.rest.delete(f"/api/workflows/{workflow_id}")

    assert (kept.status_code, kept.json()["code"]) == (409, "WORKFLOW_PUBLISHED")
    assert deleted.status_code == 204
    gone = await platform.rest.get(f"/api/workflows/{workflow_id}")
    assert (gone.status_code, gone.json()["error"]) == (404, "Workflow not found")
    assert (await platform.rest.delete(f"/api/workflows/{workflow_id}")).status_code == 404
    assert (await publish(platform, workflow_id))[0] == 404


async def test_a_caller_in_a_flow_stays_on_its_version_when_another_is_published_or_it_is_deleted(
    platform: Platform,
) -> None:
    workflow_id, code = new_id("stays"), new_code()

    def version(words: str) -> Document:
        return flow(workflow_id, dialled(code), [ask("menu", words), bye("end", words)], ["start>menu", "menu>end"])

    await save(platform, version("One"))
    await publish(platform, workflow_id)
    first, second = await platform.dial(code, new_phone()), await platform.dial(code, new_phone())
    await save(platform, version("Two"))
    await publish(platform, workflow_id)

    assert str(await first.type("x")) == "END One"
    await platform.rest.post(f"/api/workflows/{workflow_id}/unpublish")
    assert (await platform.rest.delete(f"/api/workflows/{workflow_id}")).status_code == 204
    assert str(await second.type("x")) == "END One"


async def test_the_narrowest_trigger_wins(platform: Platform) -> None:
    keyword, phone = new_id("K"), new_phone()
    wide = flow(new_id("wide"), texted(keyword=keyword), [sms("send", "wide")], ["start>send"])
    narrow = flow(new_id("narrow"), texted(keyword=keyword, shortCode="55555"), [sms("send", "narrow")], ["start>send"])
    for spec in (wide, narrow):
        await platform.publish(spec)

    await platform.text(phone, "55555", f"{keyword.lower()} please")
    await platform.text(phone, "44444", f"{keyword} please")
    for spec in (wide, narrow):
        assert (await platform.ended(spec["metadata"]["workflowId"]))["status"] == "completed"

    assert sorted(await platform.sent_to(phone)) == ["narrow", "wide"]


async def test_what_is_published_counts_at_a_second_engine_at_once(platform: Platform, tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    environ = {**platform.stack.environ, "NJIA_ENGINE_LISTEN": listen}
    second = process.start("second-engine", ("services", "engine"), environ, tmp_path / "engine.log", ROOT)
    channel = open_channel(reachable(listen), NoOpTracerProvider())
    engine = EngineServiceStub(channel)
    workflow_id, code, phone = new_id("replica"), new_code(), new_phone()

    async def at_second(session: str) -> str:
        answer = await engine.HandleUssd(
            engine_service_pb2.HandleUssdRequest(session_id=session, msisdn=phone, service_code=code),
            timeout=CALL_SECONDS,
            wait_for_ready=True,
        )
        return str(answer.reply.text)

    try:
        nobody = await at_second("before")
        for words in ("One", "Two", "Three"):
            await save(platform, says(workflow_id, code, words))
            await publish(platform, workflow_id)
            assert await at_second(new_id("at")) == words
        await platform.rest.post(f"/api/workflows/{workflow_id}/unpublish")
        assert await at_second("after") == nobody
    finally:
        await channel.close()
        second.stop(10)


async def test_a_session_goes_on_at_the_other_engine(platform: Platform, tmp_path: Path) -> None:
    """Screens of one call are answered by two engines in turn, and the same callback at both at once is one turn."""
    listen = f"127.0.0.1:{free_port()}"
    environ = {**platform.stack.environ, "NJIA_ENGINE_LISTEN": listen}
    other = process.start("second-engine", ("services", "engine"), environ, tmp_path / "engine.log", ROOT)
    channel = open_channel(reachable(listen), NoOpTracerProvider())
    second = EngineServiceStub(channel)
    code, phone, session_id = new_code(), new_phone(), new_id("both")
    workflow_id = await platform.publish(
        flow(
            new_id("both"),
            dialled(code),
            [ask("a", "A"), ask("b", "B after {{node_a.output.input}}"), sms("send"), bye("end", "Bye")],
            ["start>a", "a>b", "b>send", "send>end"],
        )
    )

    async def turn(engine: object, text: str) -> str:
        request = engine_service_pb2.HandleUssdRequest(
            session_id=session_id, msisdn=phone, service_code=code, text=text
        )
        answer = await engine.HandleUssd(request, timeout=CALL_SECONDS, wait_for_ready=True)  # type: ignore[attr-defined]
        return str(answer.reply.text)

    try:
        assert await turn(second, "") == "A"
        assert await turn(platform.engine, "1") == "B after 1"
        assert await turn(second, "1") == "B after 1"
        both = await asyncio.gather(
            *(turn(engine, "1*2") for engine in (second, platform.engine, second, platform.engine))
        )
        assert both == ["Bye"] * 4
        log = await platform.ended(workflow_id)
        assert [len(results_of(log, name)) for name in ("a", "b", "send", "end")] == [1, 1, 1, 1]
        assert await platform.sent_to(phone) == ["hello"]
    finally:
        await channel.close()
        other.stop(10)


async def test_flows_are_listed_page_by_page(platform: Platform) -> None:
    names = sorted(new_id("listed") for _ in range(3))
    for name in names:
        await save(platform, says(name, new_code(), "x"))
    found: list[str] = []
    cursor = ""
    while True:
        page = (await platform.rest.get("/api/workflows", params={"limit": 2, "cursor": cursor})).json()
        assert len(page["workflows"]) <= 2
        found += [row["workflowId"] for row in page["workflows"]]
        cursor = page.get("nextCursor", "")
        if not cursor:
            break

    assert found == sorted(set(found))
    assert [name for name in found if name in names] == names


async def test_the_catalogue_is_enough_to_draw_a_palette(platform: Platform) -> None:
    answer = await platform.rest.get("/api/node-types")

    types = {row["type"]: row for row in answer.json()["nodeTypes"]}
    assert {
        "SMS_RECEIVED",
        "USSD_SESSION_START",
        "SEND_SMS",
        "SEND_USSD_RESPONSE",
        "CONDITION",
        "SWITCH",
        "MERGE",
        "SESSION_READ",
        "SESSION_WRITE",
        "SESSION_END",
    } <= set(types)
    assert types["SEND_SMS"]["configSchema"]["properties"]["enqueue"]["default"] is False
    assert types["SEND_SMS"]["outputHandles"] == ["success", "error"]
    assert types["SEND_SMS"]["timeout"] == 30000
    assert json.dumps(types["SEND_SMS"]["defaults"])
