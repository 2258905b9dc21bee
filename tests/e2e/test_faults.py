"""What happens to a flow when Africa's Talking fails, and what the log says of it."""

import asyncio
import time
from typing import Any

import pytest

from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone, results_of
from tests.e2e.flows import ask, bye, dialled, flow, node, quick_retry, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def one_sms(name: str, *edges: str, **more: Any) -> Document:
    """start -> send, with nodes `caught` and `late` for edges that lead there."""
    targets = {edge.rpartition(">")[2] for edge in edges}
    caught = [node(target, "SWITCH", {"value": "x", "cases": [{"value": "x", "label": "x"}]}) for target in targets]
    return flow(
        new_id(name), texted(), [sms("send", **more), *sorted(caught, key=lambda it: it["id"])], ["start>send", *edges]
    )


async def run(platform: Platform, spec: Document) -> tuple[str, Document]:
    """Runs a flow for a new phone; returns the phone and the log."""
    phone = new_phone()
    result = await platform.execute(spec, {"msisdn": phone, "message": "hi"})
    return phone, await platform.log(result["executionId"])


async def test_two_500s_and_a_success_are_three_attempts_with_growing_waits(platform: Platform) -> None:
    await platform.fault(kind="http_status", status=500, times=2)

    phone, log = await run(platform, one_sms("twice-500", retry=quick_retry()))

    assert log["status"] == "completed"
    attempts = results_of(log, "send")
    assert [(row["attempt"], row["status"]) for row in attempts] == [(1, "error"), (2, "error"), (3, "success")]
    assert [row["error"]["code"] for row in attempts[:2]] == ["SERVER_ERROR", "SERVER_ERROR"]
    assert [row["error"]["type"] for row in attempts[:2]] == ["transient", "transient"]
    assert "retryDelayMs" not in attempts[0]
    # Half of the delay is fixed and half random: 50 to 100 ms, then 200 to 400 ms.
    assert 50 <= attempts[1]["retryDelayMs"] <= 100
    assert 200 <= attempts[2]["retryDelayMs"] <= 400
    assert log["durationMs"] >= attempts[1]["retryDelayMs"] + attempts[2]["retryDelayMs"]
    assert await platform.sent_to(phone) == ["hello"]


async def test_the_catalogue_retries_a_500_even_if_the_flow_says_nothing(platform: Platform) -> None:
    await platform.fault(kind="http_status", status=503, times=1)

    phone, log = await run(platform, one_sms("catalogue-retry"))

    attempts = results_of(log, "send")
    assert [row["status"] for row in attempts] == ["error", "success"]
    assert 500 <= attempts[1]["retryDelayMs"] <= 1000
    assert await platform.sent_to(phone) == ["hello"]


async def test_three_500s_use_up_the_attempts_and_fail_the_execution(platform: Platform) -> None:
    await platform.fault(kind="http_status", status=500, times=3)

    phone, log = await run(platform, one_sms("thrice-500", retry=quick_retry()))

    assert log["status"] == "failed"
    assert log["error"]["code"] == "SERVER_ERROR"
    assert [row["attempt"] for row in results_of(log, "send")] == [1, 2, 3]
    assert await platform.sent_to(phone) == []


async def test_a_401_fails_at_once_as_permanent(platform: Platform) -> None:
    await platform.fault(kind="http_status", status=401, times=1)

    phone, log = await run(platform, one_sms("refused-401", retry=quick_retry()))

    assert log["status"] == "failed"
    assert [row["attempt"] for row in results_of(log, "send")] == [1]
    assert log["error"]["code"] == "AUTHENTICATION_FAILED"
    assert log["error"]["type"] == "permanent"
    assert await platform.sent_to(phone) == []


async def test_a_429_waits_as_long_as_its_retry_after_says(platform: Platform) -> None:
    await platform.fault(kind="http_status", status=429, times=1, retryAfterSeconds=1)
    started = time.monotonic()

    phone, log = await run(platform, one_sms("slow-down", retry=quick_retry()))

    assert time.monotonic() - started >= 1
    attempts = results_of(log, "send")
    assert [(row["attempt"], row["status"]) for row in attempts] == [(1, "error"), (2, "success")]
    assert (attempts[0]["error"]["code"], attempts[0]["error"]["type"]) == ("RATE_LIMIT", "rate_limit")
    assert attempts[1]["retryDelayMs"] == 1000
    assert await platform.sent_to(phone) == ["hello"]


