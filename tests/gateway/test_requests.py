"""What reaches the services of a request, and what is refused before anything does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from njia.workflow.v1 import workflow_pb2
from tests.gateway.serving import Engine

EXECUTE = "/api/workflows/execute"
JSON = {"content-type": "application/json"}


async def executed(client: httpx.AsyncClient, engine: Engine, body: str, **headers: str) -> Any:
    """Sends a body that must be taken and returns what reached the engine."""
    answer = await client.post(EXECUTE, content=body.encode(), headers={**JSON, **headers})
    assert answer.status_code == 200, answer.text
    return engine.requests[-1]


async def test_numbers_of_a_flow_and_a_payload_reach_the_engine_unchanged(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    numbers = '{"big":9007199254740993,"bigger":123456789012345678901234567890,"small":1e-07,"one":1.0,"none":-0.0}'

    request = await executed(client, engine, f'{{"workflow": {numbers}, "triggerPayload": {numbers}}}')

    for text in (request.workflow.workflow_json, request.trigger_payload_json):
        assert text == numbers


async def test_a_saved_flow_is_named_with_or_without_a_version(client: httpx.AsyncClient, engine: Engine) -> None:
    newest = await executed(client, engine, '{"workflowId": "greeting"}')
    third = await executed(client, engine, '{"workflowId": "greeting", "version": 3, "workflow": null}')

    assert (newest.ref.workflow_id, newest.ref.version) == ("greeting", 0)
    assert (third.ref.workflow_id, third.ref.version) == ("greeting", 3)
    assert newest.WhichOneof("flow") == third.WhichOneof("flow") == "ref"


async def test_session_options_and_key_reach_the_engine(client: httpx.AsyncClient, engine: Engine) -> None:
    request = await executed(
        client,
        engine,
        '{"workflowId": "w", "sessionId": "s 1", "options": {"dryRun": true, "waitMs": 0, "continueOnError": false}}',
        **{"Idempotency-Key": "key 1"},
    )

    assert (request.session_id, request.idempotency_key) == ("s 1", "key 1")
    assert request.options.dry_run
    assert request.options.HasField("wait_ms")
    assert request.options.HasField("continue_on_error")
    assert not request.options.HasField("max_execution_time_ms")


async def test_what_is_left_out_stays_left_out(client: httpx.AsyncClient, engine: Engine) -> None:
    request = await executed(client, engine, '{"workflowId": "w"}')

    assert (request.session_id, request.idempotency_key, request.trigger_payload_json) == ("", "", "")
    assert not request.HasField("options")


@pytest.mark.parametrize(
    ("options", "least", "most"),
    [("{}", 15, 21), ('{"waitMs": 0}', 5, 11), ('{"waitMs": 60000}', 65, 71), ('{"waitMs": 999999999}', 65, 71)],
)
async def test_the_deadline_of_an_execution_follows_its_wait(
    client: httpx.AsyncClient, engine: Engine, options: str, least: float, most: float
) -> None:
    await executed(client, engine, f'{{"workflowId": "w", "options": {options}}}')

    assert least <= engine.seconds_left[-1] <= most


async def test_every_other_call_has_a_deadline_too(client: httpx.AsyncClient, engine: Engine) -> None:
    await client.get("/api/workflows/executions/ex-1")

    assert 5 <= engine.seconds_left[-1] <= 11


@pytest.mark.parametrize(
    ("body", "words", "path"),
    [
        ('{"workflowId": "w", "trigerPayload": {}, "x": 1}', '"trigerPayload", "x"', "trigerPayload"),
        ("{}", "either workflow", "workflow"),
        ('{"workflow": {}, "workflowId": "w"}', "either workflow", "workflow"),
        ('{"workflow": {}, "version": 1}', "version goes with workflowId", "version"),
        ('{"workflow": []}', "must be an object", "workflow"),
        ('{"workflowId": ""}', "not empty", "workflowId"),
        ('{"workflowId": 7}', "must be a text", "workflowId"),
        ('{"workflowId": "w", "version": 0}', "whole number", "version"),
        ('{"workflowId": "w", "version": true}', "whole number", "version"),
        ('{"workflowId": "w", "version": "1"}', "whole number", "version"),
        ('{"workflowId": "w", "triggerPayload": "hi"}', "must be an object", "triggerPayload"),
        ('{"workflowId": "w", "sessionId": ""}', "not empty", "sessionId"),
        ('{"workflowId": "w", "options": 1}', "must be an object", "options"),
        ('{"workflowId": "w", "options": {"waitMs": "long"}}', "whole number", "options.waitMs"),
        ('{"workflowId": "w", "options": {"waitms": 1}}', "not known", "options.waitms"),
    ],
)
async def test_a_body_that_cannot_be_used_is_a_400_that_names_the_member(
    client: httpx.AsyncClient, engine: Engine, body: str, words: str, path: str
) -> None:
    answer = await client.post(EXECUTE, content=body.encode(), headers=JSON)

    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]
    assert engine.requests == []


@pytest.mark.parametrize("path", ["execute", "greeting/publish"])
@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{\n  "a": oops\n}', "(line 2, column 8)"),
        (b'{"a": 1, "a": 2}', "(line 1, column 10)"),
        (b"[]", "(line 1, column 1)"),
        (b'{"a": NaN}', "(line 1, column 7)"),
        (b'{\n"a": "\xff"}', "(line 2, column 7)"),
    ],
)
async def test_a_body_that_is_no_json_object_is_a_400_with_its_place(
    client: httpx.AsyncClient, engine: Engine, path: str, body: bytes, place: str
) -> None:
    answer = await client.post(f"/api/workflows/{path}", content=body, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_JSON")
    assert place in answer.json()["message"]
    assert engine.requests == []


@pytest.mark.parametrize("call", ["validate", "compile"])
async def test_text_that_is_no_json_is_reported_like_any_fault_of_a_flow(client: httpx.AsyncClient, call: str) -> None:
    answer = await client.post(f"/api/workflows/{call}", content=b'{\n  "metadata": oops}', headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["valid" if call == "validate" else "success"] is False
    assert "line 2, column 15" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("call", ["/validate", "/compile", ""])
async def test_bytes_that_are_no_text_are_a_400_with_their_place(
    client: httpx.AsyncClient, engine: Engine, call: str
) -> None:
    answer = await client.post(f"/api/workflows{call}", content=b'{\n"\xc3\xa9\xff', headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_JSON")
    assert "line 2, column 3" in answer.json()["message"]
    assert engine.requests == []


async def in_parts(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


@pytest.mark.parametrize("call", ["/validate", "/compile", "/execute", "", "/w/publish"])
async def test_a_body_over_the_limit_is_a_413_whether_its_size_is_known_or_not(
    client: httpx.AsyncClient, engine: Engine, call: str
) -> None:
    declared = await client.post(f"/api/workflows{call}", content=b" " * 21_000, headers=JSON)
    streamed = await client.post(f"/api/workflows{call}", content=in_parts(21_000), headers=JSON)

    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
        assert "20000 bytes" in answer.json()["message"]
    assert engine.requests == []


async def test_a_body_of_the_limit_is_taken(client: httpx.AsyncClient, engine: Engine) -> None:
    body = b'{"workflowId": "w"}'

    answer = await client.post(EXECUTE, content=body + b" " * (20_000 - len(body)), headers=JSON)

    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
@pytest.mark.parametrize("call", ["/validate", "/execute", "", "/w/publish"])
async def test_another_content_type_is_a_415(
    client: httpx.AsyncClient, engine: Engine, call: str, content_type: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}

    answer = await client.post(f"/api/workflows{call}", content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert engine.requests == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
async def test_json_by_another_name_is_json(client: httpx.AsyncClient, engine: Engine, content_type: str) -> None:
    answer = await client.post(EXECUTE, content=b'{"workflowId": "w"}', headers={"content-type": content_type})

    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["", "k" * 257])
async def test_a_key_that_cannot_be_used_is_a_400(client: httpx.AsyncClient, engine: Engine, key: str) -> None:
    answer = await client.post(EXECUTE, json={"workflowId": "w"}, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["message"]
    assert engine.requests == []


async def test_a_version_to_publish_is_named_by_the_query_or_the_body(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    for query, body in (("", None), ("?version=2", None), ("", b'{"version": 2}'), ("?version=2", b'{"version": 2}')):
        answer = await client.post(f"/api/workflows/w/publish{query}", content=body, headers=JSON if body else None)
        assert answer.status_code == 200, answer.text

    assert [request.ref.version for request in engine.requests] == [0, 2, 2, 2]


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        ("?version=1", b'{"version": 2}', "the query says version 1, the body 2"),
        ("", b'{"versoin": 2}', "versoin"),
        ("", b'{"version": 1.5}', "whole number"),
        ("?version=0", b"", "version"),
        ("?versoin=1", b"", "versoin"),
    ],
)
async def test_a_version_that_cannot_be_used_publishes_nothing(
    client: httpx.AsyncClient, engine: Engine, query: str, body: bytes, words: str
) -> None:
    answer = await client.post(f"/api/workflows/w/publish{query}", content=body, headers=JSON)

    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert engine.requests == []


async def test_deleting_takes_no_version_since_it_removes_all(client: httpx.AsyncClient, engine: Engine) -> None:
    answer = await client.delete("/api/workflows/w?version=1")

    assert answer.status_code == 400
    assert "version" in answer.json()["message"]
    assert engine.requests == []


async def test_filters_reach_the_engine(client: httpx.AsyncClient, engine: Engine) -> None:
    answer = await client.get(
        "/api/workflows/executions?workflowId=w&status=failed&limit=7&cursor=abc"
        "&startDate=2026-01-31T10:00:00+02:00&endDate=2026-02-01"
    )

    assert answer.status_code == 200
    request = engine.requests[-1]
    assert (request.workflow_id, request.page_size, request.page_token) == ("w", 7, "abc")
    assert request.status == workflow_pb2.EXECUTION_STATUS_FAILED
    assert request.start_time.ToJsonString() == "2026-01-31T08:00:00Z"
    assert request.end_time.ToJsonString() == "2026-02-01T00:00:00Z"


async def test_without_filters_a_page_of_a_hundred_is_asked_for(client: httpx.AsyncClient, engine: Engine) -> None:
    await client.get("/api/workflows/executions")

    request = engine.requests[-1]
    assert (request.workflow_id, request.page_size, request.page_token, request.status) == ("", 100, "", 0)
    assert not request.HasField("start_time")


TIME = "must be a time in ISO 8601, such as 2026-01-31T08:00:00Z"
STATUSES = "must be completed, failed, running, timeout or cancelled, not"
TAKEN = "is not known here; this call takes limit, cursor, workflowId, status, startDate, endDate"


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("status=sleeping", "status", f'{STATUSES} "sleeping"'),
        ("status=", "status", f'{STATUSES} ""'),
        ("limit=0", "limit", 'must be at least 1, not "0"'),
        ("limit=1001", "limit", 'must be at most 1000, not "1001"'),
        ("limit=many", "limit", 'must be a whole number, not "many"'),
        ("limit=1.5", "limit", 'must be a whole number, not "1.5"'),
        ("limit=" + "9" * 5000, "limit", f'must be a whole number, not "{"9" * 40}…"'),
        ("startDate=yesterday", "startDate", TIME),
        ("startDate=1700000000", "startDate", TIME),
        ("endDate=0001-01-01T00:00:00%2B14:00", "endDate", TIME),
        ("startDate=", "startDate", TIME),
        ("colour=red", "colour", TAKEN),
        ("workflowID=w", "workflowID", f"{TAKEN}; did you mean workflowId?"),
    ],
)
async def test_a_filter_that_cannot_be_used_is_a_400_that_says_what_can(
    client: httpx.AsyncClient, engine: Engine, query: str, name: str, words: str
) -> None:
    answer = await client.get(f"/api/workflows/executions?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_FILTER")
    assert answer.json()["message"] == f"query parameter {name}: {words}"
    assert engine.requests == []


async def test_what_is_neither_true_nor_false_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/sessions?active=perhaps")
    assert answer.json()["message"] == 'query parameter active: must be true or false, not "perhaps"'


@pytest.mark.parametrize(
    ("key", "words"), [("", "must not be empty"), ("x" * 257, "must have at most 256 characters, not 257")]
)
async def test_a_key_that_cannot_be_used_is_told_what_can(client: httpx.AsyncClient, key: str, words: str) -> None:
    answer = await client.post("/api/workflows/execute", json={"workflowId": "w"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert answer.json()["message"] == f"header parameter Idempotency-Key: {words}"


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/workflows/", "/api/workflows/a/b/c", "/metrics/", "/docs/", "/docs/x.js", "/redoc"]
)
async def test_an_unknown_path_is_a_404_in_the_error_shape(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"] == "Not found"
    assert path in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/workflows/w", "DELETE, GET"),
        ("PUT", "/api/workflows", "GET, POST"),
        ("POST", "/api/workflows/executions", "DELETE, GET"),
        ("PATCH", "/api/sessions/s", "DELETE, GET"),
        ("DELETE", "/health", "GET"),
        ("TRACE", "/openapi.json", "GET"),
    ],
)
async def test_another_method_is_a_405_that_names_those_that_are_served(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["error"] == "Method not allowed"


async def test_a_caller_that_goes_away_within_its_body_harms_nothing_and_is_no_defect(
    client: httpx.AsyncClient, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = client.base_url.host, client.base_url.port
    _, writer = await asyncio.open_connection(host, port)
    head = f"POST {EXECUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"workflowId":')
    await writer.drain()
    await client.get("/livez")
    writer.close()
    await writer.wait_closed()

    for _ in range(3):
        assert (await client.get("/livez")).status_code == 200
    assert caplog.records == []
    assert engine.requests == []
