"""What is wrong with a flow is told once and the same, however the validator is asked."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from njia.validator.v1 import validator_service_pb2
from njia.workflow.v1 import workflow_pb2
from rpc.documents import from_document, to_document
from tests.e2e.driving import CALL_SECONDS, Document, Platform
from tests.e2e.flows import ask, bye, flow, node, sms

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAFARICOM, AIRTEL = "63902", "63903"
ETHIOPIC = "\u1200"


def much_is_wrong() -> Document:
    """A flow with a fault of almost every kind, as far as a typed one can have it."""
    dial = node("start", "USSD_SESSION_START", {"sessionTimeout": 5, "colour": "red"})
    spec = flow(
        "much-is-wrong",
        dial,
        [
            ask("menu", "x" * 161),
            node("menu", "SESSION_END", {}),
            node("pigeon", "SEND_PIGEON", {}),
            sms("text", "y" * 161, to="12"),
            sms("hole", "Hello {{nme}} {{session.data.town}}"),
            sms("broken", "Hello {{msisdn", timeout=0),
            node("if", "CONDITION", {"expression": "{{input}} == "}),
            node("nobody", "SEND_SMS", {"message": "hi"}, retry={"maxAttempts": 0, "initialDelayMs": 1}),
            node("other", "SMS_RECEIVED", {}),
            node("ring", "INITIATE_CALL", {"to": "{{msisdn}}", "timeout": 20}),
            node(
                "post", "HTTP_REQUEST", {"url": "https://example.com", "method": "POST", "body": '{"a": "{{input}}"}'}
            ),
            screen_without_answer("look"),
            node("alone", "SESSION_WRITE", {"data": {"a": 1}}),
            node("a", "SESSION_WRITE", {"data": {"a": 1}}),
            node("b", "SESSION_WRITE", {"data": {"a": 1}}),
        ],
        [
            *("start>menu", "menu>text", "text>hole", "hole>broken", "broken>if", "if:true>nobody", "nobody>ring"),
            *("ring>post", "post>look", "look>a", "a>b", "b>a", "text:sent>look", "x>look", "look>y", "menu>start"),
        ],
        settings={"timezone": "Africa/Nairobbi", "defaultCountry": "XX", "maxExecutionTimeMs": 0},
        error_handling={"errorWebhook": "ftp://example.com", "maxErrors": 0},
    )
    spec["metadata"]["description"] = ""
    spec["metadata"]["name"] = ""
    return spec


def screen_without_answer(node_id: str) -> Document:
    return node(node_id, "SEND_USSD_RESPONSE", {"message": "?", "menuType": "input"})


async def told(platform: Platform, source: workflow_pb2.WorkflowSource) -> Document:
    """The report over gRPC, as a document."""
    call = validator_service_pb2.ValidateWorkflowRequest(source=source)
    return to_document(await platform.validator.ValidateWorkflow(call, timeout=CALL_SECONDS))


async def told_by_all(platform: Platform, spec: Document) -> Sequence[Document]:
    """The report on a flow over REST, and over gRPC as JSON and as a message."""
    typed = from_document(spec, workflow_pb2.WorkflowSpec)
    return (
        (await platform.rest.post("/api/workflows/validate", json=spec)).json(),
        await told(platform, workflow_pb2.WorkflowSource(workflow_json=json.dumps(spec))),
        await told(platform, workflow_pb2.WorkflowSource(workflow=typed)),
    )


async def test_a_report_is_the_same_over_rest_and_in_both_forms_of_grpc(platform: Platform) -> None:
    over_rest, as_json, as_message = await told_by_all(platform, much_is_wrong())

    assert over_rest == as_json == as_message
    assert over_rest["valid"] is False
    found = [issue["code"] for issue in (*over_rest["errors"], *over_rest["warnings"])]
    assert set(found) >= {
        *("SCHEMA_VALIDATION_ERROR", "MISSING_REQUIRED_FIELD", "INVALID_NODE_TYPE", "INVALID_NODE_CONFIG"),
        *("DUPLICATE_NODE_ID", "INVALID_EDGE_SOURCE", "INVALID_EDGE_TARGET", "INVALID_EDGE_HANDLE"),
        *("TRIGGER_HAS_INCOMING_EDGES", "TRIGGER_NOT_IN_NODES", "UNREACHABLE_NODE", "CYCLE_DETECTED"),
        *("INVALID_EXPRESSION", "INVALID_TEMPLATE", "UNKNOWN_VARIABLE"),
        *("UNKNOWN_CONFIG_FIELD", "MISSING_DESCRIPTION", "MAYBE_UNBOUND_VARIABLE", "USSD_SCREEN_TOO_LONG"),
        *("SMS_MULTI_SEGMENT", "INVALID_PHONE_NUMBER", "UNSUPPORTED_BY_PROVIDER", "UNSAFE_JSON_BODY"),
        "SCREEN_WITHOUT_INPUT",
    }


async def test_a_refusal_to_run_or_to_save_it_tells_the_same_errors(platform: Platform) -> None:
    """More of them than a status of gRPC has room for."""
    spec = much_is_wrong()
    report = (await platform.rest.post("/api/workflows/validate", json=spec)).json()

    for path, body in (("/api/workflows/execute", {"workflow": spec}), ("/api/workflows", spec)):
        refused = await platform.rest.post(path, json=body)
        assert (refused.status_code, refused.json()["errors"]) == (400, report["errors"])
    compiled = await platform.rest.post("/api/workflows/compile", json=spec)
    assert compiled.json() == {"success": False, "errors": report["errors"], "warnings": report["warnings"]}


@pytest.mark.parametrize(
    ("network", "character", "room"),
    [
        (None, "x", 160),
        (SAFARICOM, "x", 160),
        (AIRTEL, "x", 184),
        ("62160", "x", 160),
        (SAFARICOM, "€", 80),
        (AIRTEL, "€", 92),
        (None, ETHIOPIC, 80),
        (AIRTEL, ETHIOPIC, 92),
        (SAFARICOM, "😀", 40),
    ],
)
async def test_a_screen_is_measured_by_what_the_phones_of_its_network_show(
    platform: Platform, network: str | None, character: str, room: int
) -> None:
    async def warnings(count: int) -> list[Any]:
        dial = node("start", "USSD_SESSION_START", {} if network is None else {"networkCode": network})
        spec = flow("screen", dial, [bye("end", character * count)], ["start>end"])
        over_rest, *over_grpc = await told_by_all(platform, spec)
        assert over_grpc == [over_rest, over_rest]
        return [(issue["code"], issue["nodeId"], issue["path"]) for issue in over_rest["warnings"]]

    assert await warnings(room) == []
    assert await warnings(room + 1) == [("USSD_SCREEN_TOO_LONG", "end", "nodes[0].config")]
