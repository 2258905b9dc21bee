"""The RPCs over a real server, with the generated client."""

import asyncio
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import NoOpTracerProvider

from njia.validator.v1 import validator_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.channels import open_channel
from rpc.config import ConfigError
from rpc.documents import from_document
from rpc.status import refusal_of
from services.validator import servicer
from services.validator.server import SERVICE_NAME, serve
from tests.validator.flow_texts import ask, bye, condition, flow, sms
from workflow import suggestions

if TYPE_CHECKING:
    from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceAsyncStub

CONFORMANCE = Path(__file__).parent.parent / "conformance"
SECONDS = 10.0


def json_source(document: dict[str, Any]) -> workflow_pb2.WorkflowSource:
    return workflow_pb2.WorkflowSource(workflow_json=json.dumps(document))


def typed_source(document: dict[str, Any]) -> workflow_pb2.WorkflowSource:
    return workflow_pb2.WorkflowSource(workflow=from_document(document, workflow_pb2.WorkflowSpec))


async def validated(
    validator: "ValidatorServiceAsyncStub", source: workflow_pb2.WorkflowSource
) -> pb.ValidateWorkflowResponse:
    return await validator.ValidateWorkflow(pb.ValidateWorkflowRequest(source=source), timeout=SECONDS)


async def compiled(
    validator: "ValidatorServiceAsyncStub", source: workflow_pb2.WorkflowSource
) -> pb.CompileWorkflowResponse:
    return await validator.CompileWorkflow(pb.CompileWorkflowRequest(source=source), timeout=SECONDS)


@pytest.mark.parametrize("name", ["sms-echo", "ussd-menu"])
async def test_flows_that_were_written_elsewhere_compile(validator: "ValidatorServiceAsyncStub", name: str) -> None:
    document = json.loads((CONFORMANCE / f"{name}.json").read_text())
    answer = await compiled(validator, json_source(document))
    assert answer.success
    assert not answer.errors
    assert answer.graph.workflow_id == document["metadata"]["workflowId"]
    assert answer.graph.trigger == "trigger-1"
    assert set(answer.graph.execution_order) == {node["id"] for node in document["nodes"]} == set(answer.graph.nodes)


async def test_a_flow_with_faults_is_an_answer(validator: "ValidatorServiceAsyncStub") -> None:
    source = json_source(flow({"a": sms("{{nme}}"), "end": bye()}, "start > a", "a > end"))
    answer = await validated(validator, source)
    assert not answer.valid
    (error,) = answer.errors
    assert (error.code, error.node_id, error.path) == ("UNKNOWN_VARIABLE", "a", "nodes[0].config.message")
    assert not error.HasField("edge_id")
    compilation = await compiled(validator, source)
    assert not compilation.success
    assert not compilation.HasField("graph")
    assert list(compilation.errors) == list(answer.errors)


async def test_both_forms_of_a_flow_get_the_same_graph(validator: "ValidatorServiceAsyncStub") -> None:
    document = flow(
        {
            "m": (
                *ask(),
                {"timeout": 7000, "retry": {"maxAttempts": 2, "initialDelayMs": 5, "retryableErrors": ["X"]}},
            ),
            "c": condition(),
            "end": bye(),
        },
        "start > m",
        "m > c",
        "c :true > m",
        "c ?false > end",
        settings={"timezone": "Africa/Nairobi", "ussd": {"apology": "Pole"}},
        errorHandling={"defaultRetry": {"maxAttempts": 4, "initialDelayMs": 100}, "continueOnError": True},
    )
    from_json = await compiled(validator, json_source(document))
    from_message = await compiled(validator, typed_source(document))
    assert from_json.success
    assert from_json == from_message


async def test_both_forms_of_a_faulty_flow_get_the_same_report(validator: "ValidatorServiceAsyncStub") -> None:
    document = flow({"a": sms(enqueue=5), "b": ("NOTHING", {})}, "start > a", "a :no > b", "b > x")
    assert await validated(validator, json_source(document)) == await validated(validator, typed_source(document))


async def test_a_config_that_is_no_json_is_reported_at_its_node(validator: "ValidatorServiceAsyncStub") -> None:
    source = typed_source(flow({"a": bye()}, "start > a"))
    source.workflow.nodes[0].config_json = '{"message": "x", "message": "y"}'
    source.workflow.trigger.config_json = "[1]"
    answer = await validated(validator, source)
    assert [(error.code, error.path) for error in answer.errors] == [
        ("SCHEMA_VALIDATION_ERROR", "trigger.config"),
        ("SCHEMA_VALIDATION_ERROR", "nodes[0].config"),
    ]


async def test_an_empty_message_gets_every_fault(validator: "ValidatorServiceAsyncStub") -> None:
    answer = await validated(validator, workflow_pb2.WorkflowSource(workflow=workflow_pb2.WorkflowSpec()))
    assert {"metadata", "trigger"} <= {error.path for error in answer.errors}


async def test_a_call_without_a_flow_is_refused(validator: "ValidatorServiceAsyncStub") -> None:
    for call in (validated, compiled):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(validator, workflow_pb2.WorkflowSource())
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert refusal_of(caught.value).reason == "MISSING_WORKFLOW"


async def test_the_longest_report_fits_into_a_message(validator: "ValidatorServiceAsyncStub") -> None:
    long = "x" * 900
    nodes: dict[str, Any] = {f"{long}{index}": ("NOTHING" * 50, {}) for index in range(500)}
    answer = await validated(validator, json_source(flow(nodes)))
    assert answer.errors[-1].code == "MORE_ISSUES"


