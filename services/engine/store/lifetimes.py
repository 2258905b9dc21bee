"""How long a store keeps what, and when it must look at an execution again. Times are Unix milliseconds."""

from dataclasses import dataclass

from services.engine.core.state import ExecutionState
from workflow.session import USSD
from workflow.voice import VOICE

LEDGER_LIFE_MS = 24 * 3600 * 1000
"""How long a session's ledger lives after its last write while an execution is live on it."""

CLOSED_LEDGER_LIFE_MS = 2 * 3600 * 1000
"""How long the answers of a closed session are kept, so that a late repetition is answered and not run."""

MAX_UNMATCHED = 20
"""Reports of unknown messages that are kept of one phone number, the newest ones."""

MAX_REPORTED = 1000
"""
Messages that nobody knows and that are kept of one phone number, the newest ones; likewise airtime and payments. What
is reported of those before is forgotten: it could not be found by the number any more.
"""

MAX_REPORTS = 50
"""Delivery reports that are kept of one message, the newest ones."""

MOST_FOLLOW_UPS = 100_000
"""Failed executions that something has to follow, of all flows together; those that were due first go first."""

IDEMPOTENCY_LIFE_MS = 24 * 3600 * 1000
UNSETTLED_GRACE_MS = 60_000
COMMIT_CHECK_MS = 10_000
"""An execution whose commit is not confirmed is looked at again after so long."""

MARGIN_MS = 8 * 24 * 3600 * 1000
"""Default of Retention.margin_ms: a week without any engine, and a day."""

ROUNDS_PER_MARGIN = 8
"""So many rounds of the upkeep may fail one after the other before an execution that waits loses anything."""


@dataclass(frozen=True, slots=True)
class Retention:
    """
    Lives of what the engine keeps, ms.

    Attributes:
        executions_ms: Executions that have ended.
        unmatched_ms: Delivery reports of messages that nobody knows, in case one of them was sent by us.
        margin_ms: What executions need and what lies outside of their partition (graphs, correlations, reports) lives
            so much longer than an ended execution, counted from its last use. For executions that wait it is
            prolonged; no engine may be there for so long before one of them loses something.
    """

    executions_ms: int
    unmatched_ms: int
    margin_ms: int = MARGIN_MS

    @property
    def shared_ms(self) -> int:
        """The life of graphs, correlations and reports."""
        return self.executions_ms + self.margin_ms

    @property
    def prolonged_every_ms(self) -> int:
        """How often the lives of what is in use are prolonged."""
        return max(1, self.margin_ms // ROUNDS_PER_MARGIN)


def closed(state: ExecutionState) -> bool:
    """Whether the phone's session, or the call that was talked in last, is over with this state."""
    if state.line is not None:
        return state.ended
    if state.session is None or state.session.type not in (USSD, VOICE):
        return False
    # A call goes on behind the last words, until the network says that it is over.
    return state.ended or (state.session.type == USSD and state.reply is not None and state.reply.kind == "end")


def makes_room(state: ExecutionState) -> bool:
    """Whether the state's session may have another execution: this one has ended, and its commits are applied."""
    return state.ended and not state.commits


def ledger_life_ms(state: ExecutionState, now_ms: int) -> int:
    """How long the ledger of the state's session lives after this write."""
    if closed(state):
        return CLOSED_LEDGER_LIFE_MS
    last_wait = max((wait.expires_at_ms for wait in state.waits.values()), default=0)
    return LEDGER_LIFE_MS + max(0, last_wait - now_ms)


def wake_at(state: ExecutionState) -> int | None:
    """When somebody must look at an execution that waits and has nothing to commit; None means never."""
    return min((wait.expires_at_ms for wait in state.waits.values()), default=None)


def due_at(state: ExecutionState, now_ms: int) -> int | None:
    """When somebody must look at a released execution, its commits included; None means never."""
    wake = wake_at(state)
    if not state.commits:
        return wake
    check = now_ms + COMMIT_CHECK_MS
    return check if wake is None else min(check, wake)


def note_confirmed(state: ExecutionState, version: int) -> None:
    """Puts down that the commits of the state were applied after it was written."""
    if state.session is not None:
        state.session.stale = version != state.session.version + len(state.commits)
        state.session.version = version
    state.commits.clear()
