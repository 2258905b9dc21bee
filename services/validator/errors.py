"""What the validator refuses as a call. A flow with faults is an answer and no error."""

import grpc

from rpc.status import ErrorTable, Refusal


class ValidatorError(Exception):
    """Any refusal of the validator."""


class MissingWorkflow(ValidatorError):
    """The request names no flow."""


ERRORS: ErrorTable = {
    MissingWorkflow: lambda _error: Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "MISSING_WORKFLOW",
        "no flow was given: set source.workflow_json or source.workflow",
    ),
}
