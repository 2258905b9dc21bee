"""Webhooks of published flows, over the whole platform: what they prove, what they bring, what they are answered."""

import asyncio
import base64
import hashlib
import hmac
from itertools import pairwise
from typing import Any

import httpx
import pytest
import pytest_asyncio

SECRET = "wh-s3cr3t"
BODY = b'{"service": "billing", "level": 3, "method": "mine"}'
JSON = {"content-type": "application/json"}


def flow(workflow_id: str, trigger: dict[str, Any], *nodes: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """A flow whose nodes follow each other."""
    ids = ["start", *(node["id"] for node in nodes)]
    return {
        "metadata": {
            "workflowId": workflow_id,
            "version": 1,
            "name": workflow_id,
            "description": "A test.",
            "createdBy": "tests",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", "type": "HTTP_WEBHOOK", "config": trigger},
        "nodes": list(nodes),
        "edges": [{"source": a, "target": b} for a, b in pairwise(ids)],
        **sections,
    }


async def publish(platform: httpx.AsyncClient, document: dict[str, Any]) -> None:
    saved = await platform.post("/api/workflows", json=document)
    assert saved.is_success, saved.text
    published = await platform.post(f"/api/workflows/{document['metadata']['workflowId']}/publish")
    assert published.is_success, published.text


async def log_of(platform: httpx.AsyncClient, execution_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            log: dict[str, Any] = (await platform.get(f"/api/workflows/executions/{execution_id}")).json()
            if log["status"] != "running":
                return log
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hooks(platform: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of the platform with one flow for each way to prove who calls."""
    last = {"id": "last", "type": "SWITCH", "config": {"value": "{{service}}", "cases": [{"value": "a", "label": "a"}]}}
    signed = {"validateSignature": True, "signatureSecret": SECRET}
    flows: dict[str, dict[str, Any]] = {
        "open": {"path": "/in/alerts"},
        "basic": {"path": "/", "auth": {"type": "basic", "username": "ada", "password": SECRET}},
        "bearer": {"path": "/", "auth": {"type": "bearer", "token": SECRET}},
        "custom": {"path": "/", "auth": {"type": "custom", "headerName": "X-Key", "token": SECRET}},
        "signed": {"path": "/", **signed},
        "strict": {"path": "/", "method": "PUT", "headers": {"X-Source": "", "X-Tenant": "north"}},
        "get": {"path": "/", "method": "GET"},
        "keyed": {"path": "/", "headers": {"X-Gate-Token": SECRET, "X-Tenant": "north"}},
    }
    for name, config in flows.items():
        await publish(platform, flow(f"hook-{name}", config, last))
    return platform


async def posted(hooks: httpx.AsyncClient, name: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await hooks.post(f"/webhooks/hook-{name}/", content=BODY, headers=JSON | (headers or {}))


def signature(secret: str = SECRET, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


async def test_a_request_is_taken_at_once_and_the_flow_gets_what_it_brings(hooks: httpx.AsyncClient) -> None:
    address = "/webhooks/hook-open/in/alerts?a=1&a=2&b=x%20y&empty="
    answer = await hooks.post(address, content=BODY, headers=JSON | {"X-Trace": "7", "Cookie": "a=b"})
    assert answer.status_code == 202
    log = await log_of(hooks, answer.json()["executionId"])
    payload = log["nodeResults"][0]["output"]
    assert log["status"] == "completed"
    assert {name: payload[name] for name in ("method", "path", "query", "service", "level")} == {
        "method": "POST",
        "path": "/in/alerts",
        "query": {"a": ["1", "2"], "b": "x y", "empty": ""},
        "service": "billing",
        "level": 3,
    }
    assert payload["body"] == {"service": "billing", "level": 3, "method": "mine"}
    assert payload["headers"]["x-trace"] == "7"
    assert "cookie" not in payload["headers"]
    assert payload["timestamp"].endswith("Z")


async def test_a_header_that_proves_who_sends_is_shown_to_nobody(hooks: httpx.AsyncClient) -> None:
    given = {"X-Gate-Token": SECRET, "X-Tenant": "north"}
    shown = (await hooks.get("/api/workflows/hook-keyed")).json()["workflow"]["trigger"]["config"]["headers"]
    refused = await posted(hooks, "keyed", {**given, "X-Gate-Token": "guessed"})
    taken = await posted(hooks, "keyed", given)
    log = await log_of(hooks, taken.json()["executionId"])

    assert (refused.status_code, taken.status_code) == (400, 202)
    assert shown == {"X-Gate-Token": "••••", "X-Tenant": "north"}
    assert log["nodeResults"][0]["output"]["headers"]["x-tenant"] == "north"
    assert SECRET not in f"{refused.text}{log}"


@pytest.mark.parametrize(
    ("content_type", "content", "body"),
    [
        ("application/x-www-form-urlencoded", b"service=a+b&x=1&x=2", {"service": "a b", "x": ["1", "2"]}),
        ("text/plain; charset=utf-8", "é".encode(), "é"),
        ("application/xml", b"<a/>", "<a/>"),
        ("application/cloudevents+json", b"[1]", [1]),
        ("application/json", b"", None),
    ],
)
async def test_a_body_is_read_as_its_type_says(
    hooks: httpx.AsyncClient, content_type: str, content: bytes, body: Any
) -> None:
    answer = await hooks.post("/webhooks/hook-open/in/alerts", content=content, headers={"content-type": content_type})
    assert answer.status_code == 202
    log = await log_of(hooks, answer.json()["executionId"])
    assert log["nodeResults"][0]["output"]["body"] == body


@pytest.mark.parametrize(
    ("content_type", "content", "status", "code"),
    [
        ("application/json", b'{"a": ', 400, "INVALID_BODY"),
        ("application/json", b'{"a": 1, "a": 2}', 400, "INVALID_BODY"),
        ("application/json", b"\xff", 400, "INVALID_BODY"),
        ("application/json", b'{"a": 99999999999999999999}', 400, "INVALID_BODY"),
        ("application/x-www-form-urlencoded", b"a=%ff", 400, "INVALID_BODY"),
        ("application/x-www-form-urlencoded", b"a&" * 1001, 400, "INVALID_BODY"),
        ("text/plain", b"\xff", 400, "INVALID_BODY"),
        ("multipart/form-data; boundary=x", b"--x--", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/octet-stream", b"\0", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("", b"a", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("text/plain", b"x" * (1024 * 1024 + 1), 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    hooks: httpx.AsyncClient, content_type: str, content: bytes, status: int, code: str
) -> None:
    answer = await hooks.post("/webhooks/hook-open/in/alerts", content=content, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("content_type", "content", "status"),
    [
        ("text/plain", b"x" * 250_000, 202),
        ("text/plain", b"x" * 263_000, 413),
        ("application/json", b'{"x": "' + b"x" * 140_000 + b'"}', 413),
    ],
)
async def test_what_an_execution_could_not_keep_is_not_taken(
    hooks: httpx.AsyncClient, content_type: str, content: bytes, status: int
) -> None:
    answer = await hooks.post("/webhooks/hook-open/in/alerts", content=content, headers={"content-type": content_type})
    assert answer.status_code == status
    if status == 413:
        assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"
    else:
        log = await log_of(hooks, answer.json()["executionId"])
        assert log["nodeResults"][0]["status"] == "success"


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("basic", {"Authorization": basic(f"ada:{SECRET}")}),
        ("bearer", {"Authorization": f"bearer {SECRET}"}),
        ("custom", {"x-key": SECRET}),
        ("signed", {"X-Signature": signature()}),
        ("signed", {"X-Signature": f"sha256={signature().upper()}"}),
    ],
)
async def test_who_proves_what_the_flow_asks_for_is_let_in_and_the_proof_is_kept_nowhere(
    hooks: httpx.AsyncClient, name: str, headers: dict[str, str]
) -> None:
    answer = await posted(hooks, name, headers)
    assert answer.status_code == 202
    await log_of(hooks, answer.json()["executionId"])
    log = await hooks.get(f"/api/workflows/executions/{answer.json()['executionId']}")
    assert SECRET not in log.text
    assert "authorization" not in log.json()["nodeResults"][0]["output"]["headers"]


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("basic", {}),
        ("basic", {"Authorization": basic("ada:wrong")}),
        ("basic", {"Authorization": basic(f"eve:{SECRET}")}),
        ("basic", {"Authorization": "Basic !!!"}),
        ("basic", {"Authorization": f"Bearer {SECRET}"}),
        ("bearer", {}),
        ("bearer", {"Authorization": "Bearer"}),
        ("bearer", {"Authorization": f"Bearer {SECRET}x"}),
        ("bearer", {"Authorization": SECRET}),
        ("custom", {"X-Key": "wrong"}),
        ("custom", {}),
        ("signed", {}),
        ("signed", {"X-Signature": ""}),
        ("signed", {"X-Signature": signature("another secret")}),
        ("signed", {"X-Signature": signature(body=b'{"service": "other"}')}),
        ("signed", {"X-Signature": f"sha1={signature()}"}),
    ],
)
async def test_who_does_not_is_refused_without_a_hint(
    hooks: httpx.AsyncClient, name: str, headers: dict[str, str]
) -> None:
    before = (await hooks.get("/api/workflows/executions", params={"workflowId": f"hook-{name}"})).json()
    answer = await posted(hooks, name, headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Webhook")
    assert answer.json() == {
        "error": "Unauthorized",
        "message": "the request does not prove who sent it: check its credentials and its signature",
        "code": "WEBHOOK_UNAUTHENTICATED",
    }
    after = (await hooks.get("/api/workflows/executions", params={"workflowId": f"hook-{name}"})).json()
    assert len(after["executions"]) == len(before["executions"]), "nothing has run"


async def test_a_required_header_is_there_with_its_value(hooks: httpx.AsyncClient) -> None:
    async def status(**headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await hooks.put("/webhooks/hook-strict/", content=BODY, headers=JSON | sent)).status_code

    assert await status(X_Source="any", X_Tenant="north") == 202
    assert await status(X_Tenant="north") == 400
    assert await status(X_Source="any", X_Tenant="south") == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/hook-bearer/", 405),
        ("DELETE", "/webhooks/hook-bearer/", 405),
        ("POST", "/webhooks/hook-bearer/other", 404),
        ("POST", "/webhooks/hook-open/in/alerts/", 404),
        ("POST", "/webhooks/nobody/", 404),
        ("POST", "/webhooks/", 404),
        ("GET", "/webhooks/hook-get/", 202),
    ],
)
async def test_only_the_address_and_the_method_of_the_flow_are_answered(
    hooks: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await hooks.request(method, path)
    assert answer.status_code == status
    if status == 405:
        assert answer.headers["allow"] == "POST"


async def test_a_flow_that_is_not_published_any_more_does_not_answer(hooks: httpx.AsyncClient) -> None:
    await publish(hooks, flow("hook-gone", {"path": "/"}))
    assert (await hooks.post("/webhooks/hook-gone/")).status_code == 202
    await hooks.post("/api/workflows/hook-gone/unpublish")
    assert (await hooks.post("/webhooks/hook-gone/")).status_code == 404


async def test_the_same_key_starts_one_execution(hooks: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "alert-1", "Authorization": f"Bearer {SECRET}"}
    answers = await asyncio.gather(*(posted(hooks, "bearer", key) for _ in range(5)))
    assert len({answer.json()["executionId"] for answer in answers}) == 1
    other = await hooks.post("/webhooks/hook-bearer/", content=b"{}", headers=JSON | key)
    assert (other.status_code, other.json()["code"]) == (400, "IDEMPOTENCY_KEY_REUSED")
    long = await posted(hooks, "bearer", key | {"Idempotency-Key": "x" * 257})
    assert (long.status_code, long.json()["code"]) == (400, "INVALID_REQUEST")


async def test_who_waits_gets_the_outcome_and_no_detail(hooks: httpx.AsyncClient) -> None:
    answer = await hooks.post("/webhooks/hook-open/in/alerts?wait=true", content=BODY, headers=JSON)
    assert answer.status_code == 200
    assert answer.json() == {
        "executionId": answer.json()["executionId"],
        "status": "completed",
        "output": {"value": "billing", "matched": None},
    }


async def test_who_waits_learns_of_a_failure(hooks: httpx.AsyncClient) -> None:
    answer = await hooks.post("/webhooks/hook-open/in/alerts?wait=true", content=b"{}", headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["status"] == "failed"
    assert answer.json()["error"].keys() == {"code", "message"}
    assert answer.json()["error"]["code"] == "MISSING_VARIABLE"


async def test_who_waits_too_long_is_answered_all_the_same(hooks: httpx.AsyncClient) -> None:
    pause = {"id": "pause", "type": "DELAY", "config": {"duration": 60_000}}
    await publish(hooks, flow("hook-slow", {"path": "/", "timeoutMs": 100}, pause))
    answer = await hooks.post("/webhooks/hook-slow/?wait=true")
    assert (answer.status_code, answer.json().keys()) == (202, {"executionId"})
    await hooks.post(f"/api/workflows/executions/{answer.json()['executionId']}/cancel")


async def test_an_unclear_wish_to_wait_is_refused(hooks: httpx.AsyncClient) -> None:
    assert (await hooks.post("/webhooks/hook-open/in/alerts?wait=maybe")).status_code == 400


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"path": "no slash"}, "trigger.config.path"),
        ({"path": "/", "auth": {"type": "basic", "username": "a"}}, "trigger.config.auth.password"),
        ({"path": "/", "auth": {"type": "custom", "token": "a"}}, "trigger.config.auth.headerName"),
        ({"path": "/", "validateSignature": True}, "trigger.config.signatureSecret"),
        ({"path": "/", "timeoutMs": 50}, "trigger.config.timeoutMs"),
        ({"path": "/", "retry": {"attempts": 6}}, "trigger.config.retry.attempts"),
        ({"path": "/", "headers": {"a b": "x"}}, 'trigger.config.headers["a b"]'),
    ],
)
async def test_a_config_that_could_let_nobody_or_anybody_in_is_refused(
    platform: httpx.AsyncClient, config: dict[str, Any], field: str
) -> None:
    answer = await platform.post("/api/workflows/validate", json=flow("hook-bad", config))
    assert answer.status_code == 400
    assert field in [fault["path"] for fault in answer.json()["errors"]]
