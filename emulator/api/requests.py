"""Reading what a client sent: its key, its form, its JSON."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from emulator.api.answers import AUTHENTICATION_INVALID, Rejected
from emulator.config import SANDBOX_USERNAME

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Largest request; a form with 100,000 numbers takes 1.4 MB."""


def authenticate(request: Request, username: str, api_key: str) -> None:
    """
    Checks the key and the account that it belongs to.

    Raises:
        Rejected: 401, with the text for a missing key or the one for a wrong key.
    """
    given = request.headers.get("apikey")
    if given is None:
        raise Rejected(401, "The resource requires authentication, which was not supplied with the request")
    if given != api_key or username != SANDBOX_USERNAME:
        raise Rejected(401, AUTHENTICATION_INVALID)


async def read_form(request: Request) -> dict[str, str]:
    """Returns the fields of a form, empty ones too; the first of a repeated field. Raises Rejected: 400, 413, 415."""
    _require_content_type(request, "application/x-www-form-urlencoded")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Rejected(400, f"The request content was malformed:\n{error}") from error
    return dict(reversed(pairs))


async def read_json(request: Request) -> Mapping[str, Any]:
    """Returns the members of a JSON object. Raises Rejected: 400, 413, 415."""
    _require_content_type(request, "application/json")
    try:
        document = orjson.loads(await read_body(request))
    except orjson.JSONDecodeError as error:
        raise Rejected(400, f"The request content was malformed:\n{error}") from error
    if not isinstance(document, dict):
        raise Rejected(400, "The request content was malformed:\nObject expected")
    return document


async def read_body(request: Request) -> bytes:
    """Returns the body. Raises Rejected: 413 beyond MAX_BODY_BYTES."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Rejected(413, f"EntityStreamSizeException: limit ({MAX_BODY_BYTES} bytes) exceeded")
    return bytes(body)


def required_field(form: Mapping[str, str], name: str) -> str:
    """Returns a field of a form. Raises Rejected: 400."""
    if name not in form:
        raise Rejected(400, f"Request is missing required form field '{name}'")
    return form[name]


def required_query(request: Request, name: str) -> str:
    """Returns a query parameter. Raises Rejected: 400."""
    if name not in request.query_params:
        raise Rejected(400, f"Request is missing required query parameter '{name}'")
    return request.query_params[name]


def _require_content_type(request: Request, expected: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != expected:
        raise Rejected(415, f"The request's Content-Type is not supported. Expected:\n{expected}")
