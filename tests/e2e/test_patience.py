"""Pauses, screens that take too long, and persons who hang up."""

import pytest

from tests.e2e.conftest import Observed
from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone, results_of
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def delay(node_id: str, duration: object) -> Document:
    return node(node_id, "DELAY", {"duration": duration})


async def test_execute_waits_for_a_short_delay(platform: Platform) -> None:
    spec = flow(new_id("delay"), texted(), [delay("pause", 300), sms("send")], ["start>pause", "pause>send"])
    phone = new_phone()

    result = await platform.execute(spec, {"msisdn": phone, "message": "hi"})

    assert result["status"] == "completed"
    (pause,) = results_of(result, "pause")
    assert pause["output"] == {"delayedMs": 300}
    assert await platform.sent_to(phone) == ["hello"]


async def test_a_long_delay_is_a_timer_and_no_worker(platform: Platform) -> None:
    spec = flow(new_id("days"), texted(), [delay("pause", "{{message}}"), sms("send")], ["start>pause", "pause>send"])

    result = await platform.execute(spec, {"msisdn": new_phone(), "message": str(30 * 24 * 3600 * 1000)}, wait_ms=200)

    assert result["status"] == "running"
    assert (result["waitingFor"]["nodeId"], result["waitingFor"]["kind"]) == ("pause", "timer")
    cancelled = await platform.rest.post(f"/api/workflows/executions/{result['executionId']}/cancel")
    assert cancelled.json()["status"] == "cancelled"


async def test_a_dry_run_makes_no_pause(platform: Platform) -> None:
    spec = flow(new_id("dry"), texted(), [delay("pause", 3_600_000), sms("send")], ["start>pause", "pause>send"])

    result = await platform.execute(spec, {"msisdn": new_phone(), "message": "hi"}, dry_run=True)

    assert result["status"] == "completed"
    assert results_of(result, "pause")[0]["output"] == {"delayedMs": 3_600_000, "dryRun": True}


async def test_a_delay_survives_a_kill(separate: Platform) -> None:
    spec = flow(new_id("killed"), texted(), [delay("pause", 2000), sms("send")], ["start>pause", "pause>send"])
    phone = new_phone()
    await separate.execute(spec, {"msisdn": phone, "message": "hi"}, wait_ms=0)
    separate.stack.kill("engine")
    await separate.stack.start("engine")
    await separate.ready()

    assert (await separate.ended(spec["metadata"]["workflowId"]))["status"] == "completed"
    assert await separate.sent_to(phone) == ["hello"]


async def test_a_delay_that_is_no_number_fails_the_node(platform: Platform) -> None:
    spec = flow(new_id("words"), texted(), [delay("pause", "{{message}}")], ["start>pause"])

    result = await platform.execute(spec, {"msisdn": new_phone(), "message": "soon"})

    assert result["error"]["code"] == "INVALID_NODE_CONFIG"
    assert "duration" in result["error"]["message"]


def slow_screen(code: str, **ussd: str) -> Document:
    return flow(
        new_id("slow-screen"),
        dialled(code),
        [ask("menu", "Send?"), sms("send"), ask("sent", "Sent. More?"), bye("end", "You said {{input}}")],
        ["start>menu", "menu>send", "send>sent", "sent>end"],
        settings={"ussd": ussd},
    )


async def test_a_screen_that_takes_too_long_can_be_asked_for_again(observed: Observed) -> None:
    """The budget of this set is 1.5 s; the SMS that stands before the screen takes as long as it is held up."""
    platform = observed.platform
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(slow_screen(code, whenBusy="checkAgain"))
    call = await platform.dial(code, phone)
    await platform.hold_up_sends()

    first = str(await call.type("1"))
    assert first == "CON Still working...\n1. Check again"
    assert str(await call.repeat()) == first
    assert str(await call.type("1")) == first
    await platform.answer_sends()
    shown = first
    while shown.startswith("CON Still"):
        shown = str(await call.type("1"))

    assert shown == "CON Sent. More?"
    # What was typed to check again is not for the flow.
    assert str(await call.type("maybe")) == "END You said maybe"
    log = await platform.ended(workflow_id)
    assert [row["output"]["input"] for row in log["nodeResults"] if row["nodeId"] == "menu"] == ["1"]
    assert await platform.sent_to(phone) == ["hello"]


async def test_a_screen_that_takes_too_long_ends_where_the_flow_asks_for_nothing_else(observed: Observed) -> None:
    platform = observed.platform
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(slow_screen(code, apology="Pole, jaribu tena."))
    call = await platform.dial(code, phone)
    await platform.hold_up_sends()

    assert str(await call.type("1")) == "END Pole, jaribu tena."
    assert str(await call.repeat()) == "END Pole, jaribu tena."
    await eventually(lambda: platform.sent_to(phone))
    log = await platform.only_execution(workflow_id)
    assert log["status"] == "running"
    await platform.answer_sends()
    await platform.rest.post(f"/api/workflows/executions/{log['executionId']}/cancel")


