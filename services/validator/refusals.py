"""How a domain error looks to the caller: the one table."""

import grpc

from rpc.status import ErrorTable, Refusal
from services.validator.errors import MissingWorkflow

REFUSALS: ErrorTable = {
    MissingWorkflow: lambda _error: Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "MISSING_WORKFLOW",
        "no flow was given: set source.workflow_json or source.workflow",
    ),
}
