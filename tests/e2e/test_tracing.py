"""One trace a turn through every service, a span an attempt, and no phone number in either spans or logs."""

import asyncio
import json
import re
from typing import Any

import pytest

from telemetry.spans import CALLS, RPC_CALL, RPC_SERVED, SPAN_TYPES, SpanType
from tests.e2e.collecting import Collector, Span
from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone, results_of
from tests.e2e.flows import ask, bye, dialled, flow, node, quick_retry, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

COMMIT = "njia.sessions.v1.SessionService/CommitSession"
EXECUTE = "njia.engine.v1.EngineService/Execute"
DIALLED = "POST /at/ussd"
HANDLE = "njia.engine.v1.EngineService/HandleUssd"


async def turns(collector: Collector, execution_id: str, count: int, root: str = EXECUTE) -> list[Span]:
    """The spans of an execution's turns, by start, once the traces that they stand in have come whole."""

    def found() -> list[Span]:
        runs = collector.named("run execution", workflow_execution_id=execution_id)
        whole = all(collector.is_whole(run.trace_id, root) for run in runs)
        return sorted(runs, key=lambda run: run.start) if len(runs) == count and whole else []

    return list(await eventually(found))


def line_of(collector: Collector, span: Span) -> list[tuple[str, str, str]]:
    """(service, kind, name) of a span and of all above it, topmost first."""
    by_id = {each.span_id: each for each in collector.trace(span.trace_id)}
    line = [span]
    while line[0].parent_id:
        line.insert(0, by_id[line[0].parent_id])
    return [(each.service, each.kind, each.name) for each in line]


