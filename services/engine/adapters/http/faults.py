"""The failures of a request, as the log of an execution has them. Nothing of a URL but its host is quoted."""

from typing import Any

from workflow.errors import OUTCOME_UNKNOWN, ErrorType, NodeError, NodeFailure


def unreachable(host: str, why: str) -> NodeFailure:
    """Nothing was sent."""
    return _failure("NETWORK_ERROR", f"cannot reach {host}: {why}", ErrorType.TRANSIENT)


def answer_lost(method: str, host: str, why: str, *, is_repeatable: bool) -> NodeFailure:
    """The request went out and no answer came back."""
    message = f"{method} to {host} got no answer that can be read: {why}"
    if is_repeatable:
        return _failure("NETWORK_ERROR", message, ErrorType.TRANSIENT)
    return _failure(OUTCOME_UNKNOWN, f"{message}; it may have been carried out or not", ErrorType.PERMANENT)


def timed_out(method: str, host: str, timeout_ms: int) -> NodeFailure:
    """There was no whole answer in time."""
    message = f"{method} to {host} was not answered within {timeout_ms} ms; it may have been carried out or not"
    return _failure("TIMEOUT", message, ErrorType.TRANSIENT)


def not_allowed(host: str) -> NodeFailure:
    """The host has no address that flows may reach."""
    message = f"{host} is no public address, and flows may reach no other unless NJIA_HTTP_ALLOW of the engine names it"
    return _failure("ADDRESS_NOT_ALLOWED", message, ErrorType.VALIDATION)


def untrusted(host: str, why: str) -> NodeFailure:
    """The other side did not prove who it is."""
    message = f"the certificate of {host} proves nothing: {why}; a flow that must trust it sets validateSSL to false"
    return _failure("TLS_ERROR", message, ErrorType.PERMANENT)


def too_many_redirects(host: str, limit: int) -> NodeFailure:
    """The answer was one redirect too many."""
    return _failure("TOO_MANY_REDIRECTS", f"{host} redirects more than {limit} times", ErrorType.PERMANENT)


def invalid_redirect(host: str, why: str) -> NodeFailure:
    """The answer redirects to something that cannot be asked."""
    return _failure(
        "INVALID_REDIRECT", f"{host} redirects to an address that cannot be asked: {why}", ErrorType.PERMANENT
    )


def too_large(host: str, limit: int) -> NodeFailure:
    """The answer is larger than what is read."""
    message = f"the answer of {host} has more than {limit} bytes; ask for less of it"
    return _failure("RESPONSE_TOO_LARGE", message, ErrorType.PERMANENT, {"maxBytes": limit})


def not_authenticated(host: str, why: str, kind: ErrorType, retry_after_ms: int | None = None) -> NodeFailure:
    """There is no access token, so nothing was sent to the API itself."""
    message = f"no access token from {host}: {why}"
    return NodeFailure(NodeError("AUTHENTICATION_FAILED", message, kind), retry_after_ms)


def _failure(code: str, message: str, kind: ErrorType, details: dict[str, Any] | None = None) -> NodeFailure:
    return NodeFailure(NodeError(code, message, kind, details or {}))
