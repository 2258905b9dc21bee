"""Who did what: a log line, and an entry of a stream that is bounded in length and age."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from storage.batches import run_in_stages
from storage.connection import Client, StoreUnavailable, store_errors

KEY = "njia:audit"
"""Stream: entries, oldest first."""

MOST_KEPT = 10_000
"""About; the oldest go first."""

LIFE_MS = 90 * 24 * 3600 * 1000
"""How long an entry is kept."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """
    Something that somebody did.

    Attributes:
        place: Names the entry, and with it the place in the log.
        at_ms: Unix time.
        who: Name of the key that it was done with.
        action: What, such as workflow.publish.
        subject: To what.
    """

    place: str
    at_ms: int
    who: str
    action: str
    subject: str


class AuditLog:
    """The log of all services together."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def note(self, who: str, action: str, subject: str, now_ms: int) -> None:
        """Notes what has been done. Does not fail: it is done, and the log line stands in any case."""
        _log.info("audit", who=who, action=action, subject=subject)
        oldest = max(0, now_ms - LIFE_MS)
        added = ("XADD", KEY, "MAXLEN", "~", MOST_KEPT, "*", "who", who, "action", action, "subject", subject)
        try:
            with store_errors():
                await run_in_stages(
                    self._client, [added, ("XTRIM", KEY, "MINID", "~", oldest), ("PEXPIRE", KEY, LIFE_MS)]
                )
        except StoreUnavailable as problem:
            _log.warning("an entry of the audit log stands in this log alone", why=problem.why)

    async def page(self, limit: int, behind: str, now_ms: int) -> Sequence[AuditEntry]:
        """Returns entries, newest first, behind a place; empty: from the newest. Raises StoreUnavailable."""
        newest = f"({behind}" if behind else "+"
        with store_errors():
            found: Any = await self._client.xrevrange(KEY, newest, max(0, now_ms - LIFE_MS), limit)
        return [_entry(place.decode(), fields) for place, fields in found or ()]


Subject = Callable[[Any, Any], str | None]
"""Returns what a call was about, by its request and its answer; None where it did nothing worth an entry."""


@dataclass(frozen=True, slots=True)
class Audited:
    """
    A call that is noted.

    Attributes:
        action: What it does, such as workflow.publish.
        subject: To what.
    """

    action: str
    subject: Subject


def noting(
    audit: AuditLog, calls: Mapping[str, Audited], who: Callable[[], str], now_ms: Callable[[], int]
) -> Mapping[str, Callable[[Any, Any], Awaitable[None]]]:
    """Returns what is to be done behind each of these calls."""

    def behind(call: Audited) -> Callable[[Any, Any], Awaitable[None]]:
        async def note(request: Any, answer: Any) -> None:
            subject = call.subject(request, answer)
            if subject is not None:
                await audit.note(who(), call.action, subject, now_ms())

        return note

    return {name: behind(call) for name, call in calls.items()}


def _entry(place: str, fields: dict[bytes, bytes]) -> AuditEntry:
    who, action, subject = (fields[name].decode() for name in (b"who", b"action", b"subject"))
    return AuditEntry(place, int(place.partition("-")[0]), who, action, subject)