async def test_hanging_up_ends_the_wait_by_the_timeout_edge(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    spec = flow(
        new_id("hang-up"),
        dialled(code),
        [ask("menu", "Yes?"), bye("end", "Bye"), sms("missed", "You hung up")],
        ["start>menu", "menu>end", "menu:timeout>missed"],
    )
    workflow_id = await platform.publish(spec)
    call = await platform.dial(code, phone)

    await platform.control.post(f"/control/ussd/sessions/{call.session_id}/hangup")
    log = await platform.ended(workflow_id)

    assert log["status"] == "completed"
    assert [row["status"] for row in results_of(log, "menu")] == ["timeout"]
    assert results_of(log, "menu")[0]["error"]["message"] == "the session on the phone ended (Incomplete)"
    assert await platform.sent_to(phone) == ["You hung up"]
    session = await platform.rest.get(f"/api/sessions/{call.session_id}")
    assert session.json()["isActive"] is False


async def test_the_end_of_a_session_that_is_over_changes_nothing(platform: Platform) -> None:
    code = new_code()
    workflow_id = await platform.publish(
        flow(new_id("over"), dialled(code), [ask("menu", "Yes?"), bye("end", "Bye")], ["start>menu", "menu>end"])
    )
    call = await platform.dial(code, new_phone())
    await call.type("1")
    before = await platform.ended(workflow_id)
    for status in ("Success", "Incomplete", "SomethingNew"):
        answer = await platform.callbacks.post("/at/ussd/events", data={"sessionId": call.session_id, "status": status})
        assert answer.is_success
    assert await platform.ended(workflow_id) == before


def order(code: str, **settings: object) -> Document:
    return flow(
        new_id("order"),
        dialled(code),
        [
            ask("item", "What?"),
            ask("count", "How many {{input}}?"),
            bye("end", "{{node_item.output.input}} x {{input}}"),
        ],
        ["start>item", "item>count", "count>end"],
        settings={"resumeWithinMs": 120_000, **settings},
    )


QUESTION = "CON Continue where you left off?\n1. Continue\n2. Start again"


async def test_a_new_dial_may_continue_an_interrupted_session(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(order(code))
    call = await platform.dial(code, phone)
    assert str(await call.type("maize")) == "CON How many maize?"
    await platform.control.post(f"/control/ussd/sessions/{call.session_id}/hangup")

    again = await platform.dial(code, phone)
    assert str(again.screen) == QUESTION
    assert str(await again.repeat()) == QUESTION
    # Neither no answer nor a wrong one loses what she had; the star that follows from the first is nobody's.
    for slip in ("", "9", "maize"):
        assert str(await again.type(slip)) == QUESTION
        assert str(await again.repeat()) == QUESTION
    assert str(await again.type("1. ")) == "CON How many maize?"
    assert str(await again.repeat()) == "CON How many maize?"
    assert str(await again.type("3")) == "END maize x 3"
    assert str(await again.repeat()) == "END maize x 3"
    assert (await platform.ended(workflow_id))["status"] == "completed"

    # What is over is not offered.
    assert str((await platform.dial(code, phone)).screen) == "CON What?"


async def test_a_session_may_be_interrupted_more_than_once(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(order(code))
    calls = [await platform.dial(code, phone)]
    await calls[0].type("maize")
    for _ in range(2):
        await platform.control.post(f"/control/ussd/sessions/{calls[-1].session_id}/hangup")
        calls.append(await platform.dial(code, phone))
        assert str(calls[-1].screen) == QUESTION
        assert str(await calls[-1].type("1")) == "CON How many maize?"
    assert str(await calls[-1].type("2")) == "END maize x 2"
    assert (await platform.ended(workflow_id))["status"] == "completed"


async def test_a_new_dial_may_start_again(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(order(code))
    call = await platform.dial(code, phone)
    await call.type("maize")

    again = await platform.dial(code, phone)
    assert str(await again.type("2")) == "CON What?"
    assert str(await again.type("beans")) == "CON How many beans?"
    assert str(await again.type("5")) == "END beans x 5"

    async def both_ended() -> list[str] | None:
        statuses = [log["status"] for log in await platform.executions(workflow_id)]
        return statuses if "running" not in statuses else None

    assert await eventually(both_ended) == ["completed", "timeout"]


async def test_another_phone_is_not_asked_to_continue(platform: Platform) -> None:
    code = new_code()
    await platform.publish(order(code))
    await (await platform.dial(code, new_phone())).type("maize")
    assert str((await platform.dial(code, new_phone())).screen) == "CON What?"


async def test_a_flow_asks_to_continue_in_its_own_words_and_only_for_so_long(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    await platform.publish(order(code, resumeWithinMs=60_000, ussd={"resumePrompt": "Endelea?\n1. Ndiyo\n2. Hapana"}))
    await platform.dial(code, phone)
    assert str((await platform.dial(code, phone)).screen) == "CON Endelea?\n1. Ndiyo\n2. Hapana"

    code = new_code()
    await platform.publish(order(code, resumeWithinMs=1))
    await platform.dial(code, phone)
    assert str((await platform.dial(code, phone)).screen) == "CON What?"
