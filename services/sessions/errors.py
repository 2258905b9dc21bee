"""Why a request is refused. The table from these to gRPC stands in refusals.py."""

from services.sessions.session import SessionType


class SessionError(Exception):
    """Any refusal of the sessions service."""


class SessionNotFound(SessionError):
    """
    There is no session of this id, or it expired.

    Attributes:
        session_id: The id asked for.
    """

    def __init__(self, session_id: str) -> None:
        super().__init__(f"there is no session {session_id}, or it expired")
        self.session_id = session_id


class NoLiveSession(SessionError):
    """
    A phone number has no live session of a type.

    Attributes:
        msisdn: The phone number asked for; it does not stand in the text.
        session_type: The type asked for; None when the request named none.
    """

    def __init__(self, msisdn: str, session_type: SessionType | None) -> None:
        super().__init__("the phone number has no live session of this type")
        self.msisdn = msisdn
        self.session_type = session_type


class SessionEnded(SessionError):
    """
    The session has ended and takes no writes.

    Attributes:
        session_id: Its id.
    """

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id} has ended")
        self.session_id = session_id


class VersionConflict(SessionError):
    """
    Somebody wrote since the version that the caller has seen.

    Attributes:
        session_id: The session's id.
        current: Its version now.
    """

    def __init__(self, session_id: str, current: int) -> None:
        super().__init__(f"session {session_id} is at version {current} now; load it and try again")
        self.session_id = session_id
        self.current = current


class InvalidSession(SessionError):
    """
    A field of a request is not usable.

    Attributes:
        field: Its path in the request, such as changes[0].set_json.
        problem: What is wrong and what to do.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.problem = problem


class DataTooLarge(InvalidSession):
    """
    The values of a session, or of a phone number in one flow or in all, would exceed the limit. None was changed.

    Attributes:
        size_bytes: What keys and JSON texts would take together, UTF-8.
        limit_bytes: What they may take.
    """

    def __init__(self, field: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(field, f"would make the data {size_bytes} bytes large; at most {limit_bytes} are kept")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class InvalidFilter(SessionError):
    """
    A filter or the page token of a listing is not usable.

    Attributes:
        field: The request's field.
        problem: What is wrong and what to do.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.problem = problem
