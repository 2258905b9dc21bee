"""What each refusal of the engine looks like on the wire: the one table."""

import orjson
from grpc import StatusCode

from rpc.status import ErrorTable, FieldViolation, Refusal
from services.engine import errors
from services.engine.core.ports import SessionsUnavailable, StoreUnavailable
from services.engine.servicers.convert import issue_to_document
from workflow.web import incoming

RETRY_MS = 1000

FLOW_RETRY_MS = 5000
"""Executions that wait for people end in seconds to minutes, so asking again sooner is rarely of use."""

MAX_ISSUES_BYTES = 2048
"""Issues travel whole in the status as far as they fit; whoever needs all of them asks the validator."""


def _compilation_failed(error: errors.CompilationFailed) -> Refusal:
    issues = orjson.dumps([issue_to_document(issue) for issue in error.issues]).decode()
    first = error.issues[0]
    return Refusal(
        StatusCode.INVALID_ARGUMENT,
        "COMPILATION_FAILED",
        f"{error}; the first: {first.path or 'the flow'}: {first.message}",
        metadata={"issues": issues} if len(issues.encode()) <= MAX_ISSUES_BYTES else {},
        violations=tuple(FieldViolation(issue.path or "", issue.message, issue.code) for issue in error.issues),
    )


REFUSALS: ErrorTable = {
    errors.InvalidRequest: lambda error: Refusal(
        StatusCode.INVALID_ARGUMENT, error.reason, str(error), violations=(FieldViolation(error.field, str(error)),)
    ),
    errors.CompilationFailed: _compilation_failed,
    errors.SecretsNeedKey: lambda error: Refusal(StatusCode.FAILED_PRECONDITION, "ENCRYPTION_KEY_MISSING", str(error)),
    errors.SecretsUnreadable: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION, "DECRYPTION_FAILED", str(error), {"workflow_id": error.workflow_id}
    ),
    errors.ValidatorUnavailable: lambda error: Refusal(
        StatusCode.UNAVAILABLE, "VALIDATOR_UNAVAILABLE", str(error), retry_after_ms=RETRY_MS
    ),
    errors.WorkflowNotFound: lambda error: Refusal(
        StatusCode.NOT_FOUND, "WORKFLOW_NOT_FOUND", str(error), {"workflow_id": error.workflow_id}
    ),
    errors.WorkflowPublished: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION, "WORKFLOW_PUBLISHED", str(error), {"workflow_id": error.workflow_id}
    ),
    errors.TriggerClaimed: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION,
        "TRIGGER_CLAIMED",
        str(error),
        {"workflow_id": error.workflow_id, "other_workflow_id": error.other_workflow_id},
    ),
    errors.CallbacksUnprotected: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION, "CALLBACKS_UNPROTECTED", str(error), {"workflow_id": error.workflow_id}
    ),
    errors.AdapterUnavailable: lambda error: Refusal(
        StatusCode.UNAVAILABLE, "AT_ADAPTER_UNAVAILABLE", str(error), retry_after_ms=RETRY_MS
    ),
    errors.ExecutionNotFound: lambda error: Refusal(
        StatusCode.NOT_FOUND, "EXECUTION_NOT_FOUND", str(error), {"execution_id": error.execution_id}
    ),
    errors.ExecutionEnded: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION,
        "EXECUTION_ENDED",
        str(error),
        {"execution_id": error.execution_id, "status": error.status},
    ),
    errors.ExecutionRunning: lambda error: Refusal(
        StatusCode.ABORTED,
        "EXECUTION_RUNNING",
        str(error),
        {"execution_id": error.execution_id},
        retry_after_ms=RETRY_MS,
    ),
    errors.TooManyWatchers: lambda error: Refusal(
        StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS", str(error), retry_after_ms=RETRY_MS
    ),
    errors.EngineStopping: lambda error: Refusal(
        StatusCode.UNAVAILABLE, "ENGINE_STOPPING", str(error), retry_after_ms=RETRY_MS
    ),
    errors.ReplayDisabled: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION, "REPLAY_DISABLED", str(error), {"execution_id": error.execution_id}
    ),
    errors.SessionNotFound: lambda error: Refusal(
        StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", str(error), {"session_id": error.session_id}
    ),
    errors.SessionEnded: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION, "SESSION_ENDED", str(error), {"session_id": error.session_id}
    ),
    errors.SessionBusy: lambda error: Refusal(
        StatusCode.FAILED_PRECONDITION,
        "SESSION_BUSY",
        str(error),
        {"session_id": error.session_id, "execution_id": error.execution_id},
    ),
    errors.IdempotencyKeyReused: lambda error: Refusal(
        StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED", str(error)
    ),
    errors.EngineBusy: lambda error: Refusal(
        StatusCode.RESOURCE_EXHAUSTED, "ENGINE_BUSY", str(error), retry_after_ms=RETRY_MS
    ),
    errors.FlowBusy: lambda error: Refusal(
        StatusCode.RESOURCE_EXHAUSTED,
        "WORKFLOW_BUSY",
        str(error),
        {"workflow_id": error.workflow_id, "limit": str(error.limit)},
        retry_after_ms=FLOW_RETRY_MS,
    ),
    errors.FlowStartsTooOften: lambda error: Refusal(
        StatusCode.RESOURCE_EXHAUSTED,
        "WORKFLOW_RATE_LIMITED",
        str(error),
        {"workflow_id": error.workflow_id, "limit": str(error.limit)},
        retry_after_ms=error.retry_after_ms,
    ),
    incoming.NobodyListens: lambda error: Refusal(StatusCode.NOT_FOUND, "WEBHOOK_NOT_FOUND", str(error)),
    incoming.MethodNotAllowed: lambda error: Refusal(
        StatusCode.UNIMPLEMENTED, "METHOD_NOT_ALLOWED", str(error), {"allow": error.method}
    ),
    incoming.NotAuthentic: lambda error: Refusal(StatusCode.UNAUTHENTICATED, "WEBHOOK_UNAUTHENTICATED", str(error)),
    incoming.MissingHeader: lambda error: Refusal(StatusCode.INVALID_ARGUMENT, "MISSING_HEADER", str(error)),
    incoming.TooLarge: lambda error: Refusal(StatusCode.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE", str(error)),
    incoming.UnusableBody: lambda error: Refusal(StatusCode.INVALID_ARGUMENT, "INVALID_BODY", str(error)),
    incoming.UnsupportedBody: lambda error: Refusal(StatusCode.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA_TYPE", str(error)),
    StoreUnavailable: lambda _: Refusal(
        StatusCode.UNAVAILABLE,
        "STORE_UNAVAILABLE",
        "Redis does not answer or takes no writes; nothing is lost, try again",
        retry_after_ms=RETRY_MS,
    ),
    SessionsUnavailable: lambda _: Refusal(
        StatusCode.UNAVAILABLE,
        "SESSIONS_UNAVAILABLE",
        "the sessions service does not answer; try again",
        retry_after_ms=RETRY_MS,
    ),
}
