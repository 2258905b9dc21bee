"""What a node answers when it has run: it is done, or it waits for the outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workflow.voice import Action


class WaitKind(StrEnum):
    """What a suspended node waits for."""

    INPUT = "input"
    """A person: the next input of the session."""

    TIMER = "timer"
    """A point in time."""

    RETRY = "retry"
    """The next attempt of a node that failed."""

    SETTLEMENT = "settlement"
    """Word of an effect whose outcome is not known."""

    CALL = "call"
    """A person whose phone rings."""

    SMS = "sms"
    """An SMS of a person."""


@dataclass(frozen=True, slots=True)
class Done:
    """
    The node did what it is for.

    Attributes:
        output: JSON values; other nodes see it as {{node_<id>.output}}.
        handle: Handle that it leaves by; None means the type's usual one.
        text: Added to what the person gets in this turn; None adds nothing.
        actions: Added to what is done in the call in this turn.
        opens_call: Session id of a call that is live from now on; None where none begins.
        correlations: Ids by which the outside reports back on what the node did, such as `sms:ATXid_…`.
    """

    output: Mapping[str, Any]
    handle: str | None = None
    text: str | None = None
    actions: Sequence[Action] = ()
    opens_call: str | None = None
    correlations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """
    The node goes on when the outside answers; the execution is suspended.

    Attributes:
        kind: What it waits for.
        expires_in_ms: How long it waits at the most; for a timer: until it is due.
        memory: JSON values that the node gets back when it goes on.
        text: Added to what the person gets in this turn; None adds nothing.
        actions: Added to what is done in the call in this turn.
        correlations: Ids by which the outside reports back on what the node did.
    """

    kind: WaitKind
    expires_in_ms: int
    memory: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    actions: Sequence[Action] = ()
    correlations: Sequence[str] = ()


Outcome = Done | Wait


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    What the outside says of an effect whose outcome was not known: it took place.

    Attributes:
        name: Which of the node's `settled_by` names it is about, such as sms:+254711000001.
        reference: The outside's id of the effect, such as ATXid_….
        status: The outside's word for how it went on, such as Success.
    """

    name: str
    reference: str
    status: str
