"""Whether the platform is up."""

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, Time


@with_config(WORDED)
class Alive(TypedDict):
    """The gateway itself runs."""

    status: Literal["ok"]
    """Always ok."""


@with_config(WORDED)
class Healthy(TypedDict):
    """Every service serves."""

    status: Literal["ok"]
    """Always ok."""
    timestamp: Time
    """When it was asked."""


@with_config(WORDED)
class Degraded(TypedDict):
    """A service does not serve."""

    status: Literal["degraded"]
    """Always degraded."""
    timestamp: Time
    """When it was asked."""
    services: dict[str, Literal["serving", "not_serving", "unreachable"]]
    """
    State by service: not_serving means that something it needs, such as Redis, does not answer; unreachable that
    the service itself does not.
    """
