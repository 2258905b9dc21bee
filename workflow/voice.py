"""What is done in a phone call, as nodes ask for it. How a telephone network wants it written is not known here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

VOICE = "voice"
"""Type of a session that is a call."""

ANSWERED = "Answered"
"""How a call went on in which a person picked up."""

MAX_DIGITS = 20
"""Longest row of keys that is asked for at once."""

DOCUMENT_SECONDS = 600
"""
What is said before somebody may press a key takes less. Nobody here can tell how long a recording is, so a wait for
keys lasts so much longer than the person has; that nothing was pressed is told by the network, long before.
"""


NO_CALL = "there is no call in which somebody listens: begin the flow with INCOMING_CALL, or call with INITIATE_CALL"


class CallState(StrEnum):
    """How the call stands in which an execution talks."""

    NONE = "none"
    """There was none yet."""

    LIVE = "live"
    """Somebody listens."""

    OVER = "over"
    """It has ended."""


@dataclass(frozen=True, slots=True)
class Say:
    """A text that is read out; `voice` is default, male, female or child. A key ends it where it is interruptible."""

    text: str
    voice: str = "default"
    interruptible: bool = False
    kind: Literal["say"] = "say"


@dataclass(frozen=True, slots=True)
class Play:
    """A recording at a web address. A key ends it where it is interruptible."""

    url: str
    interruptible: bool = False
    kind: Literal["play"] = "play"


Prompt = Annotated[Say | Play, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class GetDigits:
    """
    Waits for keys.

    Attributes:
        max_digits: The wait ends with so many keys.
        timeout_seconds: How long nothing may be pressed.
        finish_on_key: The key that ends the row and is no part of it; empty means none.
        prompt: Said while a key may be pressed already; None says nothing.
    """

    max_digits: int
    timeout_seconds: int
    finish_on_key: str = ""
    prompt: Prompt | None = None
    kind: Literal["get_digits"] = "get_digits"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another application goes on with the call; what stands behind it is not done."""

    url: str
    kind: Literal["redirect"] = "redirect"


@dataclass(frozen=True, slots=True)
class Hold:
    """The answer takes longer: the network asks for it again."""

    kind: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True)
class Reject:
    """The call is not taken."""

    kind: Literal["reject"] = "reject"


Action = Annotated[Say | Play | GetDigits | Redirect | Hold | Reject, Field(discriminator="kind")]


def spoken(action: Action) -> str:
    """Returns what a person hears of an action, as one line; empty where that is nothing."""
    match action:
        case Say(text):
            return text
        case Play(url):
            return f"[{url}]"
        case GetDigits(prompt=Say() | Play() as prompt):
            return spoken(prompt)
        case Redirect(url):
            return f"[goes on at {url}]"
    return ""