async def test_a_delivery_report_settles_a_send_whose_answer_was_lost(platform: Platform) -> None:
    await platform.fault(kind="lost_answer", times=1)

    phone, log = await run(platform, one_sms("lost-answer", retry=quick_retry()))

    assert log["status"] == "completed"
    lost, settled = results_of(log, "send")
    assert lost["error"]["code"] == "SEND_OUTCOME_UNKNOWN"
    assert "settledBy" not in lost
    assert (settled["status"], settled["settledBy"]) == ("success", "delivery_report")
    assert settled["output"]["messageId"].startswith("ATXid_")
    assert await platform.sent_to(phone) == ["hello"]
    # A later report of the message belongs to the execution as well.
    assert {report["messageId"] for report in log["deliveryReports"]} == {settled["output"]["messageId"]}


async def test_a_send_that_nobody_reports_is_repeated_and_the_log_says_so(platform: Platform) -> None:
    """A closed connection cannot be told from a lost answer. Nothing was sent here, so there is no report."""
    await platform.fault(kind="refused", times=1)

    phone, log = await run(platform, one_sms("refused", retry=quick_retry()))

    assert log["status"] == "completed"
    assert [(row["status"], row.get("settledBy")) for row in results_of(log, "send")] == [
        ("error", None),
        ("success", "repetition"),
    ]
    assert await platform.sent_to(phone) == ["hello"]


async def test_while_a_send_is_unsettled_the_execution_waits_without_memory(platform: Platform) -> None:
    await platform.fault(kind="refused", times=1)
    spec = one_sms("unsettled")
    result = await platform.execute(spec, {"msisdn": new_phone(), "message": "hi"}, wait_ms=0)

    async def waiting() -> Document | None:
        log = await platform.log(result["executionId"])
        return log.get("waitingFor")

    assert (await eventually(waiting))["kind"] == "settlement"
    assert (await platform.ended(spec["metadata"]["workflowId"]))["status"] == "completed"


async def test_a_send_that_stays_unknown_is_given_up_in_the_end(platform: Platform) -> None:
    await platform.fault(kind="refused", times=3)

    phone, log = await run(platform, one_sms("given-up", "send:error>caught"))

    assert log["status"] == "completed"
    assert [row["error"]["code"] for row in results_of(log, "send")] == ["SEND_OUTCOME_UNKNOWN"] * 3
    assert [row["status"] for row in results_of(log, "caught")] == ["success"]
    assert await platform.sent_to(phone) == []


async def test_two_open_sends_to_one_number_are_not_settled_by_one_report(platform: Platform) -> None:
    """Nobody can tell which of them the report is about; each is sent again, which the log says."""
    phone = new_phone()
    await platform.fault(kind="lost_answer", times=2)
    spec = flow(new_id("two-open"), texted(), [sms("one", "one"), sms("two", "two")], ["start>one", "start>two"])
    await platform.control.patch("/control/settings", json={"deliveryReports": False})
    result = await platform.execute(spec, {"msisdn": phone, "message": "hi"}, wait_ms=0)

    async def both_wait() -> bool:
        log = await platform.log(result["executionId"])
        return [len(results_of(log, name)) for name in ("one", "two")] == [1, 1]

    await eventually(both_wait)
    report = {"id": "ATXid_unknown", "status": "Success", "phoneNumber": phone}
    assert (await platform.callbacks.post("/at/sms/delivery", data=report)).is_success
    log = await platform.ended(spec["metadata"]["workflowId"])
    await platform.control.patch("/control/settings", json={"deliveryReports": True})

    assert [results_of(log, name)[-1]["settledBy"] for name in ("one", "two")] == ["repetition", "repetition"]
    assert sorted(await platform.sent_to(phone)) == ["one", "one", "two", "two"]


async def test_an_answer_without_recipients_is_permanent(platform: Platform) -> None:
    await platform.fault(kind="empty_recipients", times=1)

    phone, log = await run(platform, one_sms("no-recipients", retry=quick_retry()))

    assert log["status"] == "failed"
    assert (log["error"]["code"], log["error"]["type"]) == ("INVALID_SENDER_ID", "permanent")
    assert len(results_of(log, "send")) == 1
    assert await platform.sent_to(phone) == []


async def test_a_node_timeout_ends_a_slow_send(platform: Platform) -> None:
    await platform.hold_up_sends()

    _, log = await run(platform, one_sms("slow", "send:timeout>late", retry=quick_retry(1), timeout=200))

    assert [row["status"] for row in results_of(log, "send")] == ["timeout"]
    assert results_of(log, "send")[0]["error"]["code"] == "TIMEOUT"
    assert [row["status"] for row in results_of(log, "late")] == ["success"]
    assert log["status"] == "completed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "http_status", "status": 401}, "AUTHENTICATION_FAILED"),
        ({"kind": "row_status", "statusCode": 406}, "USER_IN_BLACKLIST"),
    ],
)
async def test_an_error_edge_is_taken_and_the_execution_completes(
    platform: Platform, fault: Document, code: str
) -> None:
    await platform.fault(times=1, **fault)

    _, log = await run(platform, one_sms("caught", "send:error>caught", "send:success>glad"))

    assert log["status"] == "completed"
    assert results_of(log, "send")[-1]["error"]["code"] == code
    assert [row["status"] for row in results_of(log, "caught")] == ["success"]
    assert [row["status"] for row in results_of(log, "glad")] == ["skipped"]


