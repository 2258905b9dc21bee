"""What each call may answer, as the OpenAPI document shows it. Every status that a call really gives stands here."""

from collections.abc import Mapping
from typing import Any

from gateway.documents.admin import AuditPage, ErasedSubject
from gateway.documents.executions import ExecutionLog, ExecutionPage, ExecutionResult, ReplayAnswer
from gateway.documents.faults import CompilationFailure, Error, ValidationReport
from gateway.documents.graphs import Compilation, NodeTypes
from gateway.documents.health import Alive, Degraded, Healthy
from gateway.documents.registry import SaveAnswer, SavedWorkflow, WorkflowPage
from gateway.documents.schemas import reference_to
from gateway.documents.sessions import Session, SessionPage
from gateway.documents.unclaimed import UnclaimedPage
from gateway.documents.webhooks import WebhookOutcome, WebhookTaken

Responses = dict[int | str, dict[str, Any]]

ANSWERS = (
    *(Alive, Healthy, Degraded, Error),
    *(ValidationReport, Compilation, CompilationFailure, NodeTypes),
    *(ExecutionResult, ExecutionLog, ExecutionPage, ReplayAnswer),
    *(SaveAnswer, SavedWorkflow, WorkflowPage, Session, SessionPage, UnclaimedPage),
    *(WebhookTaken, WebhookOutcome, AuditPage, ErasedSubject),
)
"""Every document that a call may answer with."""

_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait before a repeat.", "schema": {"type": "integer"}}}


def answered(document: Any, description: str, example: Any, headers: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Describes one answer; `document` is one of ANSWERS, or a union of some.

    It is told by reference. FastAPI would make a model of it for each answer of each call, with the first request that
    looks for its call: nobody else would be served for most of a second.
    """
    content = {"application/json": {"schema": reference_to(document), "example": example}}
    described: dict[str, Any] = {"description": description, "content": content}
    return described | ({"headers": dict(headers)} if headers else {})


def refusal(
    description: str, error: str, message: str, code: str | None, headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Describes one refusal by an example."""
    example = {"error": error, "message": message} | ({"code": code} if code else {})
    return answered(Error, description, example, headers)


def location(description: str) -> Mapping[str, Any]:
    """Describes the header that says where something is."""
    return {"Location": {"description": description, "schema": {"type": "string"}}}


SERVICE_REFUSALS: Responses = {
    429: refusal(
        "The platform is full (`ENGINE_BUSY`, `SERVER_BUSY`), or the flow has as many executions as its"
        " `maxConcurrentExecutions` allows (`WORKFLOW_BUSY`).",
        "Too many requests",
        "the engine runs 1000 executions at once; try again",
        "ENGINE_BUSY",
        _RETRY_AFTER,
    ),
    500: refusal(
        "A defect of the platform; its log has more.",
        "Internal server error",
        "the request met a defect of the platform; it was logged",
        "INTERNAL",
    ),
    503: refusal(
        "A service, or its Redis, does not answer; a repeat is safe where the call says so.",
        "Service unavailable",
        "Redis does not answer or takes no writes; nothing is lost, try again",
        "STORE_UNAVAILABLE",
        _RETRY_AFTER,
    ),
    504: refusal(
        "The services took too long.",
        "Gateway timeout",
        "the platform did not answer in time; an execution that was started goes on",
        "DEADLINE_EXCEEDED",
    ),
    "default": refusal(
        "Any other refusal, such as 408 for a request that does not come to its end in time, or 501 from a service that"
        " is older than the gateway.",
        "Not implemented",
        "the service does not know this call; it is older than the gateway",
        "UNIMPLEMENTED",
    ),
}
"""What every call that asks a service may be refused with."""

BODY_REFUSALS: Responses = {
    413: refusal("The body is too large.", "Body too large", "the body has more than 1048576 bytes", "BODY_TOO_LARGE"),
    415: refusal(
        "The body is not declared as JSON.",
        "Unsupported media type",
        "send application/json; the content type is text/plain",
        "UNSUPPORTED_MEDIA_TYPE",
    ),
}
"""What every call with a body may be refused with."""

BAD_QUERY: Responses = {
    400: refusal(
        "A parameter cannot be used.",
        "Bad request",
        "query parameter limit: Input should be less than or equal to 1000",
        "INVALID_FILTER",
    )
}

NO_EXECUTION: Responses = {
    404: refusal(
        "There is no such execution, or its retention is over.",
        "Execution not found",
        "no execution has the id ex-1",
        "EXECUTION_NOT_FOUND",
    )
}

NO_WORKFLOW: Responses = {
    404: refusal(
        "There is no such flow or version.",
        "Workflow not found",
        "no flow has the id greeting",
        "WORKFLOW_NOT_FOUND",
    )
}

NO_SESSION: Responses = {
    404: refusal(
        "There is no such session, or it expired.",
        "Session not found",
        "no session has the id ATUid_1",
        "SESSION_NOT_FOUND",
    )
}


def _described(description: str, example: dict[str, str]) -> dict[str, Any]:
    return answered(Error, description, example)


KEY_REFUSALS: dict[str, Any] = {
    "401": _described(
        "The platform asks for API keys, and this is none of them.",
        {
            "error": "Unauthorized",
            "message": "this needs a valid API key: Authorization: Bearer <key>",
            "code": "API_KEY_REQUIRED",
        },
    ),
    "403": _described(
        "The key lacks the scope that this call needs.",
        {"error": "Forbidden", "message": "the key billing lacks the scope publish", "code": "SCOPE_MISSING"},
    ),
}
"""What every call that needs a key may answer; written into the finished document."""
