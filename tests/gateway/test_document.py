"""The OpenAPI document says what is served, completely, and the page shows it without the internet."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.protobuf.message import Message
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway import routes
from njia.engine.v1 import (
    admin_service_pb2 as admin_pb,
    engine_service_pb2 as engine_pb,
    workflow_service_pb2 as registry_pb,
)
from njia.sessions.v1 import sessions_service_pb2 as sessions_pb
from njia.validator.v1 import validator_service_pb2 as validator_pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document
from tests.gateway.contract import Contract

BODY, SERVICE = {"413", "415"}, {"429", "500", "503", "504", "default"}

ANSWERS = {
    ("get", "/livez"): {"200"},
    ("get", "/metrics"): {"200"},
    ("get", "/health"): {"200", "503"},
    ("get", "/api/node-types"): {"200"} | SERVICE,
    ("post", "/api/workflows/validate"): {"200", "400"} | BODY | SERVICE,
    ("post", "/api/workflows/compile"): {"200", "400"} | BODY | SERVICE,
    ("post", "/api/workflows/execute"): {"200", "400", "404", "409"} | BODY | SERVICE,
    ("get", "/api/workflows/executions"): {"200", "400"} | SERVICE,
    ("get", "/api/workflows/executions/{execution_id}"): {"200", "404"} | SERVICE,
    ("post", "/api/workflows/executions/{execution_id}/cancel"): {"200", "400", "404", "409"} | SERVICE,
    ("get", "/api/workflows/executions/{execution_id}/events"): {"200", "204", "400", "404"} | SERVICE,
    ("post", "/api/workflows/executions/{execution_id}/replay"): {"200", "400", "404", "409"} | BODY | SERVICE,
    ("get", "/api/audit"): {"200", "400"} | SERVICE,
    ("delete", "/api/subjects/{msisdn}"): {"200", "400"} | SERVICE,
    ("get", "/api/unclaimed"): {"200", "400"} | SERVICE,
    ("post", "/api/workflows"): {"200", "201", "400"} | BODY | SERVICE,
    ("get", "/api/workflows"): {"200", "400"} | SERVICE,
    ("get", "/api/workflows/{workflow_id}"): {"200", "400", "404"} | SERVICE,
    ("delete", "/api/workflows/{workflow_id}"): {"204", "400", "404", "409"} | SERVICE,
    ("post", "/api/workflows/{workflow_id}/publish"): {"200", "400", "404", "409"} | BODY | SERVICE,
    ("post", "/api/workflows/{workflow_id}/unpublish"): {"200", "400", "404"} | SERVICE,
    ("get", "/api/sessions"): {"200", "400"} | SERVICE,
    ("get", "/api/sessions/{session_id}"): {"200", "404"} | SERVICE,
    ("delete", "/api/sessions/{session_id}"): {"200", "400", "404"} | SERVICE,
} | {
    (method, "/webhooks/{workflow_id}/{path}"): {"200", "202", "400", "401", "404", "405"} | BODY | SERVICE
    for method in ("get", "post", "put", "patch", "delete")
}
"""Every call of the REST API and what it may answer."""

MESSAGES: dict[str, type[Message]] = {
    "Issue": workflow_pb2.Issue,
    "WorkflowSpec": workflow_pb2.WorkflowSpec,
    "Metadata": workflow_pb2.Metadata,
    "Node": workflow_pb2.Node,
    "Position": workflow_pb2.Position,
    "Edge": workflow_pb2.Edge,
    "RetryPolicy": workflow_pb2.RetryPolicy,
    "Settings": workflow_pb2.Settings,
    "RateLimit": workflow_pb2.RateLimit,
    "UssdSettings": workflow_pb2.UssdSettings,
    "ErrorHandling": workflow_pb2.ErrorHandling,
    "ExecutionGraph": workflow_pb2.ExecutionGraph,
    "ExecutionNode": workflow_pb2.ExecutionNode,
    "NodeDefinition": workflow_pb2.NodeDefinition,
    "ExecutionEdge": workflow_pb2.ExecutionEdge,
    "NodeMetadata": workflow_pb2.NodeMetadata,
    "GraphMetadata": workflow_pb2.GraphMetadata,
    "NodeError": workflow_pb2.NodeError,
    "ValidationReport": validator_pb.ValidateWorkflowResponse,
    "NodeTypeInfo": validator_pb.NodeTypeInfo,
    "NodeTypes": validator_pb.ListNodeTypesResponse,
    "ExecuteOptions": engine_pb.ExecuteOptions,
    "ExecutionResult": engine_pb.ExecutionResult,
    "NodeExecutionResult": engine_pb.NodeExecutionResult,
    "Reply": engine_pb.Reply,
    "WaitingFor": engine_pb.WaitingFor,
    "ExecutionLog": engine_pb.ExecutionLog,
    "DeliveryReport": engine_pb.DeliveryReport,
    "ReplayAnswer": engine_pb.ReplayExecutionResponse,
    "ReplayDifference": engine_pb.ReplayDifference,
    "AuditEntry": admin_pb.AuditEntry,
    "ErasedSubject": admin_pb.EraseSubjectResponse,
    "Unclaimed": engine_pb.Unclaimed,
    "SavedWorkflow": registry_pb.Workflow,
    "Session": sessions_pb.Session,
}
"""The message that each described document is made from, or becomes."""

ASKED = {
    "WorkflowSpec",
    "Metadata",
    "Node",
    "Position",
    "Edge",
    "RetryPolicy",
    "Settings",
    "RateLimit",
    "UssdSettings",
    "ErrorHandling",
    "ExecuteOptions",
}
"""Documents of requests: what may be left out there is present once it is a message."""

OURS = {
    "Alive",
    "Healthy",
    "Degraded",
    "Error",
    "Compilation",
    "CompilationFailure",
    "ExecuteRequest",
    "ExecutionSummary",
    "ExecutionPage",
    "SaveAnswer",
    "WorkflowPage",
    "WebhookTaken",
    "WebhookOutcome",
    "WebhookError",
    "PublishRequest",
    "SessionPage",
    "ReplayRequest",
    "UnclaimedPage",
    "AuditPage",
}
"""Documents that the gateway makes itself."""


def operations(contract: Contract) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_document_is_valid_openapi_3_1(contract: Contract) -> None:
    assert contract.document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(contract.document).iter_errors()) == []


def test_every_call_is_described_with_every_status_that_it_answers(contract: Contract) -> None:
    described = {(method, path): set(operation["responses"]) for method, path, operation in operations(contract)}
    open_to_all = {(method, path) for method, path, operation in operations(contract) if operation["security"] == []}
    refused = {"401", "403"}

    assert described == {call: ANSWERS[call] | (set() if call in open_to_all else refused) for call in ANSWERS}
    assert open_to_all == {call for call in ANSWERS if not call[1].startswith(("/api", "/metrics"))}


async def test_every_call_that_is_described_is_served(client: httpx.AsyncClient, contract: Contract) -> None:
    for method, path, _ in operations(contract):
        answer = await client.request(method, re.sub(r"{\w+}", "some-id", path))

        assert answer.status_code != 405
        assert answer.status_code != 404 or answer.json()["error"] != "Not found", path


def test_every_call_has_words_a_name_and_a_place(contract: Contract) -> None:
    names = [operation["operationId"] for _, _, operation in operations(contract)]
    tags = {tag["name"] for tag in contract.document["tags"]}

    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+[A-Za-z]*", name) for name in names)
    for _, path, operation in operations(contract):
        assert operation["description"], path
        assert set(operation["tags"]) <= tags
        assert all(parameter["description"] for parameter in operation.get("parameters", [])), path


def test_every_call_with_a_body_says_what_it_takes(contract: Contract) -> None:
    takes = {
        path: operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
        for _, path, operation in operations(contract)
        if "requestBody" in operation and not path.startswith("/webhooks/")
    }

    assert takes == {
        "/api/workflows/validate": "WorkflowSpec",
        "/api/workflows/compile": "WorkflowSpec",
        "/api/workflows/execute": "ExecuteRequest",
        "/api/workflows/executions/{execution_id}/replay": "ReplayRequest",
        "/api/workflows": "WorkflowSpec",
        "/api/workflows/{workflow_id}/publish": "PublishRequest",
    }


def test_examples_are_what_their_schemas_say(contract: Contract) -> None:
    checked = 0
    for method, path, operation in operations(contract):
        holders = [operation.get("requestBody", {}), *operation["responses"].values()]
        contents = [holder["content"] for holder in holders if "content" in holder]
        for content in [content["application/json"] for content in contents if "application/json" in content]:
            values = [example["value"] for example in content.get("examples", {}).values()]
            values += [content["example"]] if "example" in content else []
            assert values, (method, path)
            for value in values:
                assert contract.faults(content["schema"], value) == [], (method, path)
                checked += 1
    assert checked > len(ANSWERS)


def test_every_document_is_described_from_a_message_or_made_by_the_gateway(contract: Contract) -> None:
    assert set(contract.document["components"]["schemas"]) == set(MESSAGES) | OURS


@pytest.mark.parametrize("name", MESSAGES)
def test_a_described_document_has_the_members_of_its_message(contract: Contract, name: str) -> None:
    schema, message = contract.document["components"]["schemas"][name], MESSAGES[name]
    fields = {member_of(field): field for field in message.DESCRIPTOR.fields}

    assert set(schema["properties"]) == set(fields)
    assert all(member["description"] for member in schema["properties"].values())
    if name not in ASKED:
        required = set(schema["required"])
        optional_fields = {member for member, field in fields.items() if field.containing_oneof is not None}
        assert set(to_document(message())) <= required
        assert required.isdisjoint(optional_fields)


def member_of(field: Any) -> str:
    """The member of a document that a field becomes."""
    name: str = field.json_name
    return name.removesuffix("Json") if field.name.endswith("_json") else name


def test_no_answer_is_a_model_that_the_first_request_would_have_to_make() -> None:
    routers = [module.router for module in vars(routes).values() if hasattr(module, "router")]
    answers = [answer for router in routers for route in router.routes for answer in route.responses.values()]

    assert len(answers) > len(ANSWERS)
    assert [answer for answer in answers if "model" in answer] == []


def test_requests_that_refuse_unknown_members_say_so(contract: Contract) -> None:
    schemas = contract.document["components"]["schemas"]

    closed = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}

    assert closed == {"ExecuteRequest", "ExecuteOptions", "PublishRequest", "ReplayRequest"}


async def test_the_document_is_served(client: httpx.AsyncClient, contract: Contract) -> None:
    answer = await client.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == contract.document


async def test_the_page_and_all_that_it_needs_come_from_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sorted(needed) == ["docs/page.css", "docs/page.js", "openapi.json"]
    for address in needed:
        part = await client.get(f"/{address}")
        assert part.status_code == 200
        assert "http://" not in part.text.replace("http://www.w3.org", "")
        assert "https://" not in part.text or address == "openapi.json"
    assert (await client.get("/docs/page.js")).headers["content-type"].startswith("text/javascript")
    assert (await client.get("/docs/page.css")).headers["content-type"].startswith("text/css")
