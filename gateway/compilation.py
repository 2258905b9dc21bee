"""A flow that does not compile: a status of gRPC may lack room for its faults, the validator knows all of them."""

from dataclasses import replace

from gateway.calls import answer_of
from gateway.clients import Clients
from gateway.errors import COMPILATION_FAILED, HttpError
from njia.validator.v1 import validator_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document


async def with_all_faults(clients: Clients, source: workflow_pb2.WorkflowSource, error: HttpError) -> HttpError:
    """Returns the error with every fault of the flow; an error that lacks none comes back as it is."""
    if error.code != COMPILATION_FAILED or error.errors_are_whole or source.WhichOneof("source") is None:
        return error
    try:
        report = await answer_of(clients.validator.ValidateWorkflow, pb.ValidateWorkflowRequest(source=source))
    except HttpError:
        # The validator went away meanwhile; some of the faults are better than none.
        return error
    return replace(error, errors=[to_document(issue) for issue in report.errors] or error.errors)
