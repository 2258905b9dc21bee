"""Parts of the platform are killed: what the others answer, and that they recover by themselves."""

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from njia.validator.v1 import validator_service_pb2
from services.at_adapter.callbacks.engine import REPEAT_WITHIN_SECONDS
from services.at_adapter.callbacks.ussd import UNAVAILABLE_TEXT
from tests.e2e.driving import (
    CALL_SECONDS,
    Document,
    Platform,
    conformance,
    eventually,
    execute,
    new_code,
    new_id,
    new_phone,
    refused,
    results_of,
    source,
)
from tests.e2e.flows import ask, bye, dialled, flow, node, quick_retry, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def down(separate: Platform) -> AsyncIterator[set[str]]:
    """Names of what a test killed; it is started again in the end where the test did not."""
    killed: set[str] = set()
    yield killed
    for name in killed:
        await separate.stack.start(name)
    await separate.ready()


async def kill(platform: Platform, down: set[str], name: str) -> None:
    platform.stack.kill(name)
    down.add(name)


async def start(platform: Platform, down: set[str], name: str) -> None:
    await platform.stack.start(name)
    down.discard(name)


def two_screens(code: str) -> Document:
    return flow(
        new_id("outage"),
        dialled(code),
        [ask("menu", "Menu"), sms("send", "Typed {{input}}"), bye("end", "Typed {{input}}")],
        ["start>menu", "menu>send", "menu>end"],
    )


async def health(platform: Platform) -> tuple[int, Document]:
    answer = await platform.rest.get("/health")
    return answer.status_code, answer.json()


async def test_without_redis_health_says_so_calls_are_unavailable_and_all_recovers(
    separate: Platform, down: set[str]
) -> None:
    code, phone = new_code(), new_phone()
    spec = two_screens(code)
    await separate.publish(spec)
    call = await separate.dial(code, phone)
    echo = conformance("sms-echo")
    await kill(separate, down, "valkey")

    async def services() -> bool:
        status, document = await health(separate)
        return (status, document["status"], document.get("services")) == (
            503,
            "degraded",
            {
                "validator": "serving",
                "engine": "not_serving",
                "sessions": "not_serving",
                "at_adapter": "not_serving",
            },
        )

    await eventually(services)
    refusal = await refused(separate.engine.Execute(execute(echo, {"msisdn": phone, "message": "x"}), timeout=10))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert refusal.retry_after_ms
    over_rest = await separate.rest.post(
        "/api/workflows/execute", content=f'{{"workflow": {echo}}}', headers={"content-type": "application/json"}
    )
    assert (over_rest.status_code, over_rest.json()["code"]) == (503, "STORE_UNAVAILABLE")
    assert int(over_rest.headers["retry-after"]) >= 1
    for path in ("/api/workflows", "/api/workflows/executions", "/api/sessions/x", "/api/sessions"):
        listed = await separate.rest.get(path)
        assert listed.status_code == 503, path
        assert listed.headers["retry-after"], path
    assert (await separate.callback(new_id("down"), phone, code, "")).startswith("END ")
    sms_callback = {"id": new_id("m"), "from": phone, "to": "22334", "text": "hi"}
    assert (await separate.callbacks.post("/at/sms", data=sms_callback)).status_code == 503
    assert (
        await separate.rest.post("/api/workflows/validate", content=echo, headers={"content-type": "application/json"})
    ).status_code == 200

    await start(separate, down, "valkey")
    await eventually(lambda: _is_up(separate))
    assert str(await call.type("7")) == "END Typed 7"
    assert await eventually(lambda: separate.sent_to(phone)) == ["Typed 7"]
    assert (await separate.execute(echo, {"msisdn": phone, "message": "x"}))["status"] == "completed"


async def _is_up(platform: Platform) -> bool:
    return (await health(platform))[0] == 200


async def test_without_the_validator_published_flows_go_on(separate: Platform, down: set[str]) -> None:
    code, phone = new_code(), new_phone()
    spec = two_screens(code)
    await separate.publish(spec)
    known = conformance("sms-echo")
    await separate.execute(known, {"msisdn": phone, "message": "before"})
    await kill(separate, down, "validator")

    call = await separate.dial(code, phone)
    assert str(call.screen) == "CON Menu"
    assert str(await call.type("7")) == "END Typed 7"
    assert (await separate.execute(known, {"msisdn": phone, "message": "after"}))["status"] == "completed"
    unknown = flow(new_id("unknown"), texted(), [sms("send")], ["start>send"])
    # Each of them waits for a validator for a while.
    refusal, saved, validated, compiled = await asyncio.gather(
        refused(separate.engine.Execute(execute(unknown, {}), timeout=CALL_SECONDS)),
        separate.rest.post("/api/workflows", json=unknown),
        separate.rest.post("/api/workflows/validate", json=spec),
        separate.rest.post("/api/workflows/compile", json=spec),
    )
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "VALIDATOR_UNAVAILABLE")
    assert (saved.status_code, saved.json()["code"]) == (503, "VALIDATOR_UNAVAILABLE")
    for answer in (validated, compiled):
        assert answer.status_code == 503, answer.text
        assert answer.headers["retry-after"]
        assert answer.json()["error"]
    status, document = await health(separate)
    assert (status, document["services"]["validator"]) == (503, "unreachable")

    await start(separate, down, "validator")
    await separate.ready()
    valid = await separate.validator.ValidateWorkflow(
        validator_service_pb2.ValidateWorkflowRequest(source=source(unknown)),
        timeout=CALL_SECONDS,
        wait_for_ready=True,
    )
    assert valid.valid


