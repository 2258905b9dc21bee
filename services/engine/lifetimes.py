"""How long a store keeps what, and when it must look at an execution again. Times are Unix milliseconds."""

from dataclasses import dataclass

LEDGER_LIFE_MS = 24 * 3600 * 1000
"""How long a session's ledger lives after its last write while an execution is live on it."""

CLOSED_LEDGER_LIFE_MS = 2 * 3600 * 1000
"""How long the answers of a closed session are kept, so that a late repetition is answered and not run."""

MAX_UNMATCHED = 20
"""Reports of unknown messages that are kept of one phone number, the newest ones."""

MAX_REPORTS = 50
"""Delivery reports that are kept of one message, the newest ones."""

IDEMPOTENCY_LIFE_MS = 24 * 3600 * 1000
UNSETTLED_GRACE_MS = 60_000
COMMIT_CHECK_MS = 10_000
"""An execution whose commit is not confirmed is looked at again after so long."""

MARGIN_MS = 8 * 24 * 3600 * 1000

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
