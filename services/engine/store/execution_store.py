"""What the engine stores, and what it asks of the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.engine.core.ports import Journal
from services.engine.core.state import ExecutionState, NodeResult, Reply, Turn
from services.engine.store.typed_text import TextMarks

MAX_SCANNED = 5000
"""Executions that one call looks at for a filter; a page may end early and go on with the next call."""

LONGEST_IDEMPOTENCY_KEY = 256
"""Characters of a key that a caller names a request by."""


@dataclass(frozen=True, slots=True)
class TakenUp:
    """
    An execution that this engine may run now.

    Attributes:
        state: As it was journaled last.
        turns: What came in and was not taken yet.
        journal: Writes under the lease that was taken.
    """

    state: ExecutionState
    turns: Sequence[Turn]
    journal: Journal


@dataclass(frozen=True, slots=True)
class Answered:
    """The turn was answered before, or is out of order: this is what the person sees."""

    reply: Reply
    execution_id: str


@dataclass(frozen=True, slots=True)
class Queued:
    """
    The turn is recorded; a run that is under way takes it.

    Attributes:
        here: Whether that run is in this process.
        turn: None when the same turn had been recorded before.
    """

    execution_id: str
    here: bool
    turn: Turn | None


@dataclass(frozen=True, slots=True)
class Occupied:
    """Another execution is live on the session."""

    execution_id: str
    workflow_id: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """
    An execution that a new dial may continue.

    Attributes:
        session_id: The session that it waits on.
        text: Cumulative text of that session, encrypted where a key is configured.
        dialled: Length of the text with which the new session began.
    """

    execution_id: str
    session_id: str
    text: str | dict[str, str]
    dialled: int


@dataclass(frozen=True, slots=True)
class Offered:
    """The person was asked whether to continue; this callback brings the choice."""

    interrupted: Interrupted


@dataclass(frozen=True, slots=True)
class Continued:
    """The person continues an earlier session: what comes behind the first `skip` characters is for that one."""

    interrupted: Interrupted
    skip: int


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest callback of a session that was taken, by its mark, and whether its turn has been answered in full."""

    mark: str
    is_answered: bool


class NoExecution:
    """There is no execution for it: the session has none yet and none was offered, or it has ended."""


@dataclass(frozen=True, slots=True)
class OpenEffect:
    """An effect of a node whose outcome is unknown."""

    execution_id: str
    node_id: str


Begun = TakenUp | Answered | Queued | Occupied | Offered | Continued | NoExecution


@dataclass(frozen=True, slots=True)
class Report:
    """
    What was said of one message, of airtime or of a payment; times are Unix milliseconds, empty text means unknown.

    Attributes:
        message_id: Its id at the provider.
        channel: sms, airtime or payment.
        amount: Such as KES 10.5; empty for a message.
        subject: What it is known by where its id is not; empty means the number.
    """

    message_id: str
    status: str
    number: str
    failure_reason: str
    network_code: str
    received_at_ms: int
    channel: str = "sms"
    amount: str = ""
    subject: str = ""

    @property
    def name(self) -> str:
        """What leads to the execution that sent it, such as sms:ATXid_…."""
        return f"{self.channel}:{self.message_id}"

    @property
    def about(self) -> str | None:
        """What a send with an unknown outcome may be waiting for, such as sms:+254711000001."""
        subject = self.subject or self.number
        return f"{self.channel}:{subject}" if subject else None


@dataclass(frozen=True, slots=True)
class Stored:
    """An execution as the log shows it. `results` is empty where only the summary was asked for."""

    state: ExecutionState
    results: Sequence[NodeResult]
    reports: Sequence[Report]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which executions to list; None means any. Times are Unix milliseconds, the end is exclusive."""

    workflow_id: str | None
    status: str | None
    from_ms: int | None
    until_ms: int | None


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Where a listing goes on that runs from the newest to the oldest: behind this time, Unix ms, and this id."""

    at_ms: int
    id: str