async def test_a_restarted_engine_runs_published_flows_without_the_validator(
    separate: Platform, down: set[str]
) -> None:
    code = new_code()
    await separate.publish(two_screens(code))
    for name in ("validator", "engine"):
        await kill(separate, down, name)
    await start(separate, down, "engine")

    async def answered() -> str:
        call = await separate.dial(code, new_phone())
        return str(call.screen) if call.screen.kind == "CON" else ""

    # The process has only begun to start.
    assert await eventually(answered, seconds=120) == "CON Menu"


async def test_without_the_engine_a_caller_gets_a_sentence_and_an_sms_comes_again(
    separate: Platform, down: set[str]
) -> None:
    code, phone, keyword = new_code(), new_phone(), new_id("K")
    await separate.publish(two_screens(code))
    await separate.publish(flow(new_id("again"), texted(keyword=keyword), [sms("send", "Got it")], ["start>send"]))
    await separate.control.patch("/control/settings", json={"incomingRetryIntervalMs": 200})
    await kill(separate, down, "engine")

    delivery_report = {"id": "ATXid_x", "status": "Success", "phoneNumber": phone}
    # Each of them waits for an engine for a while.
    call, delivery, report, listed = await asyncio.gather(
        separate.dial(code, phone),
        separate.text(phone, "22334", keyword),
        separate.callbacks.post("/at/sms/delivery", data=delivery_report),
        separate.rest.get("/api/workflows"),
    )
    assert (call.screen.kind, call.screen.error) == ("END", None)
    assert call.screen.text
    assert (delivery["delivered"], delivery["lastStatus"]) == (False, 503)
    assert report.status_code == 200
    assert listed.status_code == 503

    await start(separate, down, "engine")
    await separate.ready()
    assert await eventually(lambda: separate.sent_to(phone)) == ["Got it"]

    async def delivered() -> bool:
        answer = await separate.control.get(f"/control/sms/{delivery['id']}")
        return bool(answer.json()["delivered"])

    await eventually(delivered)
    assert str((await separate.dial(code, new_phone())).screen) == "CON Menu"


async def test_a_report_that_came_while_the_engine_was_down_is_in_the_log_later(
    separate: Platform, down: set[str]
) -> None:
    phone = new_phone()
    await separate.control.patch("/control/settings", json={"deliveryReports": False})
    result = await separate.execute(conformance("sms-echo"), {"msisdn": phone, "message": "x"})
    message_id = result["output"]["messageId"]
    await kill(separate, down, "engine")
    reported = await separate.control.post(f"/control/messages/{message_id}/delivery", json={"status": "Success"})
    assert reported.json()["delivered"] is True
    await start(separate, down, "engine")
    await separate.ready()

    async def joined() -> list[Document]:
        return list((await separate.log(result["executionId"]))["deliveryReports"])

    # The longer the engine was away, the longer the pause until it is asked again.
    assert [report["status"] for report in await eventually(joined, seconds=120)] == ["Success"]
    await separate.control.patch("/control/settings", json={"deliveryReports": True})


async def test_without_africas_talking_a_send_is_a_network_error_that_is_retried(
    separate: Platform, down: set[str]
) -> None:
    phone = new_phone()
    spec = flow(
        new_id("at-down"),
        texted(),
        [sms("send", retry=quick_retry()), node("caught", "CONDITION", {"expression": "1 == 1"})],
        ["start>send", "send:error>caught"],
    )
    await kill(separate, down, "emulator")

    result = await separate.execute(spec, {"msisdn": phone, "message": "x"})

    attempts = results_of(result, "send")
    assert [row["attempt"] for row in attempts] == [1, 2, 3]
    assert {(row["error"]["code"], row["error"]["type"]) for row in attempts} == {("NETWORK_ERROR", "transient")}
    assert [row["status"] for row in results_of(result, "caught")] == ["success"]

    await start(separate, down, "emulator")
    await separate.ready()
    again = await separate.execute(spec, {"msisdn": phone, "message": "x"})
    assert [row["status"] for row in results_of(again, "send")] == ["success"]
    assert await separate.sent_to(phone) == ["hello"]


async def test_without_the_adapter_a_send_is_retried_until_it_is_back(separate: Platform, down: set[str]) -> None:
    phone = new_phone()
    spec = flow(
        new_id("adapter-down"),
        texted(),
        [sms("send", retry={"maxAttempts": 50, "initialDelayMs": 500, "maxDelayMs": 500})],
        ["start>send"],
    )
    await kill(separate, down, "at_adapter")
    await separate.execute(spec, {"msisdn": phone, "message": "x"}, wait_ms=1)

    async def failed_once() -> bool:
        found = await separate.executions(spec["metadata"]["workflowId"])
        return bool(found and results_of(found[0], "send"))

    await eventually(failed_once)
    await start(separate, down, "at_adapter")
    result = await separate.ended(spec["metadata"]["workflowId"])
    assert result["status"] == "completed"
    assert results_of(result, "send")[0]["error"]["code"] == "NETWORK_ERROR"
    assert await separate.sent_to(phone) == ["hello"]
    await separate.ready()


