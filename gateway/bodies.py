"""Request bodies: read within a limit, as text or as a strict JSON object."""

from typing import Any

from fastapi import Request

from gateway.errors import HttpError
from workflow.documents import DocumentError, parse_document

JSON_TYPE = "application/json"


async def text_of(request: Request) -> str:
    """
    Reads the body as text.

    Raises:
        HttpError: 415 for another content type, 413 over the limit, 400 when it is not UTF-8.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON_TYPE and not (content_type.startswith("application/") and content_type.endswith("+json")):
        shown = content_type or "none"
        raise HttpError(415, "Unsupported media type", f"send {JSON_TYPE}; the content type is {shown}", "NOT_JSON")
    limit: int = request.app.state.max_body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError as problem:
        raise HttpError(400, "Not JSON", f"the body is not UTF-8: byte {problem.start}", "NOT_JSON") from None


async def document_of(request: Request) -> dict[str, Any]:
    """Reads the body as a JSON object. Raises HttpError like `text_of`, and 400 with line and column."""
    try:
        return parse_document(await text_of(request))
    except DocumentError as problem:
        raise HttpError(400, "Not JSON", str(problem), "NOT_JSON") from None


def _too_large(limit: int) -> HttpError:
    # The rest of the body is not read, so the connection cannot be used again.
    return HttpError(
        413,
        "Body too large",
        f"the body has more than {limit} bytes",
        "BODY_TOO_LARGE",
        headers={"Connection": "close"},
    )
