"""Flows that trust what starts them: published only where nobody but the provider can post it."""

import asyncio
from typing import Any

import grpc
import pytest

from launcher.valkey import free_port
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import (
    AtAdapterServiceServicer,
    add_AtAdapterServiceServicer_to_server,
)
from njia.at_adapter.v1.money_pb2 import GetCallbackAccessRequest, GetCallbackAccessResponse
from njia.engine.v1 import engine_service_pb2 as engine_pb, workflow_service_pb2 as pb
from njia.engine.v1.money_pb2 import HandleAirtimeStatusRequest, HandlePaymentRequest
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused


class OpenToAll(AtAdapterServiceServicer):
    """An adapter whose callback addresses hold no secret."""

    async def GetCallbackAccess(self, request: GetCallbackAccessRequest, _: Any) -> GetCallbackAccessResponse:
        return GetCallbackAccessResponse(protected=False)


def listener(flow: MakeFlow, workflow_id: str, **config: Any) -> workflow_pb2.WorkflowSource:
    read = {"id": "read", "type": "CONDITION", "config": {"expression": "{{status}} == 'Success'"}}
    return flow(workflow_id, {"type": "PAYMENT_CALLBACK", "config": config}, [read], ["start > read"])


def notification(**fields: Any) -> HandlePaymentRequest:
    return HandlePaymentRequest(
        **{
            "transaction_id": "ATPid_1",
            "status": "Success",
            "transaction_type": "checkout",
            "currency": "KES",
            "amount": "50",
            "trusted": True,
            **fields,
        }
    )


async def test_a_flow_that_trusts_its_trigger_is_not_published_where_anybody_can_post(
    start_platform: StartPlatform, flow: MakeFlow
) -> None:
    server, port = grpc.aio.server(), free_port()
    add_AtAdapterServiceServicer_to_server(OpenToAll(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    platform = await start_platform(NJIA_AT_ADAPTER_TARGET=f"127.0.0.1:{port}")

    trusting = await refused(publish(platform, listener(flow, "trusting")))
    await publish(platform, listener(flow, "careless", validateSignature=False))
    await server.stop(0)
    nobody_there = await refused(publish(platform, listener(flow, "trusting")))

    assert (trusting.code, trusting.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CALLBACKS_UNPROTECTED")
    assert "NJIA_AT_CALLBACK_TOKEN" in trusting.message
    assert (nobody_there.code, nobody_there.reason) == (grpc.StatusCode.UNAVAILABLE, "AT_ADAPTER_UNAVAILABLE")


async def test_a_notification_that_anybody_can_have_posted_starts_no_flow_that_trusts(
    platform: Platform, flow: MakeFlow
) -> None:
    await publish(platform, listener(flow, "trusting"))

    assert not (await platform.engine.HandlePayment(notification(trusted=False))).execution_id
    both = (platform.engine, platform.other_engine)
    at_once = await asyncio.gather(*(engine.HandlePayment(notification()) for engine in both * 5))
    [started] = {answer.execution_id for answer in at_once}
    assert started
    log = (await platform.engine.GetExecution(engine_pb.GetExecutionRequest(execution_id=started))).execution
    assert [result.node_id for result in log.node_results].count("start") == 1
    assert (await platform.engine.HandlePayment(notification(status="Odd"))).execution_id not in ("", started)


@pytest.mark.parametrize(
    ("filters", "fits", "does_not"),
    [
        ({"transactionType": "checkout"}, {}, {"transaction_type": "b2c"}),
        ({"status": "Success"}, {}, {"status": "Failed"}),
        ({"status": "Pending"}, {"status": "PendingConfirmation"}, {}),
        ({"currency": "KES"}, {}, {"currency": "UGX"}),
        ({"currency": "KES", "minAmount": 50}, {}, {"amount": "49.99"}),
        ({"currency": "KES", "maxAmount": 0.3}, {"amount": "0.3"}, {"amount": "0.31"}),
        ({"currency": "KES", "minAmount": 1}, {}, {"amount": ""}),
    ],
)
async def test_filters_let_through_what_they_say(
    platform: Platform, flow: MakeFlow, filters: dict[str, Any], fits: dict[str, Any], does_not: dict[str, Any]
) -> None:
    await publish(platform, listener(flow, "listens", **filters))

    assert not (await platform.engine.HandlePayment(notification(transaction_id="a", **does_not))).execution_id
    assert (await platform.engine.HandlePayment(notification(transaction_id="b", **fits))).execution_id


async def test_reports_without_what_names_them_are_refused(platform: Platform) -> None:
    calls: tuple[tuple[Any, Any], ...] = (
        (platform.engine.HandlePayment, notification(transaction_id="")),
        (platform.engine.HandlePayment, notification(status="")),
        (platform.engine.HandlePayment, notification(amount="nan")),
        (platform.engine.HandleAirtimeStatus, HandleAirtimeStatusRequest(status="Success")),
        (platform.engine.HandleAirtimeStatus, HandleAirtimeStatusRequest(request_id="ATQid_1")),
        (platform.engine.HandleAirtimeStatus, HandleAirtimeStatusRequest(request_id="a", status="b", amount="x")),
    )
    for call, request in calls:
        refusal = await refused(call(request))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


async def test_two_flows_cannot_claim_the_same_notifications(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, listener(flow, "one", currency="KES", minAmount=10))
    saved = await platform.workflows.SaveWorkflow(
        pb.SaveWorkflowRequest(source=listener(flow, "two", currency="KES", minAmount=10.0))
    )
    ref = workflow_pb2.WorkflowRef(workflow_id=saved.workflow.workflow_id)

    assert (
        await refused(platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref)))
    ).reason == "TRIGGER_CLAIMED"
