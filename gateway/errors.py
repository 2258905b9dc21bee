"""What a request is refused with: the one table from gRPC status to HTTP, and the gateway's own refusals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from grpc import StatusCode
from pydantic.alias_generators import to_camel

from rpc.status import Refusal

HTTP_STATUS: Mapping[StatusCode, int] = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.CANCELLED: 499,
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}
"""Every status that is not listed is a 500."""

STATUS_OF_REASON: Mapping[str, int] = {
    "METHOD_NOT_ALLOWED": 405,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
}
"""Reasons for which HTTP has a status and gRPC has none."""

TOO_LARGE = "message larger than max"
"""How gRPC itself words a message over the limit of a connection; other refusals of its own say something else."""

COMPILATION_FAILED = "COMPILATION_FAILED"
"""Reason of a flow that is not valid."""

TITLES: Mapping[str, str] = {
    COMPILATION_FAILED: "Compilation failed",
    "EXECUTION_NOT_FOUND": "Execution not found",
    "WORKFLOW_NOT_FOUND": "Workflow not found",
    "SESSION_NOT_FOUND": "Session not found",
    "SESSION_ENDED": "Session has ended",
    "SESSION_BUSY": "Session is busy",
    "EXECUTION_ENDED": "Execution has ended",
    "REPLAY_DISABLED": "Replay is disabled",
    "WORKFLOW_PUBLISHED": "Workflow is published",
    "TRIGGER_CLAIMED": "Trigger is claimed",
    "CALLBACKS_UNPROTECTED": "Callbacks are not protected",
    "AT_ADAPTER_UNAVAILABLE": "AT adapter is not available",
}
"""Short text of the reasons that clients show as they are."""

MESSAGES: Mapping[StatusCode, str] = {
    StatusCode.UNAVAILABLE: "a service of the platform does not answer; GET /health says which; try again",
    StatusCode.DEADLINE_EXCEEDED: "the platform did not answer in time; an execution that was started goes on",
    StatusCode.UNIMPLEMENTED: "the service does not know this call; it is older than the gateway",
    StatusCode.RESOURCE_EXHAUSTED: "the platform serves too many calls at once; try again",
    StatusCode.CANCELLED: "the call was cancelled",
}
"""What is said where no service did: the texts of gRPC itself hold addresses of machines."""

UNEXPLAINED = "the call was refused on its way to the service, which gave no reason"
"""The same for every other status: only what a service says as a refusal is meant for callers."""

ISSUES = "issues"
"""ErrorInfo.metadata key: the issues of a flow as JSON, where the status has room for them."""

ALLOW = "allow"
"""ErrorInfo.metadata key: the method that an address takes."""

CHALLENGES: Mapping[str, str] = {"WEBHOOK_UNAUTHENTICATED": "Webhook"}
"""
What WWW-Authenticate says by the reason of a 401 (RFC 9110, 11.6.1), where it is not Bearer. How a webhook wants its
callers to prove themselves is its owner's to tell, so its word is one of ours.
"""

RENAMED: Mapping[str, str] = {"page_size": "limit", "page_token": "cursor"}
"""Fields of messages that have another name over REST than their own in camelCase."""

RETRY_STATUSES = (429, 503)
DEFAULT_RETRY_SECONDS = 1


@dataclass(eq=False)
class HttpError(Exception):
    """
    A request that is refused.

    Attributes:
        error: Short text.
        message: What is wrong, where, and what to do.
        code: Machine-readable; None where the status says all.
        errors: Single faults, as REST shows issues.
        errors_are_whole: False where a status of gRPC had no room for all that is known of them.
    """

    status: int
    error: str
    message: str
    code: str | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    errors_are_whole: bool = True

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        document: dict[str, Any] = {"error": self.error, "message": self.message}
        if self.code is not None:
            document["code"] = self.code
        if self.errors:
            document["errors"] = list(self.errors)
        return document


def defect() -> HttpError:
    """All that a caller learns of a failure that nobody foresaw."""
    message = "the request met a defect of the platform; it was logged"
    return HttpError(500, "Internal server error", message, "INTERNAL")


def bad_request(message: str, path: str = "", code: str = "INVALID_REQUEST") -> HttpError:
    """A request that cannot be used as it is; `path` is the member or parameter that is wrong."""
    errors = [{"code": code, "message": message, "path": path}] if path else ()
    return HttpError(400, "Bad request", message, code, errors)


def refused(refusal: Refusal) -> HttpError:
    """Returns what a refusal of a service is over HTTP."""
    status = STATUS_OF_REASON.get(refusal.reason) or HTTP_STATUS.get(refusal.code, 500)
    said_by_service = refusal.reason != refusal.code.name
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return defect()
    if not said_by_service and TOO_LARGE in refusal.message:
        return HttpError(500, "Internal server error", "the answer is too large; ask for less", "ANSWER_TOO_LARGE")
    headers = {}
    if status in RETRY_STATUSES:
        seconds = DEFAULT_RETRY_SECONDS if refusal.retry_after_ms is None else refusal.retry_after_ms / 1000
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGES.get(refusal.reason, "Bearer")
    if ALLOW in refusal.metadata:
        headers["Allow"] = refusal.metadata[ALLOW]
    faults = _faults(refusal)
    return HttpError(
        status,
        TITLES.get(refusal.reason) or _title(status),
        _message(refusal, faults) if said_by_service else MESSAGES.get(refusal.code, UNEXPLAINED),
        refusal.reason,
        faults,
        headers,
        errors_are_whole=ISSUES in refusal.metadata or not refusal.violations,
    )


def _faults(refusal: Refusal) -> list[Mapping[str, Any]]:
    whole = refusal.metadata.get(ISSUES)
    if whole is not None:
        found: list[Mapping[str, Any]] = orjson.loads(whole)
        return found
    # The paths of issues are those of the flow as it was sent; others name fields of the message.
    named = _member if refusal.reason != COMPILATION_FAILED else str
    return [
        {
            "code": violation.reason or refusal.reason,
            "message": violation.description,
            **({"path": named(violation.field)} if violation.field else {}),
        }
        for violation in refusal.violations
    ]


def _message(refusal: Refusal, faults: Sequence[Mapping[str, Any]]) -> str:
    """One fault of one field is told with the name that the field has here."""
    if refusal.reason == COMPILATION_FAILED or len(faults) != 1 or "path" not in faults[0]:
        return refusal.message
    return f"{faults[0]['path']}: {faults[0]['message']}"


def _member(field: str) -> str:
    """The name over REST of a field of a message, such as options.waitMs of options.wait_ms."""
    return RENAMED.get(field) or ".".join(to_camel(part.removesuffix("_json")) for part in field.split("."))


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.capitalize()
    except ValueError:
        return "Client closed request"
