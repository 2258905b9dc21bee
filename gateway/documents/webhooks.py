"""What a webhook is answered."""

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, JsonObject
from gateway.documents.executions import Reply


@with_config(WORDED)
class WebhookTaken(TypedDict):
    """The request is recorded, and the flow runs."""

    executionId: str
    """Id of the execution."""


@with_config(WORDED)
class WebhookError(TypedDict):
    """Why the flow failed, as far as it is for callers."""

    code: str
    """Machine-readable."""
    message: str
    """What went wrong."""


@with_config(WORDED)
class WebhookOutcome(TypedDict):
    """What the flow came to. What its nodes did in detail is in the log, for those who may read it."""

    executionId: str
    """Id of the execution."""
    status: Literal["completed", "failed", "running", "timeout", "cancelled"]
    """How it stands; running means that it waits for a person."""
    output: NotRequired[JsonObject]
    """Output of the node that succeeded last."""
    error: NotRequired[WebhookError]
    """Why it failed."""
    reply: NotRequired[Reply]
    """What it says to a person."""