async def test_a_large_flow_is_checked_without_stopping_the_others(
    validator: "ValidatorServiceAsyncStub", channel: grpc.aio.Channel
) -> None:
    """Health is answered while flows are checked that take a while."""
    nodes = {f"n{index}": sms() for index in range(900)}
    edges = [f"n{index} > n{after}" for index in range(899) for after in range(index + 1, min(900, index + 6))]
    large = asyncio.create_task(validated(validator, json_source(flow(nodes, "start > n0", *edges))))
    health: Any = health_pb2_grpc.HealthStub(channel)
    answered_meanwhile = 0
    while not large.done():
        await health.Check(health_pb2.HealthCheckRequest(service=SERVICE_NAME), timeout=SECONDS)
        answered_meanwhile += not large.done()
    # A check that held the loop would let one question through before it, and none until it is done.
    assert answered_meanwhile >= 2
    assert {error.code for error in (await large).errors} == {"USSD_MISSING_SESSION_END"}


async def test_the_catalogue_has_all_that_a_canvas_draws(validator: "ValidatorServiceAsyncStub") -> None:
    answer = await validator.ListNodeTypes(pb.ListNodeTypesRequest(), timeout=SECONDS)
    rows = {row.type: row for row in answer.node_types}
    assert list(rows) == [
        "SMS_RECEIVED",
        "USSD_SESSION_START",
        "INCOMING_CALL",
        "PAYMENT_CALLBACK",
        "SCHEDULED",
        "HTTP_WEBHOOK",
        "SEND_SMS",
        "WAIT_FOR_SMS",
        "SEND_USSD_RESPONSE",
        "INITIATE_CALL",
        "PLAY_IVR",
        "COLLECT_DTMF",
        "SEND_AIRTIME",
        "REQUEST_PAYMENT",
        "REFUND_PAYMENT",
        "HTTP_REQUEST",
        "CONDITION",
        "SWITCH",
        "DELAY",
        "RETRY",
        "RATE_LIMIT",
        "MERGE",
        "SESSION_READ",
        "SESSION_WRITE",
        "SESSION_END",
    ]
    send = rows["SEND_SMS"]
    assert (send.name, send.category, send.timeout) == ("Send SMS", "action", 30_000)
    assert list(send.input_handles) == ["default"]
    assert list(send.output_handles) == ["success", "error"]
    assert (send.retry.max_attempts, list(send.retry.retryable_errors)) == (
        3,
        ["RATE_LIMIT", "NETWORK_ERROR", "SERVER_ERROR"],
    )
    assert rows["MERGE"].input_handles == ["input*"]
    assert not rows["CONDITION"].HasField("retry")
    assert json.loads(send.defaults_json)["bulkSMSMode"] == 1
    assert "messageId" in json.loads(send.output_schema_json)["properties"]


async def test_the_service_serves_until_it_is_told_to_stop(unused_tcp_port: int) -> None:
    stop = asyncio.Event()
    listen = f"127.0.0.1:{unused_tcp_port}"
    serving = asyncio.create_task(serve({"NJIA_VALIDATOR_LISTEN": listen}, NoOpTracerProvider(), stop))
    channel = open_channel(listen, NoOpTracerProvider())
    health: Any = health_pb2_grpc.HealthStub(channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS, wait_for_ready=True)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    await channel.close()
    stop.set()
    await asyncio.wait_for(serving, SECONDS)


async def test_an_address_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="NJIA_VALIDATOR_LISTEN"):
        await serve({"NJIA_VALIDATOR_LISTEN": "nowhere"}, NoOpTracerProvider(), asyncio.Event())


async def test_a_flow_of_nothing_but_mistakes_is_not_compared_for_ever(
    validator: "ValidatorServiceAsyncStub", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "MOST", 7)
    mistaken = flow({"one": sms(), "two": sms(), "end": bye()}, "start > one", "one > two", "two > end")
    mistaken["edges"] += [{"source": "oen", "target": "tow"} for _ in range(10)]
    answer = await validated(validator, json_source(mistaken))

    told = [error for error in answer.errors if error.code in ("INVALID_EDGE_SOURCE", "INVALID_EDGE_TARGET")]
    assert len(told) == 20
    assert 1 <= sum("did you mean" in error.message for error in told) <= 2


async def test_large_flows_wait_in_a_short_line_and_keep_no_small_one_waiting(
    validator: "ValidatorServiceAsyncStub", monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, enough, validate = threading.Event(), threading.Event(), vars(servicer)["validate"]

    def slow(*parsed: Any) -> Any:
        if threading.current_thread().name.startswith(servicer.LARGE):
            entered.set()
            enough.wait(60)
        return validate(*parsed)

    monkeypatch.setattr(servicer, "validate", slow)
    monkeypatch.setattr(servicer, "MOST_LARGE", 1)
    small = flow({"a": sms(), "end": bye()}, "start > a", "a > end")
    large = json_source({**small, "nodes": [{**node, "label": "x" * 5000} for node in small["nodes"]]})
    request = pb.ValidateWorkflowRequest(source=large)

    async def asked() -> pb.ValidateWorkflowResponse:
        return await validator.ValidateWorkflow(request, timeout=60)

    first = asyncio.create_task(asked())
    await asyncio.to_thread(entered.wait, 30)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await asked()
    assert (await validated(validator, json_source(small))).valid
    enough.set()
    assert (await first).valid
    assert refusal_of(refused.value).reason == "SERVER_BUSY"
    assert (await asked()).valid
