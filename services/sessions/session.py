"""What a session is. Times are milliseconds since 1970, UTC; lives are milliseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Data = Mapping[str, str]
"""Values by key. Each value is its JSON text, so that a number keeps the digits that it was given with."""


class SessionType(StrEnum):
    """What a session belongs to."""

    USSD = "ussd"
    VOICE = "voice"
    SMS = "sms"
    PAYMENT = "payment"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NewSession:
    """
    What a session is opened with.

    Attributes:
        session_id: Id to create or to join.
        type: What it belongs to; None can only join.
        msisdn: E.164, None where there is none.
        ttl_ms: Life of a session that is created.
        data: First values of a session that is created.
    """

    session_id: str
    type: SessionType | None
    msisdn: str | None
    ttl_ms: int
    data: Data


@dataclass(frozen=True, slots=True)
class Session:
    """
    A session as it is stored.

    Attributes:
        session_id: 1 to 256 printable characters without spaces.
        type: What it belongs to.
        msisdn: E.164, None where there is none.
        data: What flows stored.
        created_at_ms: When it was created.
        last_activity_at_ms: When it was last written or touched.
        expires_at_ms: When it expires.
        ttl_ms: The life that it was opened with; a touch without one moves the expiry by it.
        is_active: False once it ended.
        version: Grows by one with every write, from 1. A touch writes nothing.
    """

    session_id: str
    type: SessionType
    msisdn: str | None
    data: Data
    created_at_ms: int
    last_activity_at_ms: int
    expires_at_ms: int
    ttl_ms: int
    is_active: bool
    version: int


@dataclass(frozen=True, slots=True)
class DataChange:
    """
    One change of a set of values, applied in the order clear, set_if_absent, set.

    Attributes:
        clear: Whether every value is removed first.
        set_if_absent: Values to set where the key has none; null is a value.
        set: Values to set.
        ttl_ms: Life of the values written, None: as long as the set. In the session's own data it moves its expiry.
    """

    clear: bool = False
    set_if_absent: Data = field(default_factory=dict)
    set: Data = field(default_factory=dict)
    ttl_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ScopedChanges:
    """
    Changes of data that outlives the session, in order.

    Attributes:
        workflow_id: Flow of `in_workflow`; may be empty when there are none.
        in_workflow: Of the values of the phone number in that flow.
        in_all: Of the values of the phone number in all flows.
    """

    workflow_id: str = ""
    in_workflow: Sequence[DataChange] = ()
    in_all: Sequence[DataChange] = ()

    def __bool__(self) -> bool:
        """Whether there is any change."""
        return bool(self.in_workflow or self.in_all)


@dataclass(frozen=True, slots=True)
class Commit:
    """
    What one turn of a flow did to a session.

    Attributes:
        commit_id: Names the commit; a repeat is recognised by it.
        expected_version: Version that the turn ran on.
        changes: Of the session's data, in order.
        ttl_ms: Expiry from now; None: unchanged, or what the last of `changes` with a life says.
        end: Whether the session ends with it.
        scoped: Changes of the data that outlives the session.
    """

    commit_id: str
    expected_version: int
    changes: Sequence[DataChange] = ()
    ttl_ms: int | None = None
    end: bool = False
    scoped: ScopedChanges = ScopedChanges()

    @property
    def moves_expiry_to_ms(self) -> int | None:
        """Where the expiry goes, from now; None: it stays."""
        if self.ttl_ms is not None:
            return self.ttl_ms
        return next((change.ttl_ms for change in reversed(self.changes) if change.ttl_ms is not None), None)


@dataclass(frozen=True, slots=True)
class ScopedData:
    """
    Data that outlives a session.

    Attributes:
        in_workflow: Values of a phone number in one flow.
        in_all: Values of a phone number in all flows.
    """

    in_workflow: Data
    in_all: Data
