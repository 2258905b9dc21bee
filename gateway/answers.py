"""Answers as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from fastapi import Response
from google.protobuf.message import Message

from gateway.errors import HttpError
from rpc.documents import to_document


def json_answer(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answers with a document."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def message_answer(message: Message, status: int = 200) -> Response:
    """Answers with the document of a message."""
    return json_answer(to_document(message), status)


def page_answer(name: str, entries: Iterable[Mapping[str, Any]], next_page_token: str) -> Response:
    """Answers with one page of a list."""
    page: dict[str, Any] = {name: list(entries)}
    if next_page_token:
        page["nextCursor"] = next_page_token
    return json_answer(page)


def error_answer(error: HttpError) -> Response:
    """Answers with a refusal."""
    return json_answer(error.document(), error.status, error.headers)
