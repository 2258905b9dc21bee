"""Checking and compiling real flows through the gateway and the real validator."""

from pathlib import Path

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

CONFORMANCE = Path(__file__).parents[1] / "conformance"
JSON = {"content-type": "application/json"}
NEEDED = {
    "SMS_RECEIVED",
    "USSD_SESSION_START",
    "SEND_SMS",
    "SEND_USSD_RESPONSE",
    "CONDITION",
    "SWITCH",
    "MERGE",
    "SESSION_READ",
    "SESSION_WRITE",
    "SESSION_END",
}


def written(name: str) -> bytes:
    """A flow that was written elsewhere, byte for byte."""
    return (CONFORMANCE / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", ["sms-echo", "ussd-menu"])
async def test_a_flow_that_was_written_elsewhere_is_valid(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/api/workflows/validate", content=written(name), headers=JSON)

    assert answer.status_code == 200
    assert answer.json()["valid"] is True
    assert answer.json()["errors"] == []


@pytest.mark.parametrize(("name", "requires_session"), [("sms-echo", False), ("ussd-menu", True)])
async def test_a_flow_that_was_written_elsewhere_compiles(
    client: httpx.AsyncClient, name: str, requires_session: bool
) -> None:
    answer = await client.post("/api/workflows/compile", content=written(name), headers=JSON)

    assert answer.status_code == 200
    assert set(answer.json()) == {"success", "graph", "warnings"}
    graph = answer.json()["graph"]
    assert graph["trigger"] == "trigger-1"
    assert graph["executionOrder"][0] == "trigger-1"
    assert sorted(graph["executionOrder"]) == sorted(graph["nodes"])
    for place, node_id in enumerate(graph["executionOrder"]):
        assert graph["nodes"][node_id]["metadata"]["executionOrder"] == place
    assert graph["metadata"]["requiresSession"] is requires_session
    assert graph["metadata"]["hasSessionEnd"] is requires_session
    assert graph["metadata"]["hasCycles"] is False


async def test_the_choice_that_leads_nowhere_is_a_warning(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/workflows/validate", content=written("ussd-menu"), headers=JSON)

    assert [warning["code"] for warning in answer.json()["warnings"]] == ["DEAD_END_NODE"]


@pytest.mark.parametrize(("call", "verdict"), [("validate", "valid"), ("compile", "success")])
async def test_every_fault_is_told_at_once_in_the_documented_shape(
    client: httpx.AsyncClient, call: str, verdict: str
) -> None:
    flow = written("sms-echo").replace(b"{{message}}", b"{{mesage}}").replace(b'"SEND_SMS"', b'"SEND_SNS"')

    answer = await client.post(f"/api/workflows/{call}", content=flow, headers=JSON)

    assert answer.status_code == 400
    assert set(answer.json()) == {verdict, "errors", "warnings"}
    assert answer.json()[verdict] is False
    assert "INVALID_NODE_TYPE" in {fault["code"] for fault in answer.json()["errors"]}


async def test_the_catalogue_has_all_that_a_canvas_needs(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/node-types")

    assert answer.status_code == 200
    rows = {row["type"]: row for row in answer.json()["nodeTypes"]}
    assert set(rows) >= NEEDED
    for row in rows.values():
        assert row["description"]
        OAS31Validator.check_schema(row["configSchema"])
        OAS31Validator.check_schema(row["outputSchema"])
        assert (row["category"] == "trigger") == (row["inputHandles"] == [])
