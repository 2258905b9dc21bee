"""Reads what a server answered: its body as a value, or what it means that it refused."""

from collections.abc import Collection
from typing import Any

import orjson

from workflow.documents import DocumentError, parse_value
from workflow.errors import ErrorType, NodeError, NodeFailure, permanent
from workflow.ports import HttpAnswer

TOO_MANY_REQUESTS = 429

LONGEST_QUOTE = 8192
"""Characters of the body of a refusal that the log keeps."""

_BYTE_ORDER_MARK = "\ufeff"


def read_body(answer: HttpAnswer, *, parses_json: bool) -> Any:
    """
    Returns the body: a JSON value where it is parsed and says that it is JSON, else text, null where there is none.

    Raises NodeFailure RESPONSE_NOT_JSON.
    """
    if not answer.body:
        return None
    text = _text(answer)
    if not (parses_json and is_json(answer.headers.get("content-type", ""))):
        return text
    try:
        value = parse_value(text.removeprefix(_BYTE_ORDER_MARK))
        orjson.dumps(value)
    except DocumentError as problem:
        why = str(problem)
    except TypeError as problem:
        # JSON knows no largest integer, the journal does.
        why = f"it holds a value that cannot be kept: {problem}"
    else:
        return value
    message = f"the answer says that it is JSON and cannot be read: {why}; set parseResponse to false to get its text"
    details = {"statusCode": answer.status, "body": text[:LONGEST_QUOTE]}
    raise NodeFailure(permanent("RESPONSE_NOT_JSON", message, **details))


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON: application/json, or any type that ends in +json (RFC 6839)."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence in ("application/json", "text/json") or essence.endswith("+json")


def refusal(method: str, host: str, answer: HttpAnswer, retried: Collection[int] | None) -> NodeFailure:
    """
    Returns the failure that an answer other than 2xx is.

    Its code is RATE_LIMIT (429), 5XX, 4XX or 3XX; `details` has statusCode and body.

    Args:
        method: Of the request.
        host: That answered.
        answer: What it answered.
        retried: Statuses that are worth another attempt; None where RATE_LIMIT and 5XX are.
    """
    code = "RATE_LIMIT" if answer.status == TOO_MANY_REQUESTS else f"{answer.status // 100}XX"
    is_retried = code in ("RATE_LIMIT", "5XX") if retried is None else answer.status in retried
    kind = ErrorType.PERMANENT
    if is_retried:
        kind = ErrorType.RATE_LIMIT if code == "RATE_LIMIT" else ErrorType.TRANSIENT
    details = {"statusCode": answer.status, "body": _quoted(answer)}
    message = f"{method} to {host} was answered {answer.status}"
    return NodeFailure(NodeError(code, message, kind, details), answer.retry_after_ms)


def _quoted(answer: HttpAnswer) -> Any:
    """The body as the log keeps it: its value where that is short JSON, else the beginning of its text."""
    if len(answer.body) <= LONGEST_QUOTE:
        try:
            return read_body(answer, parses_json=True)
        except NodeFailure:
            pass
    return _text(answer)[:LONGEST_QUOTE]


def _text(answer: HttpAnswer) -> str:
    """The body as text; bytes that are none in its charset become replacement characters."""
    try:
        return answer.body.decode(answer.charset, errors="replace")
    except (LookupError, UnicodeError):
        return answer.body.decode(errors="replace")
