"""What may be stored, and what a change does. Pure; the Lua scripts do the same inside of Redis."""

import re
import secrets
from collections.abc import Iterable

from services.sessions.errors import DataTooLarge, InvalidSession
from services.sessions.session import Data, DataChange, ScopedChanges

MAX_ID_CHARACTERS = 256
"""Longest session id and commit id."""

MAX_DATA_BYTES = 256 * 1024
"""Keys and JSON texts of one session together, UTF-8; the same for each set of values that outlives sessions."""

MIN_TTL_SECONDS = 1
MAX_TTL_SECONDS = 86_400

COMMITS_REMEMBERED = 64
"""The newest commits of a session that a repeat is recognised of; an older one is a version conflict."""

SCOPED_COMMITS_LIFE_MS = 24 * 3600 * 1000
"""How long a set of values that outlives sessions remembers commits after its last one."""

TYPE_FIELD = "type"
DATA_FIELD = "data_json"
CHANGES_FIELD = "changes"
WORKFLOW_FIELD = "workflow_changes"
ALL_FIELD = "global_changes"

NEEDS_TYPE = "is needed to create a session, and there is none of this id to join"
NEEDS_MSISDN = "are of a phone number, and the session has none"

_MSISDN = re.compile(r"\+[0-9]{1,15}")
_WORKFLOW_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def new_session_id() -> str:
    """Returns an id that nobody else has and nobody can guess."""
    return f"njia_{secrets.token_hex(16)}"


def check_id(field: str, value: str) -> str:
    """Returns the id of a session or commit. Raises InvalidSession."""
    if not 1 <= len(value) <= MAX_ID_CHARACTERS or not value.isprintable() or " " in value:
        raise InvalidSession(field, f"must be 1 to {MAX_ID_CHARACTERS} printable characters without spaces")
    return value


def is_msisdn(value: str) -> bool:
    """Tells whether this looks like E.164. Whether the number exists is the caller's business."""
    return _MSISDN.fullmatch(value) is not None


def check_msisdn(field: str, value: str) -> str:
    """Returns the phone number. Raises InvalidSession."""
    if not is_msisdn(value):
        raise InvalidSession(field, "must be a phone number in E.164, such as +254711000001")
    return value


def check_workflow_id(field: str, value: str) -> str:
    """Returns the id of a flow. Raises InvalidSession."""
    if not _WORKFLOW_ID.fullmatch(value):
        raise InvalidSession(field, "must be the id of a flow: 1 to 128 characters of A-Z a-z 0-9 . _ -")
    return value


def ttl_ms(field: str, seconds: int) -> int | None:
    """Returns a life in milliseconds, None for 0. Raises InvalidSession."""
    if seconds == 0:
        return None
    if not MIN_TTL_SECONDS <= seconds <= MAX_TTL_SECONDS:
        raise InvalidSession(field, f"must be {MIN_TTL_SECONDS} to {MAX_TTL_SECONDS} seconds, or 0")
    return seconds * 1000


def size_bytes(data: Data) -> int:
    """Returns what a set of values takes: keys and JSON texts, UTF-8."""
    return sum(len(key.encode()) + len(text.encode()) for key, text in data.items())


def check_size(field: str, data: Data) -> None:
    """Raises DataTooLarge."""
    size = size_bytes(data)
    if size > MAX_DATA_BYTES:
        raise DataTooLarge(field, size, MAX_DATA_BYTES)


def changed(data: Data, changes: Iterable[DataChange]) -> Data:
    """Returns the values after the changes."""
    result = dict(data)
    for change in changes:
        if change.clear:
            result.clear()
        result = {**change.set_if_absent, **result, **change.set}
    return result


def scoped_field(scoped: ScopedChanges) -> str:
    """Returns the field that the first scoped change stands in."""
    return WORKFLOW_FIELD if scoped.in_workflow else ALL_FIELD
