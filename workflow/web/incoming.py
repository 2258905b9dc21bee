"""HTTP requests that come in for a flow: what they prove, and what their bodies say."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson

from workflow.documents import DocumentError, parse_value
from workflow.web.answers import is_json

MAX_FIELDS = 1000
"""Fields of a form or a query."""

SHOWN_TO_NOBODY = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that carry secrets whatever the flow asks for; a payload does not have them."""

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """
    A request as it came in.

    Attributes:
        path: Below the flow's own address, with a slash in front.
        headers: Names in lower case; several of one name are joined by commas.
        query: As it was written, without the question mark.
        body: The bytes that were sent, since that is what a signature is of.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    query: str = field(repr=False)
    body: bytes = field(repr=False)


class IncomingRefused(Exception):
    """What all refusals share: the text says what is wrong and what to do, and quotes no secret."""


class NobodyListens(IncomingRefused):
    """No published flow listens at this address."""

    def __init__(self) -> None:
        super().__init__("no published flow listens at this address")


class MethodNotAllowed(IncomingRefused):
    """The flow listens for another method."""

    def __init__(self, method: str) -> None:
        super().__init__(f"this address takes {method}")
        self.method = method


class NotAuthentic(IncomingRefused):
    """The request does not prove who sent it. What is missing or wrong is not said."""

    def __init__(self) -> None:
        super().__init__("the request does not prove who sent it: check its credentials and its signature")


class MissingHeader(IncomingRefused):
    """A header that the flow requires is missing, or has another value."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the header {name} is missing or has a value that is not accepted here")
        self.name = name


class UnusableBody(IncomingRefused):
    """The body, or the query, cannot be read."""


class UnsupportedBody(IncomingRefused):
    """The body is of a type that is not read here."""

    def __init__(self, content_type: str) -> None:
        shown = content_type.partition(";")[0].strip()[:60] or "none"
        super().__init__(f"send JSON, a form or text; the content type is {shown}")


class TooLarge(IncomingRefused):
    """What the request brings is more than an execution keeps."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"what the flow would get takes {size} bytes, at most {limit}; the members of an object count twice, since "
            "they stand at the top level and in body"
        )


def same(given: str, expected: str) -> bool:
    """Compares secrets in a time that says nothing of where they differ."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())


def is_signature(given: str, secret: str, body: bytes) -> bool:
    """Whether a text is the HMAC-SHA256 of the body, in hexadecimal digits, with sha256= in front or without."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return same(given.strip().removeprefix("sha256=").lower(), expected)


def read_query(query: str) -> dict[str, Any]:
    """Returns the fields of a query; one that stands several times is a list. Raises UnusableBody."""
    return _fields(query, "the query")


def read_body(request: IncomingRequest) -> Any:
    """
    Returns the body: a JSON value, an object of form fields, or text; null where there is none.

    Raises UnusableBody, UnsupportedBody.
    """
    if not request.body:
        return None
    content_type = request.headers.get("content-type", "")
    essence = content_type.partition(";")[0].strip().lower()
    if is_json(content_type):
        return _json(request.body)
    if essence == _FORM:
        return _fields(_text(request.body), "the form")
    if essence.startswith("text/") or essence == "application/xml" or essence.endswith("+xml"):
        return _text(request.body)
    raise UnsupportedBody(content_type)


def _json(body: bytes) -> Any:
    try:
        value = parse_value(body)
        orjson.dumps(value)
    except DocumentError as problem:
        raise UnusableBody(f"the body is {problem}" if str(problem).startswith("not JSON") else str(problem)) from None
    except TypeError as problem:
        # JSON knows no largest integer, the journal does.
        raise UnusableBody(f"the body holds a value that cannot be kept: {problem}") from None
    return value


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        raise UnusableBody(f"the body is not UTF-8 text (byte {problem.start + 1})") from None


def _fields(written: str, what: str) -> dict[str, Any]:
    try:
        found = parse_qs(written, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise UnusableBody(f"{what} holds bytes that are not UTF-8 text") from None
    except ValueError:
        raise UnusableBody(f"{what} has more than {MAX_FIELDS} fields") from None
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
