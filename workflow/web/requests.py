"""Checks and writes the parts of an HTTP request that a flow names."""

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from workflow.errors import invalid
from workflow.ports import Credentials
from workflow.templates import as_text

LONGEST_URL = 8192
LONGEST_HEADERS = 32 * 1024
"""Characters of all names and values; servers refuse more than some 8 to 64 KiB."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")

OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say how a message travels (RFC 9110, 7.6.1); a flow that set them could speak for the platform."""


_SECRET_HEADER = re.compile(
    r"authorization|cookie|.*(?:api-?key|access-?key|subscription-?key|token|secret|password)", re.IGNORECASE
)


def is_secret_header(name: str) -> bool:
    """Whether a header of this name is one by which requests prove who sends them."""
    return _SECRET_HEADER.fullmatch(name) is not None


def url_problem(url: str) -> str | None:
    """Says why a URL cannot be asked; None where it can. What stands in it is not quoted: it may be a secret."""
    if not url:
        return "the URL is empty"
    if len(url) > LONGEST_URL:
        return f"the URL has {len(url)} characters, at most {LONGEST_URL}"
    if _NOT_IN_URL.search(url):
        return "the URL holds a space, a line break, a backslash or a control character: use the filter urlencode"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "the URL cannot be read: write it as https://host/path"
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return "the URL must begin with http:// or https:// and a host"
    if port == 0:
        return "the URL names port 0"
    if parts.username is not None or parts.password is not None:
        return "the URL holds a user or a password: set auth to type basic instead"
    return None


def host_of(url: str) -> str:
    """The host of a checked URL: all of it that may be shown, since paths and queries can carry secrets."""
    return urlsplit(url).hostname or ""


def header_problem(name: str, value: object) -> str | None:
    """Says why a header cannot be sent; None where it can."""
    if not _TOKEN.fullmatch(name):
        return f"{name[:60]!r} is no name of a header"
    if name.lower() in OF_THE_CONNECTION:
        return f"the header {name} belongs to the connection and cannot be set"
    if isinstance(value, list | dict):
        return f"the header {name} must be a text, not a list or an object"
    if _CONTROL.search(as_text(value)):
        return f"the header {name} holds a line break or a control character"
    return None


def checked_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """Returns the headers as text, those of null left out. Raises NodeFailure INVALID_HEADER."""
    checked: dict[str, str] = {}
    for name, value in headers.items():
        problem = header_problem(name, value)
        if problem:
            raise invalid("INVALID_HEADER", problem)
        if value is not None:
            checked[name] = as_text(value).strip()
    if sum(len(name) + len(value) for name, value in checked.items()) > LONGEST_HEADERS:
        raise invalid("INVALID_HEADER", f"the headers have more than {LONGEST_HEADERS} characters")
    return checked


def secret_header(name: str, secret: str, *, scheme: str = "") -> Credentials:
    """Returns credentials that stand in one header. Raises NodeFailure INVALID_CREDENTIALS, which quotes nothing."""
    if not secret or header_problem(name, secret):
        raise invalid("INVALID_CREDENTIALS", "the token of auth is empty, or holds a line break or control character")
    return Credentials({name: f"{scheme} {secret}".strip()}, (secret,))


def basic(username: str, password: str) -> Credentials:
    """Returns the credentials of the basic scheme (RFC 7617), in UTF-8. Raises NodeFailure INVALID_CREDENTIALS."""
    if ":" in username or _CONTROL.search(username + password):
        raise invalid("INVALID_CREDENTIALS", "the username of auth holds a colon, or either a control character")
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Credentials({"Authorization": f"Basic {pair}"}, tuple(text for text in (pair, password) if text))
