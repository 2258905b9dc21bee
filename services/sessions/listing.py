"""Listings: filters, pages, and the position that a page ends at."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.sessions.errors import InvalidFilter
from services.sessions.session import Session, SessionType

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000

MAX_PAGE_BYTES = 3 * 1024 * 1024
"""A page whose data reaches this ends early: one message of gRPC carries 4 MiB."""

PAGE_TOKEN_FIELD = "page_token"  # noqa: S105 (the name of a field)
_POSITION = re.compile(r"(\d{1,16}) (\S{1,256} [a-z]+ \S*)")


@dataclass(frozen=True, slots=True)
class Filter:
    """
    Attributes:
        msisdn: Only of this phone number, E.164; None: of all.
        type: Only of this type; None: of all.
        active: Only live ones (True) or ended ones (False); None: both.
    """

    msisdn: str | None = None
    type: SessionType | None = None
    active: bool | None = None

    def matches(self, session: Session) -> bool:
        """Tells whether a session belongs to the listing."""
        return (
            self.msisdn in (None, session.msisdn)
            and self.type in (None, session.type)
            and self.active in (None, session.is_active)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A session as an index names it: enough to know which listing it belongs to and where else it is indexed.

    Attributes:
        session_id: The session's id.
        type: Its type.
        msisdn: Its phone number, E.164; None where there is none.
    """

    session_id: str
    type: SessionType
    msisdn: str | None

    @classmethod
    def of(cls, session: Session) -> "Entry":
        """Returns the entry of a session."""
        return cls(session.session_id, session.type, session.msisdn)

    @classmethod
    def parse(cls, text: str) -> "Entry":
        """Reads what `str()` wrote. Raises ValueError."""
        session_id, kind, msisdn = text.split(" ")
        return cls(session_id, SessionType(kind), msisdn or None)

    def __str__(self) -> str:
        """The three parts with a space between them, which none of them can hold."""
        return f"{self.session_id} {self.type} {self.msisdn or ''}"


@dataclass(frozen=True, slots=True)
class Position:
    """
    A place in a listing, which runs from the newest session to the oldest; equal times by entry, from the last.

    Attributes:
        created_at_ms: When the session there was created.
        entry: Its entry.
    """

    created_at_ms: int
    entry: str

    def is_before(self, other: "Position") -> bool:
        """Tells whether this comes earlier in a listing."""
        return (self.created_at_ms, self.entry.encode()) > (other.created_at_ms, other.entry.encode())

    def token(self) -> str:
        """Returns the page token; callers know nothing of what is in it."""
        return base64.urlsafe_b64encode(f"{self.created_at_ms} {self.entry}".encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> "Position":
        """Reads a page token. Raises InvalidFilter."""
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            match = _POSITION.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
        except (binascii.Error, UnicodeError):
            match = None
        if match is None:
            raise InvalidFilter(PAGE_TOKEN_FIELD, "must be the next_page_token of an earlier page")
        return cls(int(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class Page:
    """
    Attributes:
        sessions: The page.
        next: Where the next page starts (behind this position); None on the last.
    """

    sessions: Sequence[Session]
    next: Position | None