async def test_continue_on_error_takes_the_plain_edges_and_keeps_the_failure_in_the_log(platform: Platform) -> None:
    await platform.fault(kind="http_status", status=401, times=1)
    spec = one_sms("goes-on", "send>plain", "send:success>glad")
    spec["errorHandling"] = {"continueOnError": True}

    _, log = await run(platform, spec)

    assert log["status"] == "completed"
    assert [row["status"] for row in results_of(log, "send")] == ["error"]
    assert [row["status"] for row in results_of(log, "plain")] == ["success"]
    assert [row["status"] for row in results_of(log, "glad")] == ["skipped"]


async def test_a_failure_without_an_edge_cancels_the_siblings_and_runs_nothing_behind(platform: Platform) -> None:
    phone = new_phone()
    await platform.hold_up_sends()
    spec = flow(
        new_id("sibling"),
        texted(),
        [node("bad", "SEND_SMS", {"to": "{{message}}", "message": "hello"}), sms("behind"), sms("other")],
        ["start>bad", "bad>behind", "start>other"],
    )

    result = await platform.execute(spec, {"msisdn": phone, "message": "hi"})

    assert result["status"] == "failed"
    assert result["error"]["code"] == "INVALID_PHONE_NUMBER"
    assert results_of(result, "behind") == []
    assert results_of(result, "other")[0]["error"]["code"] == "CANCELLED"


async def test_the_phone_gets_the_apology_of_the_flow_when_a_turn_fails(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    spec = flow(
        new_id("apology"),
        dialled(code),
        [ask("menu", "Send?"), sms("send"), bye("end", "Sent to {{node_send.output.recipients.0.number}}")],
        ["start>menu", "menu>send", "send>end"],
        settings={"ussd": {"apology": "Samahani, try again later."}},
    )
    workflow_id = await platform.publish(spec)
    await platform.fault(kind="http_status", status=401, times=1)
    call = await platform.dial(code, phone)

    assert str(await call.type("1")) == "END Samahani, try again later."
    log = await platform.ended(workflow_id)
    assert log["status"] == "failed"
    assert log["error"]["code"] == "AUTHENTICATION_FAILED"


async def test_a_slow_send_behind_the_last_screen_does_not_delay_the_screen(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(
        flow(new_id("tail"), dialled(code), [bye("end", "Done"), sms("send")], ["start>end", "start>send"])
    )
    await platform.hold_up_sends()

    call = await platform.dial(code, phone)

    assert str(call.screen) == "END Done"
    await platform.answer_sends()
    log = await platform.ended(workflow_id)
    assert log["status"] == "completed"
    assert await platform.sent_to(phone) == ["hello"]


async def test_a_delivery_report_stands_in_the_log_of_the_execution_that_sent(platform: Platform) -> None:
    phone, log = await run(platform, one_sms("reported"))

    async def reports() -> list[Document]:
        found: list[Document] = (await platform.log(log["executionId"]))["deliveryReports"]
        return found if found and found[-1]["status"] == "Success" else []

    assert [report["status"] for report in await eventually(reports)] == ["Sent", "Success"]
    assert {report["number"] for report in await reports()} == {phone}


async def test_two_sends_of_one_flow_do_not_wait_for_each_other(platform: Platform) -> None:
    await platform.hold_up_sends(times=2)
    phone = new_phone()
    spec = flow(
        new_id("parallel"),
        texted(),
        [sms("one", "one"), sms("two", "two"), node("join", "MERGE", {"strategy": "all"})],
        ["start>one", "start>two", "one>join:input1", "two>join:input2"],
    )
    running = asyncio.ensure_future(platform.execute(spec, {"msisdn": phone, "message": "hi"}))

    async def both_are_out() -> bool:
        return len(await platform.sent_to(phone)) == 2

    await eventually(both_are_out)
    await platform.answer_sends()
    result = await running

    assert result["status"] == "completed"
    assert sorted(await platform.sent_to(phone)) == ["one", "two"]
    assert len(results_of(result, "join")[0]["output"]["items"]) == 2


async def test_many_executions_at_once_each_send_their_own_text(platform: Platform) -> None:
    spec = flow(new_id("many"), texted(), [sms("send", "For {{message}}")], ["start>send"])
    phones = [new_phone() for _ in range(50)]

    results = await asyncio.gather(
        *(platform.execute(spec, {"msisdn": phone, "message": phone[-3:]}) for phone in phones)
    )

    assert {result["status"] for result in results} == {"completed"}
    assert [await platform.sent_to(phone) for phone in phones] == [[f"For {phone[-3:]}"] for phone in phones]
