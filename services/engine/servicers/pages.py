"""Page sizes and page tokens of listings."""

import base64
import binascii

from services.engine.errors import InvalidRequest
from services.engine.store.execution_store import Cursor

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
INVALID = "INVALID_FILTER"


def page_size(asked: int) -> int:
    """Returns the size of a page; 0 means the default. Raises InvalidRequest."""
    if not 0 <= asked <= LARGEST_PAGE:
        raise InvalidRequest("page_size", f"must be from 1 to {LARGEST_PAGE}, or 0 for {DEFAULT_PAGE}", INVALID)
    return asked or DEFAULT_PAGE


def cursor_to_token(cursor: Cursor | None) -> str:
    """Writes where a listing goes on; empty text when it does not."""
    if cursor is None:
        return ""
    return base64.urlsafe_b64encode(f"{cursor.at_ms} {cursor.id}".encode()).decode()


def cursor_from_token(token: str) -> Cursor | None:
    """Reads a page token. Raises InvalidRequest."""
    if not token:
        return None
    try:
        at_ms, _, entry_id = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(" ")
        return Cursor(int(at_ms), entry_id)
    except (binascii.Error, ValueError):
        raise InvalidRequest("page_token", "is not one that a listing gave", INVALID) from None
