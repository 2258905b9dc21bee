"""Answers of the whole platform, each held against the OpenAPI document by the client."""

import itertools
from typing import Any

import httpx
import pytest

from tests.gateway.contract import Contract, Document

MSISDN = "+254711000001"

_numbers = itertools.count(1)


def flow(nodes: list[Document], edges: list[Document], trigger: Document, **more: Any) -> Document:
    """A flow with an id of its own."""
    return {
        "metadata": {
            "workflowId": f"answers-{next(_numbers)}",
            "version": 1,
            "name": "Answers",
            "createdBy": "tests",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", **trigger},
        "nodes": nodes,
        "edges": edges,
        **more,
    }


def echo(message: str = "You said: {{message}}") -> Document:
    node = {"id": "send", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": message}}
    keyword = f"WORD{next(_numbers)}"
    trigger = {"type": "SMS_RECEIVED", "config": {"keyword": keyword}}
    return flow([node], [{"source": "start", "target": "send"}], trigger)


def menu() -> Document:
    """Asks for a name, says it, and ends the session."""
    ask = {"id": "ask", "type": "SEND_USSD_RESPONSE", "config": {"message": "Your name?", "expectInput": True}}
    bye = {"id": "bye", "type": "SESSION_END", "config": {"message": "Bye {{node_ask.output.input}}"}}
    edges = [{"source": "start", "target": "ask"}, {"source": "ask", "target": "bye"}]
    code = f"*384*{next(_numbers)}#"
    return flow([ask, bye], edges, {"type": "USSD_SESSION_START", "config": {"serviceCode": code}})


async def execute(platform: httpx.AsyncClient, spec: Document, payload: Document, **more: Any) -> Document:
    """Runs a flow that comes with the call."""
    body = {"workflow": spec, "triggerPayload": payload, **more}
    answer = await platform.post("/api/workflows/execute", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_examples_of_the_document_work_as_they_stand(platform: httpx.AsyncClient, contract: Contract) -> None:
    paths = ("/api/workflows/validate", "/api/workflows/compile", "/api/workflows", "/api/workflows/execute")
    examples = [
        (path, example["value"])
        for path in paths
        for example in contract.document["paths"][path]["post"]["requestBody"]["content"]["application/json"][
            "examples"
        ].values()
    ]

    answers = [(path, (await platform.post(path, json=example)).status_code) for path, example in examples]

    assert answers == [
        ("/api/workflows/validate", 200),
        ("/api/workflows/compile", 200),
        ("/api/workflows", 201),
        ("/api/workflows/execute", 200),
        ("/api/workflows/execute", 200),
    ]


async def test_all_is_well_when_every_service_serves(platform: httpx.AsyncClient) -> None:
    answer = await platform.get("/health")

    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "timestamp"}
    assert answer.json()["timestamp"].endswith("Z")


async def test_the_catalogue(platform: httpx.AsyncClient) -> None:
    answer = await platform.get("/api/node-types")

    types = {entry["type"]: entry for entry in answer.json()["nodeTypes"]}
    assert "SEND_SMS" in types
    assert types["SEND_SMS"]["configSchema"]["properties"]["message"]


async def test_a_valid_flow_is_told_with_its_warnings(platform: httpx.AsyncClient) -> None:
    spec = echo()
    spec["nodes"][0]["config"]["colour"] = "red"

    answer = await platform.post("/api/workflows/validate", json=spec)

    assert (answer.status_code, answer.json()["valid"], answer.json()["errors"]) == (200, True, [])
    assert "UNKNOWN_CONFIG_FIELD" in [warning["code"] for warning in answer.json()["warnings"]]


async def test_a_graph_has_what_the_documented_shape_names(platform: httpx.AsyncClient) -> None:
    spec = menu()

    answer = await platform.post("/api/workflows/compile", json=spec)

    assert set(answer.json()) == {"success", "graph", "warnings"}
    graph = answer.json()["graph"]
    assert (graph["workflowId"], graph["trigger"]) == (spec["metadata"]["workflowId"], "start")
    assert graph["executionOrder"] == ["start", "ask", "bye"]
    assert graph["metadata"] == {"requiresSession": True, "hasSessionEnd": True, "maxDepth": 3, "hasCycles": False}
    assert set(graph["nodes"]) == {"start", "ask", "bye"}
    assert graph["nodes"]["ask"]["config"]["message"] == "Your name?"
    assert graph["nodes"]["ask"]["definition"]["category"] == "action"
    assert [edge["target"] for edge in graph["nodes"]["ask"]["outgoingEdges"]] == ["bye"]


@pytest.mark.parametrize("call", ["validate", "compile"])
async def test_a_flow_with_faults_is_a_400_in_the_documented_shape(platform: httpx.AsyncClient, call: str) -> None:
    answer = await platform.post(f"/api/workflows/{call}", json=echo("{{nobody}}"))

    assert answer.status_code == 400
    assert answer.json()["valid" if call == "validate" else "success"] is False
    assert answer.json()["errors"][0]["nodeId"] == "send"
    assert answer.json()["errors"][0]["path"] == "nodes[0].config.message"


async def test_an_execution_that_completes_and_its_log(platform: httpx.AsyncClient) -> None:
    result = await execute(platform, echo(), {"msisdn": MSISDN, "message": "hi"})
    log = (await platform.get(f"/api/workflows/executions/{result['executionId']}")).json()

    assert result["status"] == log["status"] == "completed"
    assert [entry["nodeId"] for entry in log["nodeResults"]] == ["start", "send"]
    assert log["completedAt"].endswith("Z")
    assert log["output"] == result["output"]


async def test_an_execution_that_fails_is_an_answer(platform: httpx.AsyncClient) -> None:
    result = await execute(platform, echo("Hello {{triggerPayload.name}}"), {"msisdn": MSISDN, "message": "hi"})

    assert result["status"] == "failed"
    assert result["error"]["type"] == "validation"


async def test_a_session_from_its_first_screen_to_its_end(platform: httpx.AsyncClient) -> None:
    spec = menu()
    first = await execute(platform, spec, {"msisdn": MSISDN, "serviceCode": "*384*1#", "sessionId": "s-gateway"})
    waiting = (await platform.get(f"/api/workflows/executions/{first['executionId']}")).json()
    session = (await platform.get(f"/api/sessions/{first['sessionId']}")).json()
    found = (await platform.get(f"/api/sessions?type=ussd&active=true&msisdn={MSISDN}")).json()
    last = await execute(platform, spec, {"input": "Wanjiru"}, sessionId=first["sessionId"])

    assert (first["status"], first["reply"]) == ("running", {"kind": "con", "text": "Your name?"})
    assert waiting["waitingFor"]["nodeId"] == "ask"
    assert (session["msisdn"], session["isActive"], session["type"]) == (MSISDN, True, "ussd")
    assert session in found["sessions"]
    assert (last["status"], last["reply"]) == ("completed", {"kind": "end", "text": "Bye Wanjiru"})
    assert last["executionId"] == first["executionId"]


async def test_sessions_that_are_unknown_or_have_ended(platform: httpx.AsyncClient) -> None:
    spec = menu()
    begun = await execute(platform, spec, {"msisdn": MSISDN})
    ended = await platform.delete(f"/api/sessions/{begun['sessionId']}")
    again = await platform.delete(f"/api/sessions/{begun['sessionId']}")
    body = {"workflow": spec, "triggerPayload": {"input": "x"}, "sessionId": begun["sessionId"]}
    after = await platform.post("/api/workflows/execute", json=body)
    unknown = await platform.post("/api/workflows/execute", json={**body, "sessionId": "nobody"})

    assert ended.json()["isActive"] is again.json()["isActive"] is False
    assert (after.status_code, after.json()["code"]) == (409, "SESSION_ENDED")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Session not found")
    assert (await platform.get("/api/sessions/nobody")).status_code == 404
    assert (await platform.delete("/api/sessions/nobody")).status_code == 404


@pytest.mark.parametrize("query", ["type=pigeon", "active=perhaps", "limit=0", "phone=1", "cursor=zzz"])
async def test_a_filter_of_sessions_that_cannot_be_used_is_a_400(platform: httpx.AsyncClient, query: str) -> None:
    answer = await platform.get(f"/api/sessions?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_FILTER")


async def test_a_number_whose_plus_was_not_escaped_is_found(platform: httpx.AsyncClient) -> None:
    begun = await execute(platform, menu(), {"msisdn": "+254711000777"})

    plain = (await platform.get("/api/sessions?msisdn=+254711000777")).json()
    escaped = (await platform.get("/api/sessions", params={"msisdn": "+254711000777"})).json()

    assert [session["sessionId"] for session in plain["sessions"]] == [begun["sessionId"]]
    assert plain == escaped


async def test_pages_of_executions_lead_through_all_of_them(platform: httpx.AsyncClient) -> None:
    spec = echo()
    ids = [(await execute(platform, spec, {"msisdn": MSISDN, "message": "x"}))["executionId"] for _ in range(3)]
    found, query = [], {"workflowId": spec["metadata"]["workflowId"], "status": "completed", "limit": "2"}
    for _ in range(5):
        page = (await platform.get("/api/workflows/executions", params=query)).json()
        found += page["executions"]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]

    assert [execution["executionId"] for execution in found] == ids[::-1]
    assert all("nodeResults" not in execution for execution in found)


async def test_an_execution_is_cancelled_once(platform: httpx.AsyncClient) -> None:
    begun = await execute(platform, menu(), {"msisdn": MSISDN})
    path = f"/api/workflows/executions/{begun['executionId']}/cancel"
    cancelled, again = await platform.post(path), await platform.post(path)
    nobody = await platform.post("/api/workflows/executions/nobody/cancel")

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (again.status_code, again.json()["error"]) == (409, "Execution has ended")
    assert (nobody.status_code, nobody.json()["error"]) == (404, "Execution not found")


async def test_a_repeated_key_gets_the_first_answer(platform: httpx.AsyncClient) -> None:
    body = {"workflow": echo(), "triggerPayload": {"msisdn": MSISDN, "message": "once"}}
    answers = [
        await platform.post("/api/workflows/execute", json=body, headers={"Idempotency-Key": "answers-1"})
        for _ in range(2)
    ]
    other = await platform.post(
        "/api/workflows/execute", json={**body, "triggerPayload": {}}, headers={"Idempotency-Key": "answers-1"}
    )

    assert answers[0].json()["executionId"] == answers[1].json()["executionId"]
    assert (other.status_code, other.json()["code"]) == (400, "IDEMPOTENCY_KEY_REUSED")


async def test_the_life_of_a_saved_flow(platform: httpx.AsyncClient) -> None:
    spec = echo()
    path = f"/api/workflows/{spec['metadata']['workflowId']}"
    saved, unchanged = [await platform.post("/api/workflows", json=spec) for _ in range(2)]
    spec["metadata"]["name"] = "Another name"
    second = await platform.post("/api/workflows", json=spec)
    published = await platform.post(f"{path}/publish", json={"version": 1})
    read = await platform.get(path)
    newest = await platform.get(second.headers["location"])
    kept = await platform.delete(path)
    unpublished = await platform.post(f"{path}/unpublish")
    deleted = await platform.delete(path)

    assert (saved.status_code, unchanged.status_code, second.status_code) == (201, 200, 201)
    assert saved.headers["location"] == unchanged.headers["location"] == f"{path}?version=1"
    assert (published.json()["version"], published.json()["published"]) == (1, True)
    assert (read.json()["version"], read.json()["workflow"]["metadata"]["name"]) == (1, "Answers")
    assert newest.json()["workflow"]["metadata"]["name"] == "Another name"
    assert (kept.status_code, kept.json()["error"]) == (409, "Workflow is published")
    assert unpublished.json()["publishedVersion"] == 0
    assert (deleted.status_code, deleted.content) == (204, b"")
    for gone in (await platform.get(path), await platform.delete(path), await platform.post(f"{path}/publish")):
        assert (gone.status_code, gone.json()["error"]) == (404, "Workflow not found")


async def test_two_flows_that_claim_one_trigger_are_refused_with_both_names(platform: httpx.AsyncClient) -> None:
    one, other = echo(), echo()
    other["trigger"] = one["trigger"]
    first, second = one["metadata"]["workflowId"], other["metadata"]["workflowId"]
    for spec in (one, other):
        await platform.post("/api/workflows", json=spec)
    await platform.post(f"/api/workflows/{first}/publish")

    refused = await platform.post(f"/api/workflows/{second}/publish")

    assert (refused.status_code, refused.json()["error"]) == (409, "Trigger is claimed")
    assert first in refused.json()["message"]
    assert second in refused.json()["message"]


async def test_a_saved_flow_runs_by_its_id(platform: httpx.AsyncClient) -> None:
    spec = echo()
    workflow_id = spec["metadata"]["workflowId"]
    await platform.post("/api/workflows", json=spec)
    body = {"workflowId": workflow_id, "triggerPayload": {"msisdn": MSISDN, "message": "hi"}}
    ran = await platform.post("/api/workflows/execute", json=body)
    missing = await platform.post("/api/workflows/execute", json={**body, "version": 9})

    assert (ran.json()["status"], ran.json()["workflowVersion"]) == ("completed", 1)
    assert (missing.status_code, missing.json()["error"]) == (404, "Workflow not found")


async def test_saving_a_flow_with_faults_is_a_400_with_all_of_them(platform: httpx.AsyncClient) -> None:
    spec = echo("{{one}} {{two}}")
    spec["nodes"].append({"id": "alone", "type": "SEND_PIGEON", "config": {}})

    answer = await platform.post("/api/workflows", json=spec)

    assert (answer.status_code, answer.json()["error"]) == (400, "Compilation failed")
    codes = [fault["code"] for fault in answer.json()["errors"]]
    assert codes.count("UNKNOWN_VARIABLE") == 2
    assert "INVALID_NODE_TYPE" in codes


async def test_flows_are_listed_without_their_text(platform: httpx.AsyncClient) -> None:
    spec = echo()
    await platform.post("/api/workflows", json=spec)

    flows = (await platform.get("/api/workflows?limit=1000")).json()["workflows"]

    assert spec["metadata"]["workflowId"] in [entry["workflowId"] for entry in flows]
    assert all("workflow" not in entry for entry in flows)
