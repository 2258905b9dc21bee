"""Sessions of phone users."""

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, JsonObject, Time

SessionType = Literal["ussd", "voice", "sms", "payment", "other"]


@with_config(WORDED)
class Session(TypedDict):
    """A session as it is stored."""

    sessionId: str
    """Africa's Talking's own id where it has one (ATUid_…)."""
    type: SessionType
    """What it belongs to."""
    msisdn: NotRequired[str]
    """Phone number in E.164."""
    data: JsonObject
    """What flows stored."""
    createdAt: Time
    """When it was created."""
    lastActivityAt: Time
    """When it was last written or touched."""
    expiresAt: Time
    """When it expires."""
    isActive: bool
    """False once it ended."""
    version: int
    """Grows by one with every write, from 1."""


@with_config(WORDED)
class SessionPage(TypedDict):
    """Sessions, newest first."""

    sessions: list[Session]
    """The page."""
    nextCursor: NotRequired[str]
    """Send it as cursor to get the next page; left out on the last."""
