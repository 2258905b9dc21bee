"""Dry runs, cancelling, reading and listing executions through the REST API."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone, results_of
from tests.e2e.flows import ask, bye, dialled, flow, node, quick_retry, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def execute(platform: Platform, spec: Document, payload: Document, **more: object) -> Document:
    answer = await platform.rest.post(
        "/api/workflows/execute", json={"workflow": spec, "triggerPayload": payload, **more}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def waiting(workflow_id: str, code: str) -> Document:
    return flow(workflow_id, dialled(code), [ask("menu", "Menu"), bye("end", "Bye")], ["start>menu", "menu>end"])


async def test_a_dry_run_sends_and_stores_nothing_and_says_so(platform: Platform) -> None:
    phone = new_phone()
    spec = flow(
        new_id("dry"),
        dialled(),
        [
            node("keep", "SESSION_WRITE", {"data": {"pin": "1234"}}),
            node("show", "SESSION_READ", {}),
            sms("send", "PIN {{session.data.pin}}"),
            bye("end", "Done {{session.data.pin}}"),
        ],
        ["start>keep", "keep>show", "show>send", "send>end"],
    )
    session_id = new_id("dry")

    result = await execute(platform, spec, {"msisdn": phone, "sessionId": session_id}, options={"dryRun": True})

    assert result["status"] == "completed"
    assert results_of(result, "send")[0]["output"]["dryRun"] is True
    assert results_of(result, "show")[0]["output"]["sessionData"] == {"pin": "1234"}
    assert result["reply"] == {"kind": "end", "text": "Done 1234"}
    assert await platform.sent_to(phone) == []
    assert (await platform.rest.get(f"/api/sessions/{session_id}")).status_code == 404
    assert (await platform.rest.get(f"/api/workflows/executions/{result['executionId']}")).json()["dryRun"] is True


async def test_a_waiting_execution_is_cancelled_and_its_caller_is_told(platform: Platform) -> None:
    code = new_code()
    workflow_id = await platform.publish(waiting(new_id("cancelled"), code))
    call = await platform.dial(code, new_phone())
    execution_id = (await platform.only_execution(workflow_id))["executionId"]

    cancelled = await platform.rest.post(f"/api/workflows/executions/{execution_id}/cancel")
    again = await platform.rest.post(f"/api/workflows/executions/{execution_id}/cancel")

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (again.status_code, again.json()["code"]) == (409, "EXECUTION_ENDED")
    screen = await call.type("1")
    assert screen.kind == "END"
    assert screen.text != "Bye"
    assert (await platform.log(execution_id))["status"] == "cancelled"
    assert (await platform.rest.post("/api/workflows/executions/nobody/cancel")).status_code == 404


async def test_an_execution_that_runs_is_cancelled_before_its_next_attempt(platform: Platform) -> None:
    phone = new_phone()
    spec = flow(
        new_id("stopped"), texted(), [sms("send", retry={"maxAttempts": 3, "initialDelayMs": 60_000})], ["start>send"]
    )
    await platform.fault(kind="http_status", status=500, times=1)
    running = asyncio.create_task(platform.execute(spec, {"msisdn": phone, "message": "x"}))
    workflow_id = spec["metadata"]["workflowId"]

    async def tried_once() -> Document | None:
        found = await platform.executions(workflow_id)
        return found[0] if found and await faults_taken(platform) else None

    execution_id = (await eventually(tried_once))["executionId"]
    cancelled = await platform.rest.post(f"/api/workflows/executions/{execution_id}/cancel")

    assert cancelled.json()["status"] == "cancelled"
    assert (await asyncio.wait_for(running, 30))["status"] == "cancelled"
    assert await platform.sent_to(phone) == []


async def faults_taken(platform: Platform) -> bool:
    return not (await platform.control.get("/control/faults")).json()["faults"]


@pytest.mark.parametrize("wait_ms", [0, 100])
async def test_a_call_that_may_not_wait_gets_running_and_the_log_the_rest(platform: Platform, wait_ms: int) -> None:
    phone = new_phone()
    spec = flow(new_id("at-once"), texted(), [sms("send")], ["start>send"])
    await platform.hold_up_sends()

    result = await execute(platform, spec, {"msisdn": phone, "message": "x"}, options={"waitMs": wait_ms})
    await eventually(lambda: platform.sent_to(phone))
    await platform.answer_sends()

    assert result["status"] == "running"
    assert "error" not in result

    async def completed() -> bool:
        log = (await platform.rest.get(f"/api/workflows/executions/{result['executionId']}")).json()
        return bool(log["status"] == "completed")

    assert await eventually(completed)
    assert await platform.sent_to(phone) == ["hello"]


async def test_the_active_time_of_an_execution_is_limited(platform: Platform) -> None:
    spec = flow(new_id("limited"), texted(), [sms("send")], ["start>send"])
    await platform.hold_up_sends()

    result = await execute(platform, spec, {"msisdn": new_phone(), "message": "x"}, options={"maxExecutionTimeMs": 200})

    assert result["status"] == "timeout"
    assert result["error"]["code"] == "EXECUTION_TIMEOUT"


async def test_a_flow_that_never_rests_is_stopped(platform: Platform) -> None:
    """The screens wait, but a payload that feeds them thousands of answers must not run for ever."""
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(
        flow(
            new_id("loops"),
            dialled(code),
            [ask("menu", "Again?"), bye("end", "Bye")],
            ["start>menu", "menu>menu", "menu:error>end"],
        )
    )

    answer = await platform.callback(new_id("loop"), phone, code, "1*" * 1500 + "1")

    assert answer.startswith("END ")
    log = await platform.ended(workflow_id)
    assert (log["status"], log["error"]["code"]) == ("failed", "LOOP_LIMIT")


async def test_executions_are_listed_by_flow_status_and_time(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(waiting(new_id("filters"), code))
    calls = [await platform.dial(code, phone) for _ in range(3)]
    await calls[0].type("1")
    await platform.rest.post(
        f"/api/workflows/executions/{(await platform.executions(workflow_id))[0]['executionId']}/cancel"
    )

    async def listed(**filters: str | int) -> list[str]:
        answer = await platform.rest.get("/api/workflows/executions", params={"workflowId": workflow_id, **filters})
        assert answer.status_code == 200, answer.text
        assert all("nodeResults" not in row for row in answer.json()["executions"])
        return [row["status"] for row in answer.json()["executions"]]

    now = datetime.now(UTC)
    assert await listed() == ["cancelled", "running", "completed"]
    assert await listed(status="completed") == ["completed"]
    assert await listed(status="failed") == []
    assert await listed(startDate=(now - timedelta(hours=1)).isoformat()) == ["cancelled", "running", "completed"]
    assert await listed(endDate=(now - timedelta(hours=1)).isoformat()) == []
    assert await listed(startDate="2020-01-01", endDate="2020-01-02T00:00:00Z") == []


async def test_a_listing_is_walked_with_its_cursor_while_new_executions_start(platform: Platform) -> None:
    spec = flow(new_id("pages"), texted(), [node("if", "CONDITION", {"expression": "1 == 1"})], ["start>if"])
    workflow_id = spec["metadata"]["workflowId"]
    started = [(await execute(platform, spec, {"message": str(n)}))["executionId"] for n in range(7)]
    seen: list[str] = []
    cursor = ""
    for _ in range(20):
        answer = await platform.rest.get(
            "/api/workflows/executions", params={"workflowId": workflow_id, "limit": 2, "cursor": cursor}
        )
        seen += [row["executionId"] for row in answer.json()["executions"]]
        await execute(platform, spec, {"message": "later"})
        cursor = answer.json().get("nextCursor", "")
        if not cursor:
            break

    assert seen == started[::-1]


async def test_the_log_over_rest_has_the_documented_names(platform: Platform) -> None:
    phone = new_phone()
    spec = flow(new_id("names"), texted(), [sms("send", retry=quick_retry())], ["start>send"])
    await platform.fault(kind="http_status", status=500, times=1)
    result = await execute(platform, spec, {"msisdn": phone, "message": "x"})

    log = (await platform.rest.get(f"/api/workflows/executions/{result['executionId']}")).json()

    assert {"executionId", "status", "output", "nodeResults", "durationMs"} <= set(result)
    assert {
        "executionId",
        "workflowId",
        "workflowVersion",
        "status",
        "startedAt",
        "completedAt",
        "durationMs",
        "nodeResults",
    } <= set(log)
    failed, sent = results_of(log, "send")
    assert set(failed) == {"nodeId", "status", "error", "durationMs", "executedAt", "attempt", "visit"}
    assert set(failed["error"]) >= {"code", "message", "type"}
    assert set(sent) - set(failed) == {"output", "retryDelayMs", "handle"}
    assert set(failed) - set(sent) == {"error"}
    assert sent["handle"] == "success"
    assert log["startedAt"].endswith("Z")
    assert len(log["startedAt"]) == len("2026-01-01T00:00:00.000Z")


async def test_sessions_are_seen_and_ended_over_rest(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(waiting(new_id("seen"), code))
    call = await platform.dial(code, phone)

    seen = (await platform.rest.get(f"/api/sessions/{call.session_id}")).json()
    found = (await platform.rest.get("/api/sessions", params={"msisdn": phone, "active": "true"})).json()
    ended = await platform.rest.delete(f"/api/sessions/{call.session_id}")

    assert (seen["msisdn"], seen["type"], seen["isActive"]) == (phone, "ussd", True)
    assert [row["sessionId"] for row in found["sessions"]] == [call.session_id]
    assert (ended.status_code, ended.json()["isActive"]) == (200, False)
    assert (await platform.rest.get("/api/sessions", params={"msisdn": phone, "active": "true"})).json() == {
        "sessions": []
    }
    # The caller whose session was ended gets a last screen, and the execution comes to an end.
    assert (await call.type("1")).kind == "END"
    assert (await platform.ended(workflow_id))["status"] in ("completed", "failed")


async def test_an_execution_is_followed_over_rest_and_run_again(platform: Platform) -> None:
    code, phone, name = new_code(), new_phone(), new_id("followed")
    nodes = [ask("menu", "Name?"), sms("send", "Hello {{input}}"), bye("bye", "Bye")]
    await platform.publish(flow(name, dialled(code), nodes, ["start>menu", "menu>send", "send>bye"]))
    call = await platform.dial(code, phone)
    listed = await platform.rest.get("/api/workflows/executions", params={"workflowId": name})
    path = f"/api/workflows/executions/{listed.json()['executions'][0]['executionId']}"

    events: list[str] = []
    async with platform.rest.stream("GET", f"{path}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                events.append(line.removeprefix("event: "))
                if len(events) == 2:
                    # It waits for the person: what follows comes once she has typed.
                    await call.type("Wanja")
    behind = await platform.rest.get(f"{path}/events", headers={"last-event-id": "4"})
    replayed = await platform.rest.post(f"{path}/replay")
    unknown = await platform.rest.get("/api/workflows/executions/exe_0/events")

    assert events == ["nodeResult", "execution", "nodeResult", "nodeResult", "nodeResult", "execution"]
    assert behind.status_code == 204
    assert (replayed.status_code, replayed.json()["differences"]) == (200, [])
    assert replayed.json()["execution"]["status"] == "completed"
    assert await platform.sent_to(phone) == ["Hello Wanja"], "a replay is a rehearsal"
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Execution not found")
