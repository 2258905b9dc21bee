"""What a failed call of a service is over HTTP."""

import asyncio
import json
from typing import Any

import grpc
import httpx
import pytest

from gateway.errors import HTTP_STATUS, ISSUES
from njia.engine.v1 import engine_service_pb2 as pb
from rpc.limits import MAX_MESSAGE_BYTES
from rpc.status import FieldViolation, Refusal
from tests.gateway.contract import Contract
from tests.gateway.serving import Context, Engine, served_gateway

EXECUTION = "/api/workflows/executions/ex-1"

STATUSES = {
    "INVALID_ARGUMENT": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "FAILED_PRECONDITION": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
}
"""Every status of gRPC but OK, by the table of the REST API."""


def test_the_table_lists_every_status_of_grpc() -> None:
    assert {code.name for code in grpc.StatusCode} == {*STATUSES, "OK"}
    assert all(STATUSES[code.name] == status for code, status in HTTP_STATUS.items())


@pytest.mark.parametrize("name", STATUSES)
async def test_a_refusal_has_the_status_of_the_table_and_the_words_of_the_service(
    client: httpx.AsyncClient, engine: Engine, name: str
) -> None:
    engine.refusal = Refusal(grpc.StatusCode[name], "SOME_REASON", "what is wrong and what to do")

    answer = await client.get(EXECUTION)

    assert answer.status_code == STATUSES[name]
    document = answer.json()
    assert document["error"]
    if STATUSES[name] == 500:
        assert document["code"] == "INTERNAL"
        assert "what is wrong" not in answer.text
    else:
        assert (document["code"], document["message"]) == ("SOME_REASON", "what is wrong and what to do")
    assert ("retry-after" in answer.headers) == (STATUSES[name] in (429, 503))


@pytest.mark.parametrize(("milliseconds", "seconds"), [(None, "1"), (1, "1"), (1000, "1"), (2100, "3")])
async def test_retry_after_is_what_the_service_asks_for_in_whole_seconds(
    client: httpx.AsyncClient, engine: Engine, milliseconds: int | None, seconds: str
) -> None:
    engine.refusal = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ENGINE_BUSY", "full", retry_after_ms=milliseconds)

    answer = await client.get(EXECUTION)

    assert answer.headers["retry-after"] == seconds


@pytest.mark.parametrize(
    ("reason", "code", "error"),
    [
        ("EXECUTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND, "Execution not found"),
        ("SESSION_NOT_FOUND", grpc.StatusCode.NOT_FOUND, "Session not found"),
        ("SESSION_ENDED", grpc.StatusCode.FAILED_PRECONDITION, "Session has ended"),
        ("SOMETHING_ELSE", grpc.StatusCode.FAILED_PRECONDITION, "Conflict"),
    ],
)
async def test_the_short_text_says_what_is_missing_or_in_the_way(
    client: httpx.AsyncClient, engine: Engine, reason: str, code: grpc.StatusCode, error: str
) -> None:
    engine.refusal = Refusal(code, reason, "words")

    assert (await client.get(EXECUTION)).json()["error"] == error


async def test_faults_of_single_fields_are_listed(client: httpx.AsyncClient, engine: Engine) -> None:
    engine.refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
        "two faults",
        violations=(FieldViolation("options.wait_ms", "too long", "TOO_LONG"), FieldViolation("", "no flow")),
    )

    answer = await client.get(EXECUTION)

    assert answer.json()["errors"] == [
        {"code": "TOO_LONG", "message": "too long", "path": "options.waitMs"},
        {"code": "INVALID_REQUEST", "message": "no flow"},
    ]


@pytest.mark.parametrize(
    ("field", "member"),
    [("page_token", "cursor"), ("page_size", "limit"), ("trigger_payload_json", "triggerPayload"), ("type", "type")],
)
async def test_a_field_has_the_name_that_it_has_over_rest(
    client: httpx.AsyncClient, engine: Engine, field: str, member: str
) -> None:
    fault = FieldViolation(field, "cannot be used")
    engine.refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "SOME_REASON", f"{field} is bad", violations=(fault,))

    answer = await client.get(EXECUTION)

    assert answer.json()["message"] == f"{member}: cannot be used"
    assert answer.json()["errors"] == [{"code": "SOME_REASON", "message": "cannot be used", "path": member}]


async def test_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    async def fail(_: Context) -> pb.GetExecutionResponse:
        raise RuntimeError("the password is sesame")

    engine.behaviour = fail

    answer = await client.get(EXECUTION)

    assert answer.status_code == 500
    assert answer.json()["error"] == "Internal server error"
    assert "sesame" not in answer.text
    assert "Traceback" not in answer.text


