"""Has flows compiled by the validator."""

from typing import TYPE_CHECKING, cast

import grpc

from njia.validator.v1 import validator_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.deadlines import call_timeout
from rpc.status import CallRefused, refusal_of
from services.engine.errors import CompilationFailed, ValidatorUnavailable
from workflow.issue_codes import IssueCode
from workflow.issues import Issue

if TYPE_CHECKING:
    from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceAsyncStub

CALL_SECONDS = 10.0

_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class ValidatorClient:
    """Asks for graphs."""

    def __init__(self, stub: "ValidatorServiceAsyncStub") -> None:
        self._stub = stub

    async def compile(
        self, source: workflow_pb2.WorkflowSource
    ) -> tuple[workflow_pb2.ExecutionGraph, list[workflow_pb2.Issue]]:
        """Returns the graph and the warnings. Raises CompilationFailed, ValidatorUnavailable, CallRefused."""
        request = pb.CompileWorkflowRequest(source=source, with_secrets=True)
        try:
            response = await self._stub.CompileWorkflow(request, timeout=call_timeout(CALL_SECONDS))
        except grpc.aio.AioRpcError as error:
            if error.code() in _AWAY:
                raise ValidatorUnavailable("the validator does not answer, and this flow is not known yet") from None
            raise CallRefused(refusal_of(error)) from None
        if not response.success:
            raise CompilationFailed([_issue(issue) for issue in response.errors])
        return response.graph, list(response.warnings)


def _issue(message: workflow_pb2.Issue) -> Issue:
    return Issue(
        # A newer validator may know more of them; here they are only passed on.
        code=cast(IssueCode, message.code),
        message=message.message,
        node_id=message.node_id if message.HasField("node_id") else None,
        edge_id=message.edge_id if message.HasField("edge_id") else None,
        path=message.path if message.HasField("path") else None,
    )