async def test_without_sessions_nothing_is_lost_and_the_next_screen_comes(separate: Platform, down: set[str]) -> None:
    code, phone = new_code(), new_phone()
    spec = flow(
        new_id("sessions-down"),
        dialled(code),
        [
            ask("menu", "Menu"),
            node("keep", "SESSION_WRITE", {"data": {"typed": "{{input}}"}}),
            ask("next", "Kept {{session.data.typed}}"),
            bye("end", "Still {{session.data.typed}}"),
        ],
        ["start>menu", "menu>keep", "keep>next", "next>end"],
    )
    await separate.publish(spec)
    call = await separate.dial(code, phone)
    await kill(separate, down, "sessions")

    assert str(await call.type("7")) == "CON Kept 7"

    await start(separate, down, "sessions")
    await separate.ready()
    assert str(await call.type("8")) == "END Still 7"

    async def data() -> object:
        return (await separate.rest.get(f"/api/sessions/{call.session_id}")).json().get("data", {}).get("typed")

    assert await eventually(data) == "7"


@pytest.mark.parametrize("answered", ["before", "after"])
async def test_an_engine_that_dies_while_it_sends_is_taken_over_and_the_text_goes_out_once(
    separate: Platform, down: set[str], answered: str
) -> None:
    """The first send is answered before, or after, the next engine is there, which asks for it again."""
    phone = new_phone()
    spec = flow(new_id("taken-over"), texted(), [sms("send"), sms("second", "bye")], ["start>send", "send>second"])
    await separate.hold_up_sends()
    lost = asyncio.create_task(
        refused(separate.engine.Execute(execute(spec, {"msisdn": phone, "message": "x"}), timeout=CALL_SECONDS))
    )
    await eventually(lambda: separate.sent_to(phone))
    await kill(separate, down, "engine")
    await lost
    if answered == "before":
        await separate.answer_sends()
    await start(separate, down, "engine")
    await separate.ready()
    if answered == "after":
        await separate.answer_sends()

    log = await separate.ended(spec["metadata"]["workflowId"])

    assert log["status"] == "completed", log
    assert await separate.sent_to(phone) == ["hello", "bye"]


async def test_the_conformance_menu_waits_through_a_restart_of_every_service(separate: Platform) -> None:
    await separate.publish(conformance("ussd-menu"))
    call = await separate.dial("*384*7777#", new_phone())
    before = (await separate.executions("example-ussd-menu-1"))[0]
    assert before["waitingFor"]["nodeId"] == "node-1"
    for name in separate.stack.layout:
        await separate.stack.stop(name)
    for name in separate.stack.layout:
        await separate.stack.start(name)
    await separate.ready()

    answer = await separate.rest.get(f"/api/workflows/executions/{before['executionId']}")
    after = answer.json()
    assert (after["status"], after["waitingFor"]) == ("running", before["waitingFor"])
    assert str(await call.type("1")) == "END Your balance is KES 100\nThank you!"
    log = await separate.log(before["executionId"])
    assert log["status"] == "completed"
    await separate.unpublish("example-ussd-menu-1")


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_callers_do_not_notice_that_the_engine_is_restarted(separate: Platform, end: str) -> None:
    """
    Turns are under way when it ends; the adapter asks the new one, which has the journal. Where the engine is away for
    longer than the adapter waits, a caller gets a sentence, which ends the session.
    """
    code = new_code()
    await separate.publish(two_screens(code))
    phones = [new_phone() for _ in range(12)]
    calls = [await separate.dial(code, phone) for phone in phones]

    async def answer(number: int) -> str:
        await asyncio.sleep(number * 0.05)
        return str(await calls[number].type(str(number)))

    away = 0.0

    async def restart() -> None:
        nonlocal away
        await asyncio.sleep(0.25)
        stopped = time.monotonic()
        if end == "kill":
            separate.stack.kill("engine")
        else:
            await separate.stack.stop("engine")
        await separate.stack.start("engine")
        await separate.ready()
        away = time.monotonic() - stopped

    _, *screens = await asyncio.gather(restart(), *(answer(number) for number in range(12)))
    answered = [number for number, screen in enumerate(screens) if screen == f"END Typed {number}"]
    assert away > REPEAT_WITHIN_SECONDS or len(answered) == len(phones), (away, screens)
    assert {screens[number] for number in range(12) if number not in answered} <= {f"END {UNAVAILABLE_TEXT}"}

    async def sent() -> list[list[str]]:
        found = [await separate.sent_to(phones[number]) for number in answered]
        return found if all(found) else []

    assert await eventually(sent) == [[f"Typed {number}"] for number in answered]