async def test_an_answer_that_cannot_be_read_is_a_500_and_is_logged_once(
    client: httpx.AsyncClient, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Context) -> pb.GetExecutionResponse:
        return pb.GetExecutionResponse(execution=pb.ExecutionLog(output_json="{no json"))

    engine.behaviour = broken

    answer = await client.get(EXECUTION)

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "no json" not in answer.text
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert (await client.get("/livez")).status_code == 200


async def test_an_answer_over_the_limit_of_a_message_is_no_reason_to_retry(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    async def huge(_: Context) -> pb.GetExecutionResponse:
        return pb.GetExecutionResponse(execution=pb.ExecutionLog(execution_id="x" * (MAX_MESSAGE_BYTES + 1)))

    engine.behaviour = huge

    answer = await client.get(EXECUTION)

    assert (answer.status_code, answer.json()["code"]) == (500, "ANSWER_TOO_LARGE")
    assert "retry-after" not in answer.headers


async def test_a_full_server_is_a_429(client: httpx.AsyncClient, engine: Engine) -> None:
    async def full(context: Context) -> pb.GetExecutionResponse:
        # What grpc.aio says by itself when too many calls run.
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")

    engine.behaviour = full

    answer = await client.get(EXECUTION)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_service_that_is_not_there_is_a_503_without_its_address(contract: Contract) -> None:
    async with served_gateway(contract, {}) as client:
        # Each of them waits for its service for a while.
        answers = await asyncio.gather(
            *(client.get(path) for path in ("/api/node-types", EXECUTION, "/api/workflows", "/api/sessions/s1"))
        )

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "127.0.0.1" not in answer.text


def a_flow_with_faults(count: int) -> dict[str, Any]:
    names = [f"unbound{number}" for number in range(count)]
    return {
        "metadata": {
            "workflowId": "faulty",
            "version": 1,
            "name": "Faulty",
            "description": "Every node of it is wrong.",
            "createdBy": "tests",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        "trigger": {"id": "start", "type": "SMS_RECEIVED", "config": {}},
        "nodes": [
            {"id": name, "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": f"{{{{{name}}}}}"}}
            for name in names
        ],
        "edges": [{"source": "start", "target": name} for name in names],
    }


def does_not_compile(**metadata: str) -> Refusal:
    return Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "COMPILATION_FAILED",
        "the flow has 30 errors",
        metadata=metadata,
        violations=(FieldViolation("nodes[0].config.message", "the first of many", "UNKNOWN_VARIABLE"),),
    )


async def test_faults_that_the_status_had_no_room_for_come_from_the_validator(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    flow = a_flow_with_faults(30)
    engine.refusal = does_not_compile()

    executed = await client.post("/api/workflows/execute", json={"workflow": flow})
    saved = await client.post("/api/workflows", json=flow)

    for answer in (executed, saved):
        assert (answer.status_code, answer.json()["error"]) == (400, "Compilation failed")
        assert [fault["nodeId"] for fault in answer.json()["errors"]] == [node["id"] for node in flow["nodes"]]


async def test_faults_that_the_status_holds_whole_are_not_asked_for_again(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    whole = {"code": "UNKNOWN_VARIABLE", "message": "only here", "nodeId": "n", "path": "nodes[0]"}
    engine.refusal = does_not_compile(**{ISSUES: json.dumps([whole])})

    answer = await client.post("/api/workflows/execute", json={"workflow": a_flow_with_faults(2)})

    assert answer.json()["errors"] == [whole]


async def test_without_a_validator_the_faults_of_the_status_are_shown(
    contract: Contract, engine: Engine, engine_target: str
) -> None:
    engine.refusal = does_not_compile()

    async with served_gateway(contract, {"ENGINE": engine_target}) as client:
        answer = await client.post("/api/workflows/execute", json={"workflow": a_flow_with_faults(2)})

    assert answer.status_code == 400
    assert [fault["message"] for fault in answer.json()["errors"]] == ["the first of many"]


async def test_a_saved_flow_that_no_longer_compiles_keeps_the_words_of_the_engine(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    engine.refusal = does_not_compile()

    answer = await client.post("/api/workflows/execute", json={"workflowId": "old"})

    assert (answer.status_code, answer.json()["code"]) == (400, "COMPILATION_FAILED")
    assert [fault["message"] for fault in answer.json()["errors"]] == ["the first of many"]
