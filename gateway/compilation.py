"""A flow that does not compile: its status holds only some of its faults, the validator knows all of them."""

from dataclasses import replace

from gateway.calls import CALL_SECONDS, answer_of
from gateway.clients import Clients
from gateway.errors import HttpError
from njia.validator.v1 import validator_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document


async def all_faults(clients: Clients, source: workflow_pb2.WorkflowSource, error: HttpError) -> HttpError:
    """Returns the error with every fault of the flow; errors that are about something else come back as they are."""
    if error.code != "COMPILATION_FAILED":
        return error
    request = pb.ValidateWorkflowRequest(source=source)
    answer = await answer_of(clients.validator.ValidateWorkflow(request, timeout=CALL_SECONDS))
    return replace(error, errors=[to_document(issue) for issue in answer.errors])
