"""Every error line of engine_service.proto, provoked over a real connection."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from njia.engine.v1 import engine_service_pb2 as pb, workflow_service_pb2 as registry_pb
from njia.engine.v1.money_pb2 import HandlePaymentRequest
from njia.sessions.v1 import sessions_service_pb2 as sessions_pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import Refusal, refusal_of
from tests.engine.service.platform import Flows, MakeFlow, Platform

Source = workflow_pb2.WorkflowSource
PAID: dict[str, Any] = {"transaction_id": "ATPid_1", "status": "Success", "currency": "KES"}
INVALID, MISSING, NOT_NOW = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
)


async def refused(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return refusal_of(caught.value)


def said(refusal: Refusal) -> tuple[grpc.StatusCode, str]:
    return refusal.code, refusal.reason


async def test_execute_without_a_flow_is_refused(platform: Platform) -> None:
    refusal = await refused(platform.engine.Execute(pb.ExecuteRequest()))

    assert said(refusal) == (INVALID, "INVALID_REQUEST")
    assert "workflow or ref" in refusal.message


async def test_what_is_no_time_no_amount_and_no_config_is_named(platform: Platform) -> None:
    """Whoever calls with stubs can write what REST and the adapter never do."""
    never, odd = Timestamp(seconds=2**63 - 1), Timestamp(nanos=-1)
    broken = workflow_pb2.WorkflowSpec(nodes=[workflow_pb2.Node(id="a", type="CONDITION", config_json="{")])
    calls: list[tuple[Any, Any, str]] = [
        (platform.engine.ListExecutions, pb.ListExecutionsRequest(start_time=never), "INVALID_FILTER"),
        (platform.engine.ListExecutions, pb.ListExecutionsRequest(end_time=odd), "INVALID_FILTER"),
        (
            platform.engine.HandleSms,
            pb.HandleSmsRequest(message_id="1", msisdn="+254711000001", sent_at=odd),
            "INVALID_REQUEST",
        ),
        (platform.engine.HandlePayment, HandlePaymentRequest(**PAID, paid_at=never), "INVALID_REQUEST"),
        (platform.engine.HandlePayment, HandlePaymentRequest(**PAID, amount="1E+99999999"), "INVALID_REQUEST"),
        (platform.engine.HandlePayment, HandlePaymentRequest(**PAID, amount="\u0661\u0660"), "INVALID_REQUEST"),
        (platform.engine.Execute, pb.ExecuteRequest(workflow=Source(workflow=broken)), "COMPILATION_FAILED"),
        (
            platform.workflows.SaveWorkflow,
            registry_pb.SaveWorkflowRequest(source=Source(workflow=broken)),
            "COMPILATION_FAILED",
        ),
    ]
    for call, request, reason in calls:
        assert said(await refused(call(request, timeout=20))) == (INVALID, reason), request


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (pb.ExecuteOptions(max_execution_time_ms=0), "options.max_execution_time_ms"),
        (pb.ExecuteOptions(max_execution_time_ms=86_400_001), "options.max_execution_time_ms"),
        (pb.ExecuteOptions(wait_ms=-1), "options.wait_ms"),
        (pb.ExecuteOptions(wait_ms=60_001), "options.wait_ms"),
    ],
)
async def test_an_option_out_of_range_is_named(
    platform: Platform, conformance: Flows, options: pb.ExecuteOptions, field: str
) -> None:
    refusal = await refused(
        platform.engine.Execute(pb.ExecuteRequest(workflow=conformance("sms-echo"), options=options))
    )

    assert said(refusal) == (INVALID, "INVALID_REQUEST")
    assert [field] == [violation.field for violation in refusal.violations]


@pytest.mark.parametrize(
    "payload", ["[]", "{", '{"a": 1, "a": 2}', '{"a": NaN}', '"text"', '{"a": 1e999}', '{"n": ' + "9" * 40 + "}"]
)
async def test_a_payload_that_is_no_usable_object_is_refused(
    platform: Platform, conformance: Flows, payload: str
) -> None:
    refusal = await refused(
        platform.engine.Execute(pb.ExecuteRequest(workflow=conformance("sms-echo"), trigger_payload_json=payload))
    )

    assert said(refusal) == (INVALID, "INVALID_PAYLOAD")


async def test_a_flow_that_does_not_compile_is_refused_with_every_fault(platform: Platform, flow: MakeFlow) -> None:
    broken = flow(
        "broken",
        {"type": "SMS_RECEIVED"},
        [{"id": "a", "type": "SEND_SMS", "config": {"to": "{{nme}}"}}, {"id": "b", "type": "SEND_PIGEON"}],
        ["start > a", "a > nowhere"],
    )
    refusal = await refused(platform.engine.Execute(pb.ExecuteRequest(workflow=broken)))

    assert said(refusal) == (INVALID, "COMPILATION_FAILED")
    found = {violation.reason for violation in refusal.violations}
    assert {"INVALID_NODE_TYPE", "INVALID_EDGE_TARGET", "UNKNOWN_VARIABLE", "MISSING_REQUIRED_FIELD"} <= found


async def test_an_idempotency_key_belongs_to_one_request(platform: Platform, conformance: Flows) -> None:
    first = pb.ExecuteRequest(
        workflow=conformance("sms-echo"),
        trigger_payload_json=json.dumps({"msisdn": "+254711000001", "message": "hi"}),
        idempotency_key="order-1",
    )
    again = pb.ExecuteRequest()
    again.CopyFrom(first)
    other = pb.ExecuteRequest()
    other.CopyFrom(first)
    other.trigger_payload_json = json.dumps({"msisdn": "+254711000002", "message": "hi"})

    answer = await platform.engine.Execute(first)
    repeated = await platform.engine.Execute(again)
    refusal = await refused(platform.engine.Execute(other))

    assert answer.result.execution_id == repeated.result.execution_id
    assert len(repeated.result.node_results) == 2
    assert said(refusal) == (INVALID, "IDEMPOTENCY_KEY_REUSED")


async def test_an_unknown_flow_is_not_found(platform: Platform) -> None:
    refusal = await refused(
        platform.engine.Execute(pb.ExecuteRequest(ref=workflow_pb2.WorkflowRef(workflow_id="nobody")))
    )

    assert said(refusal) == (MISSING, "WORKFLOW_NOT_FOUND")


async def test_an_unknown_session_is_not_found(platform: Platform, conformance: Flows) -> None:
    refusal = await refused(
        platform.engine.Execute(pb.ExecuteRequest(workflow=conformance("ussd-menu"), session_id="nobody"))
    )

    assert said(refusal) == (MISSING, "SESSION_NOT_FOUND")


async def test_an_ended_session_takes_no_input(platform: Platform, conformance: Flows) -> None:
    await platform.sessions.OpenSession(
        sessions_pb.OpenSessionRequest(session_id="s1", type=sessions_pb.SESSION_TYPE_USSD)
    )
    await platform.sessions.EndSession(sessions_pb.EndSessionRequest(session_id="s1"))

    refusal = await refused(
        platform.engine.Execute(pb.ExecuteRequest(workflow=conformance("ussd-menu"), session_id="s1"))
    )

    assert said(refusal) == (NOT_NOW, "SESSION_ENDED")


async def test_another_flow_cannot_take_a_session_that_waits(
    platform: Platform, conformance: Flows, flow: MakeFlow
) -> None:
    started = await platform.engine.Execute(pb.ExecuteRequest(workflow=conformance("ussd-menu")))
    other = flow(
        "other", {"type": "USSD_SESSION_START"}, [{"id": "bye", "type": "SESSION_END", "config": {}}], ["start > bye"]
    )
    refusal = await refused(
        platform.engine.Execute(pb.ExecuteRequest(workflow=other, session_id=started.result.session_id))
    )

    assert said(refusal) == (NOT_NOW, "SESSION_BUSY")
    assert started.result.execution_id == refusal.metadata["execution_id"]


async def test_an_unknown_flow_needs_the_validator_and_a_known_one_does_not(
    platform: Platform, conformance: Flows
) -> None:
    payload = json.dumps({"msisdn": "+254711000001", "message": "hi"})
    known = pb.ExecuteRequest(workflow=conformance("sms-echo"), trigger_payload_json=payload)
    await platform.engine.Execute(known)
    platform.stop_validator.set()

    async def validator_away() -> Refusal:
        return await refused(platform.engine.Execute(pb.ExecuteRequest(workflow=conformance("ussd-menu")), timeout=20))

    refusal = await validator_away()
    answer = await platform.engine.Execute(known)

    assert said(refusal) == (grpc.StatusCode.UNAVAILABLE, "VALIDATOR_UNAVAILABLE")
    assert refusal.retry_after_ms
    assert answer.result.status == workflow_pb2.EXECUTION_STATUS_COMPLETED


@pytest.mark.parametrize("name", ["exe_0000000000000000000000000", "nonsense", ""])
async def test_an_unknown_execution_is_not_found(platform: Platform, name: str) -> None:
    read = await refused(platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=name)))
    cancelled = await refused(platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=name)))

    assert said(read) == (MISSING, "EXECUTION_NOT_FOUND")
    assert said(cancelled) == (MISSING, "EXECUTION_NOT_FOUND")


async def test_an_ended_execution_cannot_be_cancelled(platform: Platform, conformance: Flows) -> None:
    payload = json.dumps({"msisdn": "+254711000001", "message": "hi"})
    ended = await platform.engine.Execute(
        pb.ExecuteRequest(workflow=conformance("sms-echo"), trigger_payload_json=payload)
    )
    refusal = await refused(
        platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=ended.result.execution_id))
    )

    assert said(refusal) == (NOT_NOW, "EXECUTION_ENDED")


@pytest.mark.parametrize(
    "request_", [pb.ListExecutionsRequest(page_size=1001), pb.ListExecutionsRequest(page_token="%%%")]
)
async def test_a_filter_that_cannot_be_used_is_refused(platform: Platform, request_: Any) -> None:
    refusal = await refused(platform.engine.ListExecutions(request_))

    assert said(refusal) == (INVALID, "INVALID_FILTER")


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("HandleUssd", pb.HandleUssdRequest(msisdn="+254711000001")),
        ("HandleUssd", pb.HandleUssdRequest(session_id="ATUid_1")),
        ("HandleSms", pb.HandleSmsRequest(msisdn="+254711000001")),
        ("HandleSms", pb.HandleSmsRequest(message_id="1")),
        ("HandleDeliveryReport", pb.HandleDeliveryReportRequest(status="Success")),
        ("HandleDeliveryReport", pb.HandleDeliveryReportRequest(message_id="1")),
    ],
)
async def test_a_callback_that_lacks_what_names_it_is_refused(platform: Platform, call: str, request_: Any) -> None:
    method: Callable[[Any], Awaitable[Any]] = getattr(platform.engine, call)
    refusal = await refused(method(request_))

    assert said(refusal) == (INVALID, "INVALID_REQUEST")
