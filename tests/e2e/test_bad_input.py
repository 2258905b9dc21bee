"""Wrong flows, wrong requests and wrong messages: each gets a clear answer, and nothing is lost or run."""

import asyncio
import json
from typing import Any

import grpc
import httpx
import pytest

from njia.engine.v1 import engine_service_pb2, workflow_service_pb2
from njia.sessions.v1 import sessions_service_pb2
from njia.validator.v1 import validator_service_pb2
from njia.workflow.v1 import workflow_pb2
from tests.e2e.driving import (
    CALL_SECONDS,
    Document,
    Platform,
    execute,
    new_code,
    new_id,
    new_phone,
    refused,
    results_of,
    source,
)
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def echo(message: str = "You said: {{message}}", **more: Any) -> Document:
    return flow(new_id("bad"), texted(), [sms("send", message, **more)], ["start>send"])


def changed(change: str) -> Document:  # noqa: C901 (one case a fault)
    """A flow with one fault."""
    spec = echo()
    match change:
        case "unknown node type":
            spec["nodes"][0]["type"] = "SEND_PIGEON"
        case "two nodes with one id":
            spec["nodes"].append(sms("send", "again"))
        case "an edge to nowhere":
            spec["edges"].append({"id": "lost", "source": "send", "target": "nowhere"})
        case "a cycle without a wait":
            spec["nodes"] += [sms("second"), sms("third")]
            spec["edges"] += [
                {"id": "a", "source": "send", "target": "second"},
                {"id": "b", "source": "second", "target": "third"},
                {"id": "c", "source": "third", "target": "second"},
            ]
        case "a name that nothing binds":
            spec["nodes"][0]["config"]["message"] = "Hello {{nme}}"
        case "an expression that does not parse":
            spec["nodes"].append(node("if", "CONDITION", {"expression": "{{message}} == "}))
            spec["edges"].append({"id": "x", "source": "send", "target": "if"})
        case "a template that does not parse":
            spec["nodes"][0]["config"]["message"] = "Hello {{message"
        case "an unreachable node":
            spec["nodes"].append(sms("alone"))
        case "a trigger with an incoming edge":
            spec["edges"].append({"id": "back", "source": "send", "target": "start"})
        case "no metadata":
            del spec["metadata"]
        case "a forbidden id":
            spec["metadata"]["workflowId"] = "executions"
        case "a wrong type in config":
            spec["nodes"][0]["config"]["enqueue"] = "perhaps"
    return spec


FAULTS = {
    "unknown node type": ("INVALID_NODE_TYPE", "nodes[0].type"),
    "two nodes with one id": ("DUPLICATE_NODE_ID", "nodes[1].id"),
    "an edge to nowhere": ("INVALID_EDGE_TARGET", "edges[1].target"),
    "a cycle without a wait": ("CYCLE_DETECTED", None),
    "a name that nothing binds": ("UNKNOWN_VARIABLE", "nodes[0].config.message"),
    "an expression that does not parse": ("INVALID_EXPRESSION", "nodes[1].config.expression"),
    "a template that does not parse": ("INVALID_TEMPLATE", "nodes[0].config.message"),
    "an unreachable node": ("UNREACHABLE_NODE", "nodes[1]"),
    "a trigger with an incoming edge": ("TRIGGER_HAS_INCOMING_EDGES", "edges[1].target"),
    "no metadata": ("MISSING_REQUIRED_FIELD", "metadata"),
    "a forbidden id": ("SCHEMA_VALIDATION_ERROR", "metadata.workflowId"),
    "a wrong type in config": ("INVALID_NODE_CONFIG", "nodes[0].config.enqueue"),
}


@pytest.mark.parametrize("change", FAULTS)
async def test_a_flow_with_a_fault_is_refused_by_every_call_with_code_and_place(
    platform: Platform, change: str
) -> None:
    code, path = FAULTS[change]
    spec, phone = changed(change), new_phone()

    validated = await platform.rest.post("/api/workflows/validate", json=spec)
    compiled = await platform.rest.post("/api/workflows/compile", json=spec)
    executed = await platform.rest.post(
        "/api/workflows/execute", json={"workflow": spec, "triggerPayload": {"msisdn": phone, "message": "hi"}}
    )
    saved = await platform.rest.post("/api/workflows", json=spec)
    over_grpc = await platform.validator.ValidateWorkflow(
        validator_service_pb2.ValidateWorkflowRequest(source=source(spec)), timeout=CALL_SECONDS
    )

    assert validated.status_code == compiled.status_code == executed.status_code == saved.status_code == 400
    assert validated.json()["valid"] is False
    assert compiled.json()["success"] is False
    assert executed.json()["error"] == saved.json()["error"] == "Compilation failed"
    for answer in (validated, compiled, executed, saved):
        found = [error for error in answer.json()["errors"] if error["code"] == code]
        assert found, answer.text
        assert found[0]["message"]
        assert path is None or found[0]["path"] == path, found
    assert code in [issue.code for issue in over_grpc.errors]
    assert await platform.sent_to(phone) == []