class ExecutionStore(Protocol):
    """Keeps executions. Every call is one round trip unless it says otherwise, and raises StoreUnavailable."""

    async def begin_turn(
        self,
        session_id: str,
        marks: TextMarks,
        turn: Mapping[str, Any],
        fresh: ExecutionState | None,
        placed_by: str | None = None,
        declined: Interrupted | None = None,
    ) -> Begun:
        """
        Records a callback of a phone's session and takes the lease, or says what became of the callback before.

        Args:
            marks: Of the callback. One that does not continue the one before is out of order.
            fresh: The execution to begin where the session has none.
            placed_by: The execution that placed the call which the session is; NoExecution where it has ended.
            declined: What the person was offered to go on with and does not want. It stands until `fresh` begins.
        """
        ...

    async def begin_on_session(self, turn: Mapping[str, Any], fresh: ExecutionState) -> Begun:
        """
        Records a turn for the suspended execution of the session, or starts `fresh`; takes the lease. NoExecution where
        the phone's session is over.

        The id of `fresh` is kept for 24 h: with the same id the call is a repetition, is Queued and records nothing.
        """
        ...

    async def live_on(self, session_id: str) -> str | None:
        """Returns the execution that a session has, None when the next turn would begin one."""
        ...

    async def create(self, turn: Mapping[str, Any], fresh: ExecutionState) -> TakenUp | None:
        """Records a new execution and takes its lease; None when the id is taken."""
        ...

    async def take_up(self, execution_id: str) -> TakenUp | None:
        """Takes the lease of an execution that nobody runs; None when somebody does or there is none."""
        ...

    async def hand_over(self, execution_id: str) -> None:
        """Gives up the lease of an execution that must go on: it is due at once, for another engine to take up."""
        ...

    async def renew(self, execution_ids: Sequence[str]) -> None:
        """Prolongs the leases that this engine holds."""
        ...

    async def turns_behind(self, seen: Mapping[str, int]) -> Mapping[str, Sequence[Turn]]:
        """Reads, by execution, the turns that came in behind those that were seen."""
        ...

    async def due(self, limit: int) -> Sequence[str]:
        """Returns executions whose timer is due or whose lease ran out, those that wait longest first."""
        ...

    async def read(self, execution_id: str) -> Stored | None:
        """
        Reads one execution with its results and reports; two trips.

        An id that was offered as fresh stands for the execution that took the turn; that costs two trips more.
        """
        ...

    async def results_behind(self, execution_id: str, seen: int) -> tuple[ExecutionState, Sequence[NodeResult]] | None:
        """Reads how an execution stands, and its results behind the first so many; None when there is no such one."""
        ...

    async def page(
        self, wanted: Filter, limit: int, after: Cursor | None
    ) -> tuple[Sequence[ExecutionState], Cursor | None]:
        """Lists executions, newest first; a page may be shorter than `limit` and still have a next one."""
        ...

    async def report(self, report: Report) -> str | None:
        """Keeps a delivery report; returns the execution that sent the message, None when that is not known."""
        ...

    async def answer_of(self, session_id: str, mark: str) -> Reply | None:
        """Reads the answer to the USSD callback whose text has this mark, None while there is none."""
        ...

    async def newest_of(self, session_id: str) -> Newest | None:
        """Reads which callback of a call was taken last, None where none was."""
        ...

    async def answer_late(self, session_id: str, mark: str, reply: Reply) -> Reply:
        """
        Answers a USSD callback whose turn takes too long, unless it has its answer by now; returns the answer.

        A last screen closes the session for the phone. Behind any other one the next callback asks for the answer
        again, whatever was typed.
        """
        ...

    async def correlated(self, name: str) -> str | None:
        """Returns the execution that an id of the outside belongs to."""
        ...

    async def offer(self, session_id: str, mark: str, interrupted: Interrupted, prompt: Reply) -> Reply:
        """
        Asks the person of a new session whether to continue, or asks again behind a further text; returns what a
        repeated callback gets as well.
        """
        ...

    async def continue_with(self, session_id: str, mark: str, continued: Continued, screen: Reply) -> None:
        """Makes a new session stand for the interrupted one from now on, and shows where that one was."""
        ...

    async def end_session(self, session_id: str, turn: Mapping[str, Any]) -> Begun:
        """
        Records that the phone's session ended, once; NoExecution where nothing can wait for the person.

        Of a session that is not known it is kept: what the first callback of it begins is told right behind that.
        """
        ...

    async def signal(self, execution_id: str, turn: Mapping[str, Any]) -> Begun:
        """Records a signal for an execution and takes the lease; NoExecution where it has ended."""
        ...

    async def unsettled(self, name: str, since_ms: int) -> Sequence[OpenEffect]:
        """
        Returns the effects with an unknown outcome that a report under this name may be of, two at the most.

        Args:
            since_ms: Unix time of the report; effects whose wait had ended by then are left out.
        """
        ...

    async def unmatched(self, name: str) -> Sequence[Report]:
        """Returns the newest reports of messages that no execution is known to have sent, by whom they went to."""
        ...

    async def settled(self, name: str, effect: OpenEffect) -> None:
        """Notes that an effect is settled: no further report is for it."""
        ...

    async def claimed(self, key: str) -> tuple[str, str] | None:
        """Returns what a key was claimed with, see `claim_key`; None when it is free."""
        ...

    async def claim_key(self, key: str, digest: str, execution_id: str) -> tuple[str, str]:
        """Binds an idempotency key for 24 h unless it is bound; returns (digest, execution id) that it is bound to."""
        ...
