"""Executions in the memory of this process, as lua/*.lua keeps them in Redis. It is written and read as bytes."""

from dataclasses import dataclass, field

from services.engine.store.execution_store import Cursor


@dataclass(slots=True)
class KeptExecution:
    """
    Attributes:
        state: As it was journaled last.
        runs: Whether it has not ended.
        fence: Number of the lease that may write.
        owner: Who holds the lease, None when nobody does.
        lease_until_ms: When the lease runs out, Unix time.
        taken: Turns that the state has taken.
        confirmed: Version of the session with all commits of the state applied; None while that is not known.
        gone_at_ms: End of its retention, Unix time; None while it runs.
    """

    state: bytes
    workflow_id: str
    runs: bool = True
    fence: int = 0
    owner: str | None = None
    lease_until_ms: int = 0
    taken: int = 0
    confirmed: int | None = None
    gone_at_ms: int | None = None
    turns: list[bytes] = field(default_factory=list)
    results: list[bytes] = field(default_factory=list)
    correlations: list[str] = field(default_factory=list)

    def leased_by(self, now_ms: int) -> str | None:
        """Returns who runs the execution now."""
        return self.owner if self.lease_until_ms > now_ms else None


@dataclass(slots=True)
class Ledger:
    """
    The live execution of a session and the answers to its USSD callbacks.

    Attributes:
        last: Mark of the newest callback that was taken.
        reply: The newest answer.
        closed: Whether it takes no more callbacks.
        busy: Whether the person was told that the answer takes longer.
        hung_up: Whether the end of the phone's session was recorded.
        ended_early: What was recorded of that end before anything else was known of the session.
        offered: What the person was asked whether to continue.
        continued: What the session stands for.
        answers: By the mark of the callback.
        gone_at_ms: When it is forgotten, Unix time.
    """

    execution_id: str | None = None
    last: str | None = None
    reply: bytes | None = None
    closed: bool = False
    busy: bool = False
    hung_up: bool = False
    ended_early: bytes | None = None
    offered: bytes | None = None
    continued: bytes | None = None
    answers: dict[str, bytes] = field(default_factory=dict)
    gone_at_ms: int = 0

    @property
    def is_new(self) -> bool:
        """Whether nothing was written to it yet."""
        return self.gone_at_ms == 0


@dataclass(slots=True)
class Expiring:
    """A value and when it is forgotten, Unix time."""

    value: str
    gone_at_ms: int


@dataclass(slots=True)
class Reports:
    """What the outside reported of one id, oldest first, and when it is forgotten, Unix time."""

    written: list[bytes] = field(default_factory=list)
    gone_at_ms: int = 0


@dataclass(slots=True)
class Timed:
    """Things by a time of theirs, and when all are forgotten, Unix time."""

    times: dict[str, int] = field(default_factory=dict)
    gone_at_ms: int = 0

    def since(self, from_ms: int) -> list[str]:
        """Returns those of this time and later, in its order."""
        return [
            thing for time_ms, thing in sorted((ms, thing) for thing, ms in self.times.items()) if time_ms >= from_ms
        ]


@dataclass(slots=True)
class Memory:
    """
    What several engines share.

    Attributes:
        due: When somebody must look at an execution, Unix time.
        started: Executions by start, each with its flow.
        unsettled: By name, effects with an unknown outcome by the end of their wait.
        unmatched: By name, messages that nobody knows by the time of their report.
        resumed: Execution that took the turn of a call which would otherwise have begun one, by the id of that.
    """

    executions: dict[str, KeptExecution] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    started: list[tuple[Cursor, str]] = field(default_factory=list)
    correlations: dict[str, Expiring] = field(default_factory=dict)
    reports: dict[str, Reports] = field(default_factory=dict)
    unsettled: dict[str, Timed] = field(default_factory=dict)
    unmatched: dict[str, Timed] = field(default_factory=dict)
    keys: dict[str, Expiring] = field(default_factory=dict)
    resumed: dict[str, Expiring] = field(default_factory=dict)

    def execution(self, execution_id: str, now_ms: int) -> KeptExecution | None:
        """Returns an execution whose retention is not over."""
        kept = self.executions.get(execution_id)
        if kept is not None and kept.gone_at_ms is not None and kept.gone_at_ms <= now_ms:
            del self.executions[execution_id]
            return None
        return kept

    def ledger(self, session_id: str, now_ms: int) -> Ledger:
        """Returns the ledger of a session, an empty one where there is none."""
        ledger = self.ledgers.get(session_id)
        if ledger is None or ledger.gone_at_ms <= now_ms:
            # One that is new lives on once somebody sets its end.
            ledger = self.ledgers[session_id] = Ledger()
        return ledger
