"""Writes the body of a request: a JSON value, or text that is written so already."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from workflow.documents import DocumentError, UnwritableValue, dump_document, parse_value
from workflow.errors import invalid
from workflow.templates import as_text

LARGEST_BODY = 1024 * 1024
"""Bytes."""

CONTENT_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "raw": "text/plain; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
}


_PLACEHOLDER = re.compile(r"\{\{(?:(?!\}\}).)*\}\}", re.DOTALL)
_AS_JSON = re.compile(r"\|\s*json\s*\}\}$")


def body_problem(body: Any, body_type: str) -> str | None:
    """Says why a body without templates cannot be sent as this type; None where it can."""
    if body is None:
        return None
    match body_type:
        case "json" if isinstance(body, str):
            try:
                parse_value(body)
            except DocumentError as problem:
                return f"the body is {problem}; write it as a JSON value instead of as text, or set bodyType to raw"
        case "form" if not isinstance(body, str | dict):
            return "the body of a form is an object, or text that is encoded already"
        case "form" if isinstance(body, dict):
            nested = next((key for key, value in body.items() if not _fits_form(value)), None)
            if nested is not None:
                return f"{nested[:60]!r} of the form is an object: a form holds texts, numbers and lists of them"
        case "raw" | "xml" if isinstance(body, list | dict):
            return f"the body of type {body_type} is text; for a JSON value set bodyType to json"
    return None


def may_break_json(template: str) -> bool:
    """Whether a value that is put into this text could end the text of JSON that it stands in."""
    placeholders = _PLACEHOLDER.findall(template)
    is_whole = _PLACEHOLDER.fullmatch(template.strip()) is not None
    return not is_whole and not all(_AS_JSON.search(placeholder) for placeholder in placeholders)


def written(body: Any, body_type: str) -> tuple[bytes | None, str]:
    """
    Returns the body in bytes, None for no body, and its content type.

    Raises NodeFailure INVALID_BODY.
    """
    content_type = CONTENT_TYPES[body_type]
    if body is None:
        return None, content_type
    problem = body_problem(body, body_type)
    if problem:
        raise invalid("INVALID_BODY", problem)
    try:
        data = _text(body, body_type).encode()
    except UnwritableValue as unwritable:
        raise invalid("INVALID_BODY", str(unwritable)) from None
    except UnicodeEncodeError:
        raise invalid("INVALID_BODY", "the body holds half of a surrogate pair, which UTF-8 cannot write") from None
    if len(data) > LARGEST_BODY:
        raise invalid("INVALID_BODY", f"the body has {len(data)} bytes, at most {LARGEST_BODY}")
    return data, content_type


def _text(body: Any, body_type: str) -> str:
    if isinstance(body, str):
        return body
    if body_type == "json":
        return dump_document(body)
    return urlencode(list(_pairs(body))) if body_type == "form" else as_text(body)


def _pairs(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A list becomes its key once for each entry; null is left out."""
    for key, value in form.items():
        for entry in value if isinstance(value, list) else [value]:
            if entry is not None:
                yield key, as_text(entry)


def _fits_form(value: Any) -> bool:
    entries = value if isinstance(value, list) else [value]
    return not any(isinstance(entry, list | dict) for entry in entries)
