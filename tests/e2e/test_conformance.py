"""The flows that were written elsewhere, through every door of the platform."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from njia.engine.v1 import engine_service_pb2, workflow_service_pb2
from njia.validator.v1 import validator_service_pb2
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document
from tests.e2e.driving import (
    CALL_SECONDS,
    Document,
    Platform,
    conformance,
    eventually,
    new_id,
    new_phone,
    results_of,
    source,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

CODE = "*384*7777#"
WELCOME = "CON Welcome!\n1. Check Balance\n2. Buy Airtime\n3. Exit"
MENU = "example-ussd-menu-1"


@pytest_asyncio.fixture(loop_scope="session")
async def menu(platform: Platform) -> AsyncIterator[None]:
    """The menu is published; it claims every code, so it is taken off again."""
    await platform.publish(conformance("ussd-menu"))
    yield
    await platform.unpublish(MENU)


async def latest(platform: Platform) -> Document:
    async def ended() -> Document | None:
        log = (await platform.executions(MENU))[0]
        return None if log["status"] == "running" else log

    return Document(await eventually(ended))


@pytest.mark.parametrize("name", ["sms-echo", "ussd-menu"])
async def test_both_flows_validate_and_compile_over_grpc(platform: Platform, name: str) -> None:
    flow = source(conformance(name))

    valid = await platform.validator.ValidateWorkflow(
        validator_service_pb2.ValidateWorkflowRequest(source=flow), timeout=CALL_SECONDS
    )
    compiled = await platform.validator.CompileWorkflow(
        validator_service_pb2.CompileWorkflowRequest(source=flow), timeout=CALL_SECONDS
    )

    assert valid.valid
    assert not valid.errors
    assert compiled.success
    assert compiled.graph.trigger == "trigger-1"
    assert list(compiled.graph.execution_order)[:2] == ["trigger-1", "node-1"]


async def test_sms_echo_answers_over_grpc(platform: Platform) -> None:
    phone = new_phone()

    result = await platform.execute(conformance("sms-echo"), {"msisdn": phone, "message": "hi"})

    assert result["status"] == "completed"
    assert result["workflowId"] == "example-sms-workflow-1"
    assert await platform.sent_to(phone) == ["You said: hi"]
    assert result["output"]["recipients"][0]["number"] == phone


async def test_sms_echo_takes_a_typed_flow_as_well(platform: Platform) -> None:
    phone = new_phone()
    config = json.dumps({"to": "{{msisdn}}", "message": "You said: {{message}}"})
    spec = workflow_pb2.WorkflowSpec(
        metadata=workflow_pb2.Metadata(
            workflow_id="typed-echo", version=1, name="Echo", created_by="tests", created_at="2026-01-01T00:00:00Z"
        ),
        trigger=workflow_pb2.Node(id="trigger-1", type="SMS_RECEIVED"),
        nodes=[workflow_pb2.Node(id="node-1", type="SEND_SMS", config_json=config)],
        edges=[workflow_pb2.Edge(source="trigger-1", target="node-1")],
    )

    answer = await platform.engine.Execute(
        engine_service_pb2.ExecuteRequest(
            workflow=workflow_pb2.WorkflowSource(workflow=spec),
            trigger_payload_json=json.dumps({"msisdn": phone, "message": "typed"}),
        ),
        timeout=CALL_SECONDS,
    )

    assert answer.result.status == workflow_pb2.EXECUTION_STATUS_COMPLETED
    assert await platform.sent_to(phone) == ["You said: typed"]


async def test_sms_echo_answers_an_sms_that_comes_in(platform: Platform) -> None:
    phone = new_phone()
    await platform.publish(conformance("sms-echo"))

    delivery = await platform.text(phone, "22334", "hi")

    assert delivery["delivered"]
    assert await eventually(lambda: platform.sent_to(phone)) == ["You said: hi"]
    await platform.unpublish("example-sms-workflow-1")


async def test_the_menu_shows_the_balance_and_says_goodbye(platform: Platform, menu: None) -> None:
    call = await platform.dial(CODE, new_phone())
    assert str(call.screen) == WELCOME

    assert str(await call.type("1")) == "END Your balance is KES 100\nThank you!"

    log = await latest(platform)
    assert log["status"] == "completed"
    assert [(row["nodeId"], row["status"]) for row in log["nodeResults"]] == [
        ("trigger-1", "success"),
        ("node-1", "success"),
        ("node-2", "success"),
        ("node-3", "success"),
        ("node-4", "success"),
    ]


async def test_the_menu_is_left_at_once_with_3(platform: Platform, menu: None) -> None:
    call = await platform.dial(CODE, new_phone())

    assert str(await call.type("3")) == "END Thank you!"

    log = await latest(platform)
    assert [row["status"] for row in results_of(log, "node-3")] == ["skipped"]
    assert [row["status"] for row in results_of(log, "node-4")] == ["success"]


@pytest.mark.parametrize("typed", ["2", "9", "1*1", "hello"])
async def test_what_the_menu_does_not_know_ends_the_session_with_a_plain_sentence(
    platform: Platform, menu: None, typed: str
) -> None:
    call = await platform.dial(CODE, new_phone())

    screen = await call.type(typed)

    assert screen.kind == "END"
    assert screen.text
    assert screen.text == screen.text.strip()
    assert "node" not in screen.text
    log = await latest(platform)
    assert log["status"] == "completed"
    assert {row["nodeId"] for row in log["nodeResults"] if row["status"] == "skipped"} == {"node-3", "node-4"}


async def test_between_two_screens_the_execution_waits_at_the_menu(platform: Platform, menu: None) -> None:
    call = await platform.dial(CODE, new_phone())

    log = (await platform.executions(MENU))[0]

    assert log["status"] == "running"
    assert log["waitingFor"]["nodeId"] == "node-1"
    assert log["waitingFor"]["kind"] == "input"
    assert log["waitingFor"]["expiresAt"] > log["startedAt"]
    assert log["sessionId"] == call.session_id
    assert "completedAt" not in log
    await call.type("3")


async def test_the_menu_is_walked_over_grpc_alone(platform: Platform) -> None:
    """An internal service that has no phone: two calls of Execute on one session."""
    phone = new_phone()
    session_id = new_id("internal")

    first = await platform.execute(conformance("ussd-menu"), {"msisdn": phone, "sessionId": session_id})
    assert first["status"] == "running"
    assert first["reply"] == {"kind": "con", "text": WELCOME.removeprefix("CON ")}
    assert first["waitingFor"]["nodeId"] == "node-1"
    assert first["sessionId"] == session_id

    second = await platform.execute(conformance("ussd-menu"), {"input": "1"}, session_id)
    assert second["executionId"] == first["executionId"]
    assert second["status"] == "completed"
    assert second["reply"] == {"kind": "end", "text": "Your balance is KES 100\nThank you!"}


async def test_a_published_flow_runs_by_its_name(platform: Platform) -> None:
    phone = new_phone()
    await platform.save(conformance("sms-echo"))

    answer = await platform.engine.Execute(
        engine_service_pb2.ExecuteRequest(
            ref=workflow_pb2.WorkflowRef(workflow_id="example-sms-workflow-1"),
            trigger_payload_json=json.dumps({"msisdn": phone, "message": "by name"}),
        ),
        timeout=CALL_SECONDS,
    )

    assert to_document(answer.result)["status"] == "completed"
    assert await platform.sent_to(phone) == ["You said: by name"]
    registered = await platform.workflows.GetWorkflow(
        workflow_service_pb2.GetWorkflowRequest(ref=workflow_pb2.WorkflowRef(workflow_id="example-sms-workflow-1")),
        timeout=CALL_SECONDS,
    )
    assert json.loads(registered.workflow.workflow_json) == json.loads(conformance("sms-echo"))


async def test_both_flows_behave_over_rest(platform: Platform) -> None:
    """With the documented calls, field names and status codes."""
    phone = new_phone()
    echo, menu_flow = json.loads(conformance("sms-echo")), json.loads(conformance("ussd-menu"))
    for spec in (echo, menu_flow):
        validated = await platform.rest.post("/api/workflows/validate", json=spec)
        assert (validated.status_code, validated.json()["valid"], validated.json()["errors"]) == (200, True, [])
        compiled = await platform.rest.post("/api/workflows/compile", json=spec)
        assert (compiled.status_code, compiled.json()["success"]) == (200, True)
        graph = compiled.json()["graph"]
        assert graph["workflowId"] == spec["metadata"]["workflowId"]
        assert set(graph["nodes"]) == set(graph["executionOrder"]) == {node["id"] for node in spec["nodes"]}
        assert set(graph["metadata"]) == {"requiresSession", "hasSessionEnd", "maxDepth", "hasCycles"}
    sent = await platform.rest.post(
        "/api/workflows/execute", json={"workflow": echo, "triggerPayload": {"msisdn": phone, "message": "hi"}}
    )
    assert (sent.status_code, sent.json()["status"]) == (200, "completed")
    assert await platform.sent_to(phone) == ["You said: hi"]

    async def turn(**more: object) -> Document:
        answer = await platform.rest.post("/api/workflows/execute", json={"workflow": menu_flow, **more})
        assert answer.status_code == 200, answer.text
        return Document(answer.json())

    first = await turn(triggerPayload={"msisdn": phone})
    assert (first["status"], first["waitingFor"]["nodeId"]) == ("running", "node-1")
    assert first["reply"] == {"kind": "con", "text": WELCOME.removeprefix("CON ")}
    log = (await platform.rest.get(f"/api/workflows/executions/{first['executionId']}")).json()
    assert (log["status"], log["waitingFor"]["nodeId"]) == ("running", "node-1")
    second = await turn(triggerPayload={"input": "1"}, sessionId=first["sessionId"])
    assert (second["executionId"], second["status"]) == (first["executionId"], "completed")
    assert second["reply"] == {"kind": "end", "text": "Your balance is KES 100\nThank you!"}


async def test_the_menu_is_published_and_dialled_with_rest_alone(platform: Platform) -> None:
    saved = await platform.rest.post(
        "/api/workflows", content=conformance("ussd-menu"), headers={"content-type": "application/json"}
    )
    assert saved.status_code in (200, 201)
    assert (await platform.rest.post(f"/api/workflows/{MENU}/publish")).status_code == 200

    call = await platform.dial(CODE, new_phone())
    assert str(call.screen) == WELCOME
    assert str(await call.type("3")) == "END Thank you!"

    assert (await platform.rest.post(f"/api/workflows/{MENU}/unpublish")).status_code == 200
