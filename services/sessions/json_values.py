"""A JSON object as values by key, each of which stays JSON text."""

import orjson

from services.sessions.errors import InvalidSession
from services.sessions.session import Data
from workflow.documents import DocumentError, dump_document, parse_document


def from_json(field: str, text: str) -> Data:
    """
    Reads an object. Integers keep all of their digits; other numbers are doubles, as everywhere on the platform.

    Args:
        field: Where the text stands in the request, for the error.
        text: JSON, root is an object. Duplicate keys, NaN and nesting beyond 64 are refused.

    Raises:
        InvalidSession: It is not one.
    """
    try:
        document = parse_document(text)
    except DocumentError as error:
        raise InvalidSession(field, f"is not a JSON object: {error}") from None
    return {key: dump_document(value) for key, value in document.items()}


def to_json(data: Data) -> str:
    """Writes an object, keys sorted: equal data is equal text. The values are put in as they are."""
    return "{" + ",".join([f"{orjson.dumps(key).decode()}:{text}" for key, text in sorted(data.items())]) + "}"
