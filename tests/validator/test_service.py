"""The RPCs over a real server."""

from pathlib import Path

import grpc
import pytest

from njia.validator.v1 import validator_service_pb2 as pb
from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceStub
from njia.workflow.v1 import workflow_pb2

CONFORMANCE = Path(__file__).parent.parent / "conformance"
SECONDS = 5.0


def json_source(text: str) -> workflow_pb2.WorkflowSource:
    return workflow_pb2.WorkflowSource(workflow_json=text)


@pytest.mark.parametrize("name", ["sms-echo", "ussd-menu"])
async def test_flows_that_were_written_elsewhere_compile(validator: ValidatorServiceStub, name: str) -> None:
    source = json_source((CONFORMANCE / f"{name}.json").read_text())
    answer = await validator.CompileWorkflow(pb.CompileWorkflowRequest(source=source), timeout=SECONDS)
    assert answer.success
    assert not answer.errors
    assert list(answer.graph.execution_order) == [*answer.graph.execution_order]
    assert set(answer.graph.nodes) == set(answer.graph.execution_order)


async def test_a_call_without_a_flow_is_refused(validator: ValidatorServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await validator.ValidateWorkflow(pb.ValidateWorkflowRequest(), timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_catalogue_is_listed(validator: ValidatorServiceStub) -> None:
    answer = await validator.ListNodeTypes(pb.ListNodeTypesRequest(), timeout=SECONDS)
    assert len(answer.node_types) == 10
