"""
The session as one turn sees it: a snapshot, and what the turn changed.

The engine commits the changes to the sessions service when the turn ends; nothing here knows how.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

USSD = "ussd"
"""Type of a session in which a person dialled a code; also the channel of what comes from there."""


class Scope(StrEnum):
    """How long and for whom a stored value lives."""

    SESSION = "session"
    WORKFLOW = "workflow"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class DataChange:
    """
    One change of a set of values, applied in the order clear, set_if_absent, set.

    Attributes:
        ttl_seconds: Life of the values; 0 means that of the set. In the session's own data it moves its expiry.
    """

    clear: bool = False
    set: Mapping[str, Any] = field(default_factory=dict)
    set_if_absent: Mapping[str, Any] = field(default_factory=dict)
    ttl_seconds: int = 0

    def apply(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns `data` after the change."""
        before = {} if self.clear else dict(data)
        return {**self.set_if_absent, **before, **self.set}


@dataclass(slots=True)
class TurnSession:
    """
    Attributes:
        session_id: Africa's Talking's own id where it has one.
        type: ussd, voice, sms, payment or other.
        msisdn: E.164, None where there is none.
        version: Version of the snapshot; the commit compares it.
        data: Values of each scope, the turn's own changes included; encrypted values are sealed.
        changes: What the turn changed in each scope, in order.
        opened_for_seconds: Life that it was just opened with; 0 when it is older than this turn.
        ttl_seconds: New life of the session from the commit on; 0 means unchanged.
        ended: Whether the turn ended it.
        stale: Whether others have written to it since the snapshot.
    """

    session_id: str
    type: str
    msisdn: str | None
    version: int
    data: dict[Scope, dict[str, Any]]
    changes: dict[Scope, list[DataChange]] = field(default_factory=dict)
    opened_for_seconds: int = 0
    ttl_seconds: int = 0
    ended: bool = False
    stale: bool = False

    def write(self, scope: Scope, change: DataChange) -> None:
        """Applies a change to the snapshot and keeps it for the commit."""
        self.data[scope] = change.apply(self.data.get(scope, {}))
        self.changes.setdefault(scope, []).append(change)

    def end(self) -> None:
        """Ends the session with the commit of this turn."""
        self.ended = True

    def live_for(self, seconds: int) -> None:
        """Makes the session live at least so long from the commit on."""
        if seconds > self.opened_for_seconds:
            self.ttl_seconds = max(self.ttl_seconds, seconds)
