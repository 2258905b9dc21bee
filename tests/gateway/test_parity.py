"""Whatever REST can do, a client with generated stubs can do as well."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor
from pydantic.alias_generators import to_camel

from gateway.access import scope_of
from njia.at_adapter.v1 import at_adapter_service_pb2
from njia.engine.v1 import admin_service_pb2, engine_service_pb2, workflow_service_pb2
from njia.sessions.v1 import sessions_service_pb2
from njia.validator.v1 import validator_service_pb2
from services.at_adapter.access import SCOPES as OF_AT_ADAPTER
from services.engine.access import SCOPES as OF_ENGINE
from services.sessions.access import SCOPES as OF_SESSIONS
from services.validator.access import SCOPES as OF_VALIDATOR
from tests.gateway.contract import Contract
from tests.gateway.test_document import ANSWERS

MODULES = (
    admin_service_pb2,
    engine_service_pb2,
    workflow_service_pb2,
    sessions_service_pb2,
    validator_service_pb2,
)
"""Loading them makes their services known to the pool."""

SCOPES = {**OF_VALIDATOR, **OF_ENGINE, **OF_SESSIONS, **OF_AT_ADAPTER}
"""What each RPC asks for."""

EXECUTIONS, SESSIONS = "/api/workflows/executions", "/api/sessions"
ENGINE, REGISTRY, ADMIN = "engine.v1.EngineService", "engine.v1.WorkflowService", "engine.v1.AdminService"
VALIDATOR, SESSION_SERVICE = "validator.v1.ValidatorService", "sessions.v1.SessionService"

RPCS = {
    ("get", "/api/node-types"): f"{VALIDATOR}.ListNodeTypes",
    ("post", "/api/workflows/validate"): f"{VALIDATOR}.ValidateWorkflow",
    ("post", "/api/workflows/compile"): f"{VALIDATOR}.CompileWorkflow",
    ("post", "/api/workflows/execute"): f"{ENGINE}.Execute",
    ("get", EXECUTIONS): f"{ENGINE}.ListExecutions",
    ("get", f"{EXECUTIONS}/{{execution_id}}"): f"{ENGINE}.GetExecution",
    ("post", f"{EXECUTIONS}/{{execution_id}}/cancel"): f"{ENGINE}.CancelExecution",
    ("get", f"{EXECUTIONS}/{{execution_id}}/events"): f"{ENGINE}.WatchExecution",
    ("post", f"{EXECUTIONS}/{{execution_id}}/replay"): f"{ENGINE}.ReplayExecution",
    ("get", "/api/audit"): f"{ADMIN}.ListAudit",
    ("delete", "/api/subjects/{msisdn}"): f"{ADMIN}.EraseSubject",
    ("get", "/api/unclaimed"): f"{ENGINE}.ListUnclaimed",
    ("post", "/api/workflows"): f"{REGISTRY}.SaveWorkflow",
    ("get", "/api/workflows"): f"{REGISTRY}.ListWorkflows",
    ("get", "/api/workflows/{workflow_id}"): f"{REGISTRY}.GetWorkflow",
    ("delete", "/api/workflows/{workflow_id}"): f"{REGISTRY}.DeleteWorkflow",
    ("post", "/api/workflows/{workflow_id}/publish"): f"{REGISTRY}.PublishWorkflow",
    ("post", "/api/workflows/{workflow_id}/unpublish"): f"{REGISTRY}.UnpublishWorkflow",
    ("get", SESSIONS): f"{SESSION_SERVICE}.ListSessions",
    ("get", f"{SESSIONS}/{{session_id}}"): f"{SESSION_SERVICE}.GetSession",
    ("delete", f"{SESSIONS}/{{session_id}}"): f"{SESSION_SERVICE}.DeleteSession",
}
WEBHOOK = f"{ENGINE}.HandleWebhook"
OF_THE_PROCESS = {"/livez", "/metrics", "/health"}
"""What each service says of itself, over its own health service and its own port of metrics."""


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_each_operation_has_an_rpc(method: str, path: str) -> None:
    if path in OF_THE_PROCESS:
        return
    rpc = WEBHOOK if path.startswith("/webhooks/") else RPCS[method, path]
    service, _, name = f"njia.{rpc}".rpartition(".")
    assert name in descriptor_pool.Default().FindServiceByName(service).methods_by_name


@pytest.mark.parametrize(("method", "path"), RPCS)
def test_each_operation_asks_for_the_scope_of_its_rpc(method: str, path: str) -> None:
    service, _, name = RPCS[method, path].rpartition(".")
    assert scope_of(method.upper(), path) is SCOPES[f"/njia.{service}/{name}"]


def test_each_rpc_says_what_it_asks_for() -> None:
    served = {
        f"/{service.full_name}/{method.name}"
        for module in (*MODULES, at_adapter_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert served == set(SCOPES)


RENAMED = {
    "limit": "pageSize",
    "cursor": "pageToken",
    "startDate": "startTime",
    "endDate": "endTime",
    "Idempotency-Key": "idempotencyKey",
    "Last-Event-ID": "afterSequence",
    "WorkflowSpec": "source",
}
"""What parameters, and a whole body, are called in messages where it is otherwise than over REST."""


def fields_of(message: Descriptor, depth: int = 2) -> Iterator[str]:
    """The members that a request can set, those of its own messages too."""
    for field in message.fields:
        yield field.json_name.removesuffix("Json")
        if field.message_type is not None and depth > 1:
            yield from fields_of(field.message_type, depth - 1)


def parameters_of(contract: Contract, operation: dict[str, Any]) -> Iterator[str]:
    """Everything that a caller can say: parameters and members of the body, those of its options too."""
    yield from (parameter["name"] for parameter in operation.get("parameters", []))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    if name == "WorkflowSpec":
        yield name
    elif name:
        schemas = contract.document["components"]["schemas"]
        yield from schemas[name]["properties"]
        yield from schemas["ExecuteOptions"]["properties"] if "options" in schemas[name]["properties"] else ()


@pytest.mark.parametrize(("method", "path"), RPCS)
def test_whatever_can_be_said_over_rest_can_be_said_in_the_request_of_its_rpc(
    contract: Contract, method: str, path: str
) -> None:
    service, _, name = f"njia.{RPCS[method, path]}".rpartition(".")
    request = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type
    said = {
        RENAMED.get(each, to_camel(each)) for each in parameters_of(contract, contract.document["paths"][path][method])
    }

    assert said - set(fields_of(request)) == set()


def test_the_table_names_no_operation_that_is_gone() -> None:
    assert set(RPCS) <= set(ANSWERS)
