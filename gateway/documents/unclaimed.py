"""What came in and no published flow claimed."""

from typing import NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, JsonObject, Time


@with_config(WORDED)
class Unclaimed(TypedDict):
    """Something that came in and that no published flow claimed."""

    channel: str
    """How it came in, such as ussd or sms."""
    receivedAt: Time
    """When it came in first."""
    payload: JsonObject
    """What a trigger would have got; what was typed is masked where it is stored encrypted."""


@with_config(WORDED)
class UnclaimedPage(TypedDict):
    """What nobody claimed, newest first."""

    unclaimed: list[Unclaimed]
    """The page."""
    nextCursor: NotRequired[str]
    """Send it as cursor to get the next page; left out on the last."""