async def test_every_fault_is_reported_at_once_and_in_order(platform: Platform) -> None:
    spec = echo("{{nme}} {{othr}}")
    spec["nodes"].append(sms("send", "{{third}}"))
    spec["nodes"][1]["type"] = "SEND_PIGEON"
    spec["edges"].append({"id": "e9", "source": "x", "target": "y"})

    errors = (await platform.rest.post("/api/workflows/validate", json=spec)).json()["errors"]

    codes = [error["code"] for error in errors]
    assert {
        "UNKNOWN_VARIABLE",
        "DUPLICATE_NODE_ID",
        "INVALID_NODE_TYPE",
        "INVALID_EDGE_SOURCE",
        "INVALID_EDGE_TARGET",
    } <= set(codes)
    paths = [error["path"] for error in errors if "path" in error]
    assert [path for path in paths if path.startswith("nodes")] + [
        path for path in paths if path.startswith("edges")
    ] == [path for path in paths if path.startswith(("nodes", "edges"))]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("validate", b'{"metadata": ', 400),
        ("compile", b"not json", 400),
        ("execute", b'{"workflow": {},}', 400),
        ("execute", b"[1, 2]", 400),
        ("execute", b'"text"', 400),
        ("execute", b"", 400),
        ("execute", b'{"workflow": {}, "workflow": {}}', 400),
        ("execute", b'{"triggerPayload": {"n": NaN}}', 400),
        ("execute", b"\xff\xfe", 400),
        ("execute", b"{" + b'"a":{' * 100 + b"}" * 101, 400),
    ],
)
async def test_a_body_that_is_no_usable_json_is_a_400_in_the_error_shape(
    platform: Platform, path: str, body: bytes, status: int
) -> None:
    answer = await platform.rest.post(
        f"/api/workflows/{path}", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document.get("error") or document.get("errors"), document
    assert "Traceback" not in answer.text


async def test_text_that_is_not_json_is_told_with_line_and_column(platform: Platform) -> None:
    answer = await platform.rest.post(
        "/api/workflows/execute", content=b'{\n  "workflow": oops\n}', headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400
    assert "line 2" in answer.json()["message"]
    assert "column" in answer.json()["message"]


async def test_a_body_over_the_limit_is_a_413_and_another_type_a_415(platform: Platform) -> None:
    big = b'{"triggerPayload": {"x": "' + b"x" * 1_100_000 + b'"}}'

    async def parts() -> Any:
        for start in range(0, len(big), 100_000):
            yield big[start : start + 100_000]

    too_large = await platform.rest.post(
        "/api/workflows/execute", content=big, headers={"content-type": "application/json"}
    )
    streamed = await platform.rest.post(
        "/api/workflows/execute", content=parts(), headers={"content-type": "application/json"}
    )
    other = await platform.rest.post("/api/workflows/execute", data={"a": "b"})

    assert too_large.status_code == streamed.status_code == 413
    assert too_large.json()["code"] == streamed.json()["code"] == "BODY_TOO_LARGE"
    assert other.status_code == 415
    assert (await platform.rest.get("/livez")).status_code == 200


async def test_an_unknown_session_is_a_404_and_an_ended_one_a_409(platform: Platform) -> None:
    spec = flow(new_id("sessions"), dialled(), [ask("menu", "Hi"), bye("end", "Bye")], ["start>menu", "menu>end"])
    phone = new_phone()
    begun = await platform.execute(spec, {"msisdn": phone, "sessionId": new_id("s")})
    ended = await platform.execute(spec, {"input": "1"}, begun["sessionId"])
    assert ended["status"] == "completed"

    unknown = await platform.rest.post(
        "/api/workflows/execute", json={"workflow": spec, "triggerPayload": {}, "sessionId": "nobody"}
    )
    again = await platform.rest.post(
        "/api/workflows/execute", json={"workflow": spec, "triggerPayload": {}, "sessionId": begun["sessionId"]}
    )

    assert (unknown.status_code, unknown.json()["code"]) == (404, "SESSION_NOT_FOUND")
    assert (again.status_code, again.json()["code"]) == (409, "SESSION_ENDED")
    over_grpc = await refused(platform.engine.Execute(execute(spec, {}, "nobody"), timeout=CALL_SECONDS))
    assert (over_grpc.code, over_grpc.reason) == (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND")
    over_grpc = await refused(platform.engine.Execute(execute(spec, {}, begun["sessionId"]), timeout=CALL_SECONDS))
    assert (over_grpc.code, over_grpc.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_ENDED")


async def test_a_session_that_is_busy_with_another_flow_is_a_409(platform: Platform) -> None:
    one = flow(new_id("one"), dialled(), [ask("menu", "Hi"), bye("end", "Bye")], ["start>menu", "menu>end"])
    other = flow(new_id("other"), dialled(), [ask("menu", "Ho"), bye("end", "Bye")], ["start>menu", "menu>end"])
    begun = await platform.execute(one, {"msisdn": new_phone()})

    refusal = await refused(platform.engine.Execute(execute(other, {}, begun["sessionId"]), timeout=CALL_SECONDS))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_BUSY")
    assert (await platform.execute(one, {"input": "1"}, begun["sessionId"]))["status"] == "completed"


@pytest.mark.parametrize("unknown", ["nothing", "ex-0000", "%F0%9F%98%80", "..%2F..%2Fetc", "a" * 2000])
async def test_an_unknown_execution_is_a_404(platform: Platform, unknown: str) -> None:
    answer = await platform.rest.get(f"/api/workflows/executions/{unknown}")

    assert answer.status_code == 404
    assert answer.json()["error"] in ("Execution not found", "Not found")


@pytest.mark.parametrize(
    "query",
    [
        "status=sleeping",
        "limit=0",
        "limit=1001",
        "limit=many",
        "startDate=yesterday",
        "cursor=%00",
        "colour=red",
        "limit=99999999999999999999",
        "status=",
        "endDate=2026-13-01T00:00:00Z",
    ],
)
async def test_a_filter_that_cannot_be_used_is_a_400(platform: Platform, query: str) -> None:
    answer = await platform.rest.get(f"/api/workflows/executions?{query}")

    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


INJECTIONS = [
    "{{session.data.pin}}",
    '" || true',
    "' || '1'=='1",
    "{{node_menu.output.input}}",
    "{{triggerPayload}}",
    "\\n{{msisdn}}",
    "${7*7} {7*7} %s",
    "1*2",
    "CON again",
    '"}}{{session.data.pin}}',
]


@pytest.mark.parametrize("typed", INJECTIONS)
async def test_what_a_phone_user_types_stays_text_everywhere(platform: Platform, typed: str) -> None:
    """In a screen, a condition, a switch, stored data, and an SMS."""
    code, phone = new_code(), new_phone()
    workflow_id = await platform.publish(
        flow(
            new_id("inject"),
            dialled(code),
            [
                node("secret", "SESSION_WRITE", {"data": {"pin": "4711"}}),
                ask("menu", "PIN?"),
                node("keep", "SESSION_WRITE", {"data": {"typed": "{{input}}"}}),
                node("check", "CONDITION", {"expression": "{{input}} == {{session.data.pin}}"}),
                node("again", "CONDITION", {"expression": "{{session.data.typed}} == '4711' || {{input}} == '4711'"}),
                ask("echo", "You typed {{session.data.typed}}"),
                sms("send", "Typed {{session.data.typed}} / {{input}}"),
                bye("in", "You are in"),
                bye("out", "Bye {{node_menu.output.input}}"),
            ],
            [
                "start>secret",
                "secret>menu",
                "menu>keep",
                "keep>check",
                "check:true>in",
                "check:false>again",
                "again:true>in",
                "again:false>echo",
                "echo>send",
                "send>out",
            ],
        )
    )
    call = await platform.dial(code, phone)
    assert str(call.screen) == "CON PIN?"

    assert str(await call.type(typed)) == f"CON You typed {typed}"
    assert str(await call.type("ok")) == f"END Bye {typed}"

    assert await platform.sent_to(phone) == [f"Typed {typed} / ok"]
    log = await platform.ended(workflow_id)
    assert results_of(log, "keep")[0]["output"]["sessionData"]["typed"] == typed
    assert [row["status"] for row in results_of(log, "in")] == ["skipped"]


@pytest.mark.parametrize(
    ("payload", "accepted"),
    [
        ('{"msisdn": "%s", "message": 9007199254740993}', True),
        ('{"msisdn": "%s", "message": 18446744073709551616}', False),
        ('{"msisdn": "%s", "message": 1e999}', False),
        ('{"msisdn": "%s", "message": NaN}', False),
        ('{"msisdn": "%s", "message": -Infinity}', False),
        ('{"msisdn": "%s", "message": "\\ud800"}', False),
        ('{"msisdn": "%s", "message": "a", "message": "b"}', False),
        ('{"msisdn": "%s", "message": ' + "[" * 100 + "]" * 100 + "}", False),
        ("[]", False),
        ("null", False),
        ("", False),
    ],
)
async def test_a_payload_that_cannot_be_kept_is_refused_and_one_that_can_is_exact(
    platform: Platform, payload: str, accepted: bool
) -> None:
    spec, phone = echo(), new_phone()
    text = payload.replace("%s", phone)
    request = engine_service_pb2.ExecuteRequest(workflow=source(spec), trigger_payload_json=text)

    if accepted:
        await platform.engine.Execute(request, timeout=CALL_SECONDS)
        assert await platform.sent_to(phone) == ["You said: 9007199254740993"]
    elif text:
        refusal = await refused(platform.engine.Execute(request, timeout=CALL_SECONDS))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAYLOAD")
    over_rest = await platform.rest.post(
        "/api/workflows/execute",
        content=b'{"workflow": %s, "triggerPayload": %s}' % (json.dumps(spec).encode(), (text or '""').encode()),
        headers={"content-type": "application/json"},
    )
    assert over_rest.status_code == (200 if accepted else (400 if text != "null" else 200)), over_rest.text
    if not accepted:
        assert await platform.sent_to(phone) == []


async def test_a_missing_value_never_goes_out_as_a_hole_in_a_text(platform: Platform) -> None:
    result = await platform.execute(echo("Hello {{triggerPayload.name}}"), {"msisdn": new_phone(), "message": "x"})

    assert result["status"] == "failed"
    assert result["error"]["type"] == "validation"
    assert "triggerPayload.name" in result["error"]["message"]


METHODS = [
    "/njia.engine.v1.EngineService/Execute",
    "/njia.engine.v1.EngineService/HandleUssd",
    "/njia.engine.v1.WorkflowService/SaveWorkflow",
    "/njia.sessions.v1.SessionService/CommitSession",
    "/njia.validator.v1.ValidatorService/CompileWorkflow",
    "/njia.at_adapter.v1.AtAdapterService/SendSms",
]
TARGETS = {"engine": "ENGINE", "sessions": "SESSIONS", "validator": "VALIDATOR", "at_adapter": "AT_ADAPTER"}


def raw(channel: grpc.aio.Channel, method: str) -> Any:
    """A call that sends bytes as they are."""
    return channel.unary_unary(method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"\xff\xff\xff\xff", b"\x0a\xff\x01", b"{}"])
async def test_bytes_that_are_no_message_get_a_status_and_no_harm_is_done(
    platform: Platform, method: str, body: bytes
) -> None:
    target = platform.stack.environ[f"NJIA_{TARGETS[method.split('.')[1]]}_TARGET"]
    async with grpc.aio.insecure_channel(target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw(channel, method)(body, timeout=CALL_SECONDS)
        assert caught.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
        assert "Traceback" not in str(caught.value.details())


@pytest.mark.parametrize("method", METHODS)
async def test_a_message_without_its_fields_is_an_invalid_argument(platform: Platform, method: str) -> None:
    target = platform.stack.environ[f"NJIA_{TARGETS[method.split('.')[1]]}_TARGET"]
    async with grpc.aio.insecure_channel(target) as channel:
        refusal = await refused(raw(channel, method)(b"", timeout=CALL_SECONDS))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.message


async def test_a_message_over_4_mib_is_refused(platform: Platform) -> None:
    request = engine_service_pb2.ExecuteRequest(
        workflow=source(echo()), trigger_payload_json=json.dumps({"message": "x" * 5_000_000})
    )
    async with grpc.aio.insecure_channel(
        platform.stack.environ["NJIA_ENGINE_TARGET"], options=[("grpc.max_send_message_length", -1)]
    ) as channel:
        refusal = await refused(
            raw(channel, "/njia.engine.v1.EngineService/Execute")(request.SerializeToString(), timeout=CALL_SECONDS)
        )
    assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("options.wait_ms", {"wait_ms": -1}),
        ("options.wait_ms", {"wait_ms": 60_001}),
        ("options.max_execution_time_ms", {"max_execution_time_ms": 0}),
        ("options.max_execution_time_ms", {"max_execution_time_ms": 2**62}),
    ],
)
async def test_an_option_out_of_range_is_refused_by_its_name(
    platform: Platform, field: str, call: dict[str, Any]
) -> None:
    refusal = await refused(platform.engine.Execute(execute(echo(), {}, **call), timeout=CALL_SECONDS))

    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.violations[0].field == field


async def test_sessions_refuse_what_cannot_be_stored(platform: Platform) -> None:
    opened = await platform.sessions.OpenSession(
        sessions_service_pb2.OpenSessionRequest(type=sessions_service_pb2.SESSION_TYPE_OTHER), timeout=CALL_SECONDS
    )
    session_id = opened.session.session_id
    for document in ("[1]", "{", '{"a": NaN}', '{"a": "' + "x" * 300_000 + '"}'):
        refusal = await refused(
            platform.sessions.UpdateSession(
                sessions_service_pb2.UpdateSessionRequest(session_id=session_id, data_json=document),
                timeout=CALL_SECONDS,
            )
        )
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_SESSION")
    answer = await platform.sessions.GetSession(
        sessions_service_pb2.GetSessionRequest(session_id=session_id), timeout=CALL_SECONDS
    )
    assert (answer.session.version, answer.session.data_json) == (1, "{}")


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"\xff\xfe\x00", b"sessionId=&phoneNumber=", b'{"sessionId": 1', b"[]", b"sessionId=x&text=1"],
)
async def test_a_ussd_callback_that_cannot_be_read_still_ends_with_a_sentence(platform: Platform, body: bytes) -> None:
    answer = await platform.callbacks.post(
        "/at/ussd", content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code == 200
    assert answer.text.startswith("END ")
    assert len(answer.text) > len("END ")


async def test_a_code_that_no_flow_claims_ends_with_a_sentence(platform: Platform) -> None:
    call = await platform.dial(new_code(), new_phone())

    assert call.screen.kind == "END"
    assert call.screen.text


async def test_a_flow_that_is_refused_leaves_the_published_one_alone(platform: Platform) -> None:
    code, phone = new_code(), new_phone()
    good = flow(new_id("stays"), dialled(code), [bye("end", "One")], ["start>end"])
    await platform.publish(good)
    bad = json.loads(json.dumps(good))
    bad["nodes"][0]["config"]["message"] = "{{nme}}"

    refusal = await refused(
        platform.workflows.SaveWorkflow(
            workflow_service_pb2.SaveWorkflowRequest(source=source(bad)), timeout=CALL_SECONDS
        )
    )

    assert refusal.reason == "COMPILATION_FAILED"
    assert str((await platform.dial(code, phone)).screen) == "END One"


async def test_a_slow_reader_of_nothing_does_not_stop_the_others(platform: Platform) -> None:
    """A client that opens connections and sends half a request holds nobody up."""
    host, port = platform.stack.gateway_url.removeprefix("http://").split(":")
    connections = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
    for _, writer in connections:
        writer.write(
            b"POST /api/workflows/execute HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
    try:
        async with httpx.AsyncClient(base_url=platform.stack.gateway_url, timeout=2, trust_env=False) as client:
            assert (await client.get("/livez")).status_code == 200
    finally:
        for _, writer in connections:
            writer.close()


async def test_a_version_that_does_not_exist_is_a_404(platform: Platform) -> None:
    saved = await platform.save(echo())
    workflow_id = saved["workflowId"]

    refusal = await refused(
        platform.workflows.PublishWorkflow(
            workflow_service_pb2.PublishWorkflowRequest(
                ref=workflow_pb2.WorkflowRef(workflow_id=workflow_id, version=7)
            ),
            timeout=CALL_SECONDS,
        )
    )

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "WORKFLOW_NOT_FOUND")
    assert (await platform.rest.get(f"/api/workflows/{workflow_id}?version=7")).status_code == 404
