"""What keeps sessions."""

from dataclasses import dataclass
from typing import Protocol

from services.sessions.listing import Filter, Page, Position
from services.sessions.session import Commit, DataChange, NewSession, ScopedData, Session, SessionType


@dataclass(frozen=True, slots=True)
class Opened:
    """
    Attributes:
        session: The session.
        created: True when the call created it.
    """

    session: Session
    created: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """
    Attributes:
        session: The session after the commit.
        repeated: True when the commit had been applied before.
    """

    session: Session
    repeated: bool


@dataclass(frozen=True, slots=True)
class Erased:
    """
    What was removed of a phone number.

    Attributes:
        value_sets: Sets of values that outlive sessions, in one flow or in all.
    """

    sessions: int
    value_sets: int


class SessionStore(Protocol):
    """
    Every method is atomic for the session that it names, and may raise storage.connection.StoreUnavailable.

    A live session is gone once it expires. An ended one stays readable until its expiry plus the retention; it
    refuses writes until then.
    """

    async def open(self, new: NewSession) -> Opened:
        """
        Creates a session, or returns the live one of that id as it is. Of two calls at once, one creates.

        Raises:
            SessionEnded: The session of that id has ended.
            InvalidSession: There is none, and the call has no type to create one of.
        """
        ...

    async def get(self, session_id: str) -> Session:
        """Returns a session, live or ended. Raises SessionNotFound."""
        ...

    async def find(self, msisdn: str, session_type: SessionType) -> Session:
        """Returns the newest live session of a phone number and type. Raises NoLiveSession."""
        ...

    async def page(self, wanted: Filter, page_size: int, after: Position | None) -> Page:
        """
        Returns sessions that match, newest first, from the position on.

        A page can be shorter than asked for, and even empty, while a next one exists.
        """
        ...

    async def update(self, session_id: str, change: DataChange, expected_version: int | None) -> Session:
        """
        Changes the data of a live session, whose version must be the expected one where there is one.

        Raises SessionNotFound, SessionEnded, VersionConflict, DataTooLarge.
        """
        ...

    async def commit(self, session_id: str, commit: Commit) -> Committed:
        """
        Applies a commit; one that was applied before changes nothing, even if the session has ended since.

        First the session, then the data that outlives it, each exactly once under the commit's id: a caller that lost
        the answer repeats the call, and what was left out is done then. A refusal by the session leaves everything
        as it was.

        Raises:
            SessionNotFound, SessionEnded, VersionConflict: As in `update`.
            InvalidSession: There are scoped changes, and the session has no phone number.
            DataTooLarge: The session's data would (then nothing was done), or scoped data would (then that set of
                values stays as it was).
        """
        ...

    async def touch(self, session_id: str, ttl_ms: int | None) -> Session:
        """
        Moves the expiry of a live session: from now by `ttl_ms`, or by its own life.

        Raises SessionNotFound, SessionEnded.
        """
        ...

    async def end(self, session_id: str) -> Session:
        """Ends a session; one that has ended stays as it is. Raises SessionNotFound."""
        ...

    async def delete(self, session_id: str) -> bool:
        """Removes a session, live or ended; tells whether there was one. Data that outlives it stays."""
        ...

    async def scoped(self, msisdn: str, workflow_id: str) -> ScopedData:
        """Returns the data of a phone number that outlives sessions: in one flow, and in all."""
        ...

    async def erase(self, msisdn: str) -> Erased:
        """Removes every session of a phone number, and its data that outlives sessions. Safe to repeat."""
        ...