async def test_a_turn_is_one_trace_through_adapter_engine_and_sessions(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    code = new_code()
    workflow_id = await platform.publish(
        flow(new_id("traced"), dialled(code), [ask("menu", "Menu"), bye("end", "Bye")], ["start>menu", "menu>end"])
    )
    call = await platform.dial(code, new_phone())
    await call.type("1")
    execution_id = (await platform.ended(workflow_id))["executionId"]

    first, second = await turns(collector, execution_id, 2, DIALLED)

    assert first.trace_id != second.trace_id
    trace = collector.trace(second.trace_id)
    assert {span.service for span in trace} == {"at_adapter", "engine", "sessions"}
    assert [span for span in trace if not span.parent_id] == [
        span for span in trace if span.name == "POST /at/ussd" and span.kind == "server"
    ]
    commit = next(span for span in trace if span.name == COMMIT and span.kind == "server")
    assert line_of(collector, commit) == [
        ("at_adapter", "server", "POST /at/ussd"),
        ("at_adapter", "client", HANDLE),
        ("engine", "server", HANDLE),
        ("engine", "internal", "run execution"),
        ("engine", "client", COMMIT),
        ("sessions", "server", COMMIT),
    ]
    log = await platform.log(execution_id)
    assert log["traceIds"] == [first.trace_id, second.trace_id]


async def test_a_resumed_turn_links_to_the_turn_before(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    spec = flow(
        new_id("linked"),
        dialled(),
        [ask("a", "A"), ask("b", "B"), bye("end", "Bye")],
        ["start>a", "a>b", "b>end"],
    )
    begun = await platform.execute(spec, {"msisdn": new_phone()})
    for text in ("1", "2"):
        await platform.execute(spec, {"input": text}, begun["sessionId"])

    runs = await turns(collector, begun["executionId"], 3)

    assert [run.links for run in runs] == [(), (runs[0].trace_id,), (runs[1].trace_id,)]
    assert [run.attributes["workflow.execution.status"] for run in runs] == ["running", "running", "completed"]
    assert not any(run.error for run in runs)


async def test_every_attempt_is_a_span_with_type_status_and_error_code(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    await platform.fault(kind="http_status", status=500, times=2)
    spec = flow(new_id("attempts"), texted(), [sms("send", retry=quick_retry())], ["start>send"])
    result = await platform.execute(spec, {"msisdn": new_phone(), "message": "x"})
    assert result["status"] == "completed"
    await turns(collector, result["executionId"], 1)

    spans = sorted(
        collector.named("execute SEND_SMS", workflow_execution_id=result["executionId"]), key=lambda span: span.start
    )

    assert [span.attributes["workflow.node.attempt"] for span in spans] == [1, 2, 3]
    assert [span.attributes["workflow.node.status"] for span in spans] == ["error", "error", "success"]
    assert [span.attributes.get("error.type") for span in spans] == ["SERVER_ERROR", "SERVER_ERROR", None]
    assert [span.error for span in spans] == [True, True, False]
    assert {span.attributes["workflow.node.id"] for span in spans} == {"send"}
    assert {span.attributes["workflow.node.type"] for span in spans} == {"SEND_SMS"}
    sent = [span for span in collector.trace(spans[0].trace_id) if span.name == "sms.send"]
    assert [span.attributes["http.response.status_code"] for span in sent] == [500, 500, 201]
    assert {span.service for span in sent} == {"at_adapter"}


async def test_the_turn_in_which_an_execution_fails_is_an_error_with_its_code(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    await platform.fault(kind="http_status", status=400, times=1)
    spec = flow(new_id("failing"), texted(), [sms("send")], ["start>send"])
    result = await platform.execute(spec, {"msisdn": new_phone(), "message": "x"})

    (run,) = await turns(collector, result["executionId"], 1)

    assert (run.error, run.attributes["workflow.execution.status"]) == (True, "failed")
    assert run.attributes["error.type"] == result["error"]["code"] == "REJECTED"


async def test_independent_branches_overlap_in_time(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    await platform.hold_up_sends(times=2)
    phone = new_phone()
    spec = flow(
        new_id("overlap"),
        texted(),
        [sms("one"), sms("two"), node("join", "MERGE", {"strategy": "all"})],
        ["start>one", "start>two", "one>join:input1", "two>join:input2"],
    )
    running = asyncio.ensure_future(platform.execute(spec, {"msisdn": phone, "message": "x"}))

    async def both_are_out() -> bool:
        return len(await platform.sent_to(phone)) == 2

    await eventually(both_are_out)
    await platform.answer_sends()
    result = await running
    await turns(collector, result["executionId"], 1)

    one, two = collector.named("execute SEND_SMS", workflow_execution_id=result["executionId"])
    (join,) = collector.named("execute MERGE", workflow_execution_id=result["executionId"])

    assert one.overlaps(two)
    assert join.start >= max(one.end, two.end)


async def test_a_call_over_rest_is_one_trace_from_the_gateway_and_goes_on_with_the_caller_s(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    spec = flow(new_id("rest"), texted(), [sms("send")], ["start>send"])
    trace_id = f"{new_phone()[4:]:0>32}"

    answer = await platform.rest.post(
        "/api/workflows/execute",
        json={"workflow": spec, "triggerPayload": {"msisdn": new_phone(), "message": "x"}},
        headers={"traceparent": f"00-{trace_id}-00000000000000ab-01"},
    )

    assert answer.json()["status"] == "completed"
    await eventually(lambda: collector.is_whole(trace_id, "POST /api/workflows/execute"))
    trace = collector.trace(trace_id)
    assert {span.service for span in trace} == {"gateway", "engine", "validator", "at_adapter"}
    assert next(span for span in trace if span.service == "gateway").parent_id == "00000000000000ab"


SECRET = "my pin 90210"


def numbers_in(text: str, phones: list[str]) -> list[str]:
    return [phone for phone in phones if phone.removeprefix("+254") in text]


async def exercised(platform: Platform) -> list[str]:
    """Uses every path that handles a phone number, good and bad, and returns the numbers."""
    phones = [new_phone() for _ in range(8)]
    code, keyword = new_code(), new_id("K")
    await platform.publish(
        flow(
            new_id("private"),
            dialled(code),
            [ask("menu", "Menu {{msisdn}}"), sms("send", "Hi {{msisdn}} {{input}}"), bye("end", "{{msisdn}}")],
            ["start>menu", "menu>send", "send>end"],
        )
    )
    await platform.publish(flow(new_id("private"), texted(keyword=keyword), [sms("send")], ["start>send"]))
    await (await platform.dial(code, phones[0])).type(SECRET)
    await platform.fault(kind="row_status", statusCode=403, times=1)
    await (await platform.dial(code, phones[1])).type(SECRET)
    await platform.text(phones[2], "22334", f"{keyword} {SECRET}")
    await platform.text(phones[3], "22334", f"nobody claims this {phones[3]}")
    failing = flow(new_id("private"), texted(), [sms("send", "{{triggerPayload.nothing}}")], ["start>send"])
    await platform.execute(failing, {"msisdn": phones[4], "message": SECRET})
    await platform.execute(failing, {"msisdn": f"0{phones[5][4:]}", "message": SECRET})
    await platform.callback("not a session id", phones[5], code, SECRET)
    await platform.rest.get("/api/sessions", params={"msisdn": phones[0]})
    await platform.rest.get(f"/api/sessions/{phones[0]}")
    await platform.callbacks.post("/at/sms/delivery", data={"id": "x", "status": "Odd", "phoneNumber": phones[5]})
    await platform.callbacks.post(
        "/at/ussd/events", data={"sessionId": "x", "phoneNumber": phones[5], "errorMessage": f"{phones[5]} is away"}
    )
    await platform.callbacks.post(
        "/at/voice", data={"isActive": "1", "sessionId": f"call of {phones[6]}", "callerNumber": phones[6]}
    )
    payment = {"transactionId": phones[6], "status": "Odd", "source": phones[6], "sourceType": "PhoneNumber"}
    await platform.callbacks.post("/at/payments", json={**payment, "requestMetadata": {"order": SECRET}})
    await platform.callbacks.post("/at/payments/validation", json={"transactionId": "t", "phoneNumber": phones[6]})
    await platform.callbacks.post(
        "/at/airtime/status", json={"requestId": phones[6], "status": "Odd", "phoneNumber": phones[6]}
    )
    await platform.callbacks.post("/at/sms/opt-out", data={"senderId": phones[7], "phoneNumber": phones[7]})
    await platform.rest.post(
        f"/webhooks/{phones[7]}/{phones[7]}",
        params={"phone": phones[7]},
        headers={"authorization": f"Bearer {SECRET}", "x-phone": phones[7]},
        content=SECRET,
    )
    hook = node("start", "HTTP_WEBHOOK", {"path": "/x", "auth": {"type": "bearer", "token": SECRET[::-1]}})
    hooked = await platform.publish(flow(new_id("hooked"), hook, [sms("send", "{{phone}}")], ["start>send"]))
    for proof in (SECRET, SECRET[::-1]):
        await platform.rest.post(
            f"/webhooks/{hooked}/x", headers={"authorization": f"Bearer {proof}"}, json={"phone": phones[7]}
        )
    await platform.rest.delete(f"/api/subjects/{phones[7]}")
    return phones


async def test_no_phone_number_and_nothing_typed_is_in_a_span_or_a_log(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    phones = await exercised(platform)
    marker = await platform.execute(
        flow(new_id("last"), texted(), [node("if", "CONDITION", {"expression": "1 == 1"})], ["start>if"]), {}
    )
    await turns(collector, marker["executionId"], 1)

    exported = b"".join(collector.raw).decode("utf-8", errors="replace")
    assert len(collector.spans) > 50
    assert numbers_in(exported, phones) == []
    assert SECRET not in exported
    assert SECRET[::-1] not in exported
    for name in ("services", "emulator"):
        log = platform.stack.log(name).read_text()
        assert numbers_in(log, phones) == [], name
        assert SECRET not in log
        assert SECRET[::-1] not in log
        assert re.findall(r"\+2547\d{8}", log) == []


def type_of(span: Span) -> SpanType:
    """The declaration that a span is one of."""
    (found,) = (
        each for each in SPAN_TYPES if (each.named(span.attributes), each.kind.name.lower()) == (span.name, span.kind)
    )
    return found


async def test_every_span_is_what_its_declaration_says_and_every_edge_between_services_has_both_its_ends(
    observed: Any,
) -> None:
    platform, collector = observed.platform, observed.collector
    await exercised(platform)
    await platform.rest.get("/api/node-types")
    declared = {(service, each.template, each.kind) for each in SPAN_TYPES for service in each.services}
    calls = {(caller, called) for caller, services in CALLS.items() for called in services}

    def seen() -> bool:
        by_id = {span.span_id: span for span in collector.spans}
        types = {(span.service, type_of(span).template, type_of(span).kind) for span in collector.spans}
        edges = {
            (by_id[span.parent_id].service, span.service)
            for span in collector.spans
            if type_of(span) is RPC_SERVED and span.parent_id in by_id
        }
        return types >= declared and edges >= calls

    await eventually(seen)

    spans = {span.span_id: span for span in collector.spans}
    for span in spans.values():
        each = type_of(span)
        assert span.service in each.services, span
        assert set(each.always) <= set(span.attributes) <= {*each.always, *each.at_times}, span
        above = spans.get(span.parent_id)
        if above is not None:
            assert type_of(above).template in each.below, (above, span)
            if each is RPC_SERVED:
                assert type_of(above) is RPC_CALL
                assert span.service in CALLS[above.service], (above, span)
            else:
                assert above.service == span.service, (above, span)
        else:
            assert each.begins or span.parent_id, span


async def test_logs_of_a_turn_carry_its_trace_and_execution(observed: Any) -> None:
    platform, collector = observed.platform, observed.collector
    code = new_code()
    workflow_id = await platform.publish(
        flow(
            new_id("logged"),
            dialled(code),
            [bye("end", "Bye"), sms("send", retry=quick_retry(1))],
            ["start>end", "start>send"],
        )
    )
    await platform.dial(code, new_phone())
    log = await platform.ended(workflow_id)
    (run,) = await turns(collector, log["executionId"], 1, DIALLED)
    assert results_of(log, "send")

    lines: list[Document] = [json.loads(line) for line in platform.stack.log("services").read_text().splitlines()]
    traced = [line for line in lines if "trace_id" in line]
    assert all(re.fullmatch("[0-9a-f]{32}", line["trace_id"]) for line in traced)
    assert {"time", "level", "event"} <= set(lines[-1])
    assert log["traceIds"] == [run.trace_id]
