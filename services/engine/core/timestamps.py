"""Times as flows and people see them."""

from datetime import UTC, datetime


def timestamp(ms: int) -> str:
    """Writes Unix milliseconds as ISO 8601 in UTC, such as 2026-01-31T08:00:00.000Z."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
