"""When a server wants to be asked again (RFC 9110, 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_MS = 3_600_000
"""A server that asks for more is asked again after so long all the same."""


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """Returns the delay that Retry-After names, ms: seconds or a date; None where it names none."""
    written = headers.get("retry-after", "").strip()
    if written.isascii() and written.isdigit():
        return min(int(written[:10]) * 1000, LONGEST_MS)
    try:
        at = parsedate_to_datetime(written)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    delay_ms = round((at - datetime.now(UTC)).total_seconds() * 1000)
    return min(max(0, delay_ms), LONGEST_MS)
