"""What a run needs from the outside, beside the ports of the nodes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from services.engine.core.program import Program, RunnableNode
from services.engine.core.state import Commit, ExecutionState, NodeResult, Turn
from workflow.errors import NodeError
from workflow.outcome import Settlement
from workflow.session import TurnSession


class StoreUnavailable(Exception):
    """Storage does not answer; nothing is lost, the call may be repeated."""


class LeaseLost(Exception):
    """Another engine runs this execution now; whatever this one still does must not be written."""


class HandedOver(Exception):
    """This process stops; all that was done is in the journal, and another engine goes on."""


class CommitRefused(Exception):
    """The sessions service will never take this commit: the session has ended, expired, or would grow too large."""


class SessionsUnavailable(Exception):
    """The sessions service does not answer; a commit stays in the journal and is repeated."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A node whose effect has an unknown outcome, and a name under which the outside may report it."""

    name: str
    node_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One write of the journal.

    Attributes:
        state: The state from now on.
        results: What nodes answered since the last write.
        answered: Key of the turn that the state's reply answers; None when it answers none.
        correlations: Ids by which the outside reports back.
        unsettled: Effects whose outcome the outside may report from now on.
        released: Whether the lease ends with this write: nothing runs in memory any more.
        follow_at_ms: When something must follow the end of the execution, Unix time; None where nothing does.
    """

    state: ExecutionState
    results: Sequence[NodeResult]
    answered: str | None
    correlations: Sequence[str]
    unsettled: Sequence[Unsettled]
    released: bool
    follow_at_ms: int | None = None


class Journal(Protocol):
    """Writes the journal of one execution under one lease."""

    async def write(self, entry: Entry) -> Sequence[Turn]:
        """
        Writes all or nothing; returns turns that have come in and are not taken yet (then the lease is kept).

        Raises LeaseLost, StoreUnavailable.
        """
        ...

    async def confirm(self, state: ExecutionState, version: int) -> None:
        """Notes that all commits of the state were applied, and at which version the session is now."""
        ...


class Sessions(Protocol):
    """Commits to the sessions service."""

    async def commit(self, session: TurnSession, workflow_id: str, commit: Commit) -> int:
        """
        Applies a commit once, whatever others wrote in the meantime; returns the version of the session now.

        The snapshot takes over what others wrote. Raises CommitRefused, SessionsUnavailable.
        """
        ...


class Reports(Protocol):
    """What the outside reports of effects."""

    async def early(self, execution_id: str, node_id: str, names: Sequence[str]) -> Settlement | None:
        """
        Returns word of an effect that came before anybody waited for it; None when there is none, or no telling which.

        Args:
            execution_id: The execution whose effect it is.
            node_id: The node whose effect it is.
            names: Under which the effect may be reported, such as sms:+254711000001.

        Raises:
            StoreUnavailable: It cannot be looked up now.
        """
        ...


class AttemptObserver(Protocol):
    """Sees one attempt of one node."""

    def ended(self, status: str, error: NodeError | None) -> None:
        """The attempt ended so."""
        ...


class Observer(Protocol):
    """Sees every attempt of every node."""

    def attempt(
        self, program: Program, state: ExecutionState, node: RunnableNode, number: int
    ) -> AbstractContextManager[AttemptObserver]:
        """Wraps an attempt; `number` counts from 1."""
        ...
