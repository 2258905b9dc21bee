"""Request bodies: read within a limit, as text or as a strict JSON object."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.errors import HttpError
from workflow.documents import DocumentError, dump_document, parse_document

JSON_TYPE = "application/json"

MAX_DISCARDED_BYTES = 16 * 1024 * 1024
DISCARD_SECONDS = 2.0
"""How much of a body over the limit is read, and for how long, before the refusal."""


async def text_of(request: Request) -> str:
    """
    Reads the body as text.

    Raises:
        HttpError: 415 for another content type, 413 over the limit, 400 when it is not UTF-8.
    """
    _check_type(request)
    content = await bytes_of(request)
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        before = content[: problem.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise _not_json(f"the body is not UTF-8 text (line {line}, column {column})") from None


async def document_of(request: Request) -> dict[str, Any]:
    """Reads the body as a JSON object. Raises HttpError like `text_of`, and 400 with line and column."""
    _check_type(request)
    return _parsed(await bytes_of(request))


async def optional_document_of(request: Request) -> dict[str, Any]:
    """Reads the body as `document_of` does; none at all is {}."""
    content = await bytes_of(request)
    if not content:
        return {}
    _check_type(request)
    return _parsed(content)


def text_of_document(document: Mapping[str, Any]) -> str:
    """Writes a part of a document that was read here, numbers unchanged."""
    return dump_document(document)


def _check_type(request: Request) -> None:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON_TYPE and not (content_type.startswith("application/") and content_type.endswith("+json")):
        shown = content_type or "none"
        message = f"send {JSON_TYPE}; the content type is {shown}"
        raise HttpError(415, "Unsupported media type", message, "UNSUPPORTED_MEDIA_TYPE")


async def bytes_of(request: Request) -> bytes:
    """Reads the body as it was sent, of whatever type. Raises HttpError 413 over the limit."""
    limit: int = request.app.state.max_body_bytes
    declared = request.headers.get("content-length", "")
    content = bytearray()
    size = int(declared) if declared.isdecimal() else 0
    parts = request.stream()
    if size <= limit:
        async for part in parts:
            content += part
            size = len(content)
            if size > limit:
                break
    if size > limit:
        await _discard(parts)
        raise _too_large(limit)
    return bytes(content)


async def _discard(parts: AsyncIterator[bytes]) -> None:
    """
    Reads on for a little. A connection that is closed while its client still sends is reset, and the client would never
    see the answer.
    """
    left = MAX_DISCARDED_BYTES
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(DISCARD_SECONDS):
            async for part in parts:
                left -= len(part)
                if left < 0:
                    return


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        return parse_document(content)
    except DocumentError as problem:
        raise _not_json(str(problem)) from None


def _not_json(message: str) -> HttpError:
    return HttpError(400, "Not JSON", message, "NOT_JSON")


def _too_large(limit: int) -> HttpError:
    # The body may not have been read to its end, so the connection cannot be used again.
    return HttpError(
        413,
        "Body too large",
        f"the body has more than {limit} bytes",
        "BODY_TOO_LARGE",
        headers={"Connection": "close"},
    )
