"""Every gRPC service of the running set, called by a client that is not ours and learns the contracts by reflection."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from njia.at_adapter.v1 import at_adapter_service_pb2
from njia.engine.v1 import admin_service_pb2, engine_service_pb2, workflow_service_pb2
from njia.sessions.v1 import sessions_service_pb2
from njia.validator.v1 import validator_service_pb2
from tests.buf_curl import Server
from tests.e2e.driving import Document, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROTOS = Path(__file__).parents[2] / "protos"

ENGINE = "njia.engine.v1.EngineService"
FLOWS = "njia.engine.v1.WorkflowService"
SESSIONS = "njia.sessions.v1.SessionService"
ADAPTER = "njia.at_adapter.v1.AtAdapterService"
VALIDATOR = "njia.validator.v1.ValidatorService"

CONTRACTS: Mapping[str, Sequence[Any]] = {
    "validator": [validator_service_pb2.DESCRIPTOR],
    "engine": [admin_service_pb2.DESCRIPTOR, engine_service_pb2.DESCRIPTOR, workflow_service_pb2.DESCRIPTOR],
    "sessions": [sessions_service_pb2.DESCRIPTOR],
    "at_adapter": [at_adapter_service_pb2.DESCRIPTOR],
}
"""The proto files with the services of each server."""

BESIDE = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


def server(observed: Any, name: str, key: str | None = None) -> Server:
    """A server of the set that asks for keys; shows the key that may do everything unless it is told another."""
    target = observed.platform.stack.environ[f"NJIA_{name.upper()}_TARGET"]
    return Server.with_key(f"http://{target}", key or observed.key)


def sending(**settings: Any) -> Document:
    """A flow that sends one SMS."""
    return flow(new_id("curled"), texted(), [sms("send")], ["start>send"], settings=settings or None)


def run(spec: Document, **more: Any) -> Document:
    """The request that executes a flow, as a person writes it for buf."""
    return {
        "workflow": {"workflowJson": json.dumps(spec)},
        "triggerPayloadJson": json.dumps({"msisdn": new_phone(), "message": "x"}),
        **more,
    }


@pytest.mark.parametrize("name", CONTRACTS)
async def test_reflection_tells_every_service_and_method(observed: Any, name: str) -> None:
    curl = server(observed, name)
    services, methods = await asyncio.gather(curl.services(), curl.methods())
    declared = [service for file in CONTRACTS[name] for service in file.services_by_name.values()]
    assert set(services) == {service.full_name for service in declared} | BESIDE
    assert {method for method in methods if method.startswith("njia.")} == {
        f"{service.full_name}/{method.name}" for service in declared for method in service.methods
    }


async def test_each_server_answers_what_is_asked_as_json(observed: Any) -> None:
    saved, phone = sending(), new_phone()
    validated, kept, opened, sent = await asyncio.gather(
        server(observed, "validator").call(
            f"{VALIDATOR}/ValidateWorkflow", {"source": {"workflowJson": json.dumps(saved)}}
        ),
        server(observed, "engine").call(f"{FLOWS}/SaveWorkflow", {"source": {"workflowJson": json.dumps(saved)}}),
        server(observed, "sessions").call(
            f"{SESSIONS}/OpenSession", {"type": "SESSION_TYPE_USSD", "msisdn": phone, "dataJson": '{"kilos": 70}'}
        ),
        server(observed, "at_adapter").call(
            f"{ADAPTER}/SendSms", {"idempotencyKey": new_id("curled"), "to": [phone], "message": "by buf"}
        ),
    )
    assert [answer["valid"] for answer in validated] == [True]
    assert [answer["workflow"]["workflowId"] for answer in kept] == [saved["metadata"]["workflowId"]]
    assert [json.loads(answer["session"]["dataJson"]) for answer in opened] == [{"kilos": 70}]
    assert [answer["recipients"][0]["status"] for answer in sent] == ["Success"]
    assert await observed.platform.sent_to(phone) == ["by buf"]


async def test_a_stream_follows_an_execution_to_its_end(observed: Any) -> None:
    curl = server(observed, "engine")
    (begun,) = await curl.call(f"{ENGINE}/Execute", run(sending()))
    events = await curl.call(f"{ENGINE}/WatchExecution", {"executionId": begun["result"]["executionId"]})
    assert [event.get("nodeResult", {}).get("nodeId") for event in events] == ["start", "send", None]
    assert events[-1]["execution"]["status"] == "EXECUTION_STATUS_COMPLETED"


async def test_a_refusal_says_why_in_its_details(observed: Any) -> None:
    engine = server(observed, "engine")
    broken = flow(new_id("broken"), texted(), [node("send", "SEND_SMS", {"message": "x"})], ["start>send"])
    not_compiled, missing, no_session, no_number = await asyncio.gather(
        engine.refused(f"{ENGINE}/Execute", run(broken)),
        engine.refused(f"{ENGINE}/WatchExecution", {"executionId": "none"}),
        server(observed, "sessions").refused(f"{SESSIONS}/GetSession", {"sessionId": "none"}),
        server(observed, "at_adapter").refused(
            f"{ADAPTER}/SendSms", {"idempotencyKey": new_id("curled"), "to": ["12"], "message": "x"}
        ),
    )
    assert not_compiled.code == "invalid_argument"
    assert not_compiled.details["ErrorInfo"]["reason"] == "COMPILATION_FAILED"
    assert not_compiled.details["ErrorInfo"]["domain"] == "njia"
    (violation,) = not_compiled.details["BadRequest"]["fieldViolations"]
    assert violation["field"] == "nodes[0].config.to"
    assert violation["reason"] == "MISSING_REQUIRED_FIELD"
    assert (missing.code, missing.details["ErrorInfo"]["reason"]) == ("not_found", "EXECUTION_NOT_FOUND")
    assert missing.details["ErrorInfo"]["metadata"] == {"execution_id": "none"}
    assert (no_session.code, no_session.details["ErrorInfo"]["reason"]) == ("not_found", "SESSION_NOT_FOUND")
    assert (no_number.code, no_number.details["ErrorInfo"]["reason"]) == ("invalid_argument", "INVALID_PHONE_NUMBER")
    assert no_number.details["ErrorInfo"]["metadata"]["type"] == "validation"


async def test_a_refusal_that_passes_says_when_to_come_back(observed: Any) -> None:
    engine = server(observed, "engine")
    one_at_a_time = flow(
        new_id("curled"),
        dialled(),
        [ask("menu", "Menu"), bye("end", "Bye")],
        ["start>menu", "menu>end"],
        settings={"maxConcurrentExecutions": 1},
    )
    (waiting,) = await engine.call(f"{ENGINE}/Execute", run(one_at_a_time))
    busy = await engine.refused(f"{ENGINE}/Execute", run(one_at_a_time))
    await engine.call(f"{ENGINE}/CancelExecution", {"executionId": waiting["result"]["executionId"]})
    assert (busy.code, busy.details["ErrorInfo"]["reason"]) == ("resource_exhausted", "WORKFLOW_BUSY")
    assert busy.details["RetryInfo"] == {"retryDelay": "5s"}


async def test_keys_are_asked_for_in_the_metadata(observed: Any) -> None:
    reader = server(observed, "engine", observed.reading_key)
    # Reflection asks for a key as well; this one has the contracts.
    stranger = Server(reader.url, ("--schema", str(PROTOS)))
    listed, may_not, unknown = await asyncio.gather(
        reader.call(f"{FLOWS}/ListWorkflows", {}),
        reader.refused(f"{ENGINE}/Execute", run(sending())),
        stranger.refused(f"{FLOWS}/ListWorkflows", {}),
    )
    assert len(listed) == 1
    assert (may_not.code, may_not.details["ErrorInfo"]["reason"]) == ("permission_denied", "SCOPE_MISSING")
    assert (unknown.code, unknown.details["ErrorInfo"]["reason"]) == ("unauthenticated", "API_KEY_REQUIRED")
