"""
The state of an execution: everything that is needed to go on after a crash, as plain values.

A state is journaled whole; what nodes answered is journaled beside it, as results.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workflow.errors import NodeError
from workflow.outcome import WaitKind
from workflow.session import DataChange, Scope, TurnSession
from workflow.voice import Action


class ExecutionStatus(StrEnum):
    """How an execution stands."""

    COMPLETED = "completed"
    FAILED = "failed"
    RUNNING = "running"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


FAILURES = frozenset({ExecutionStatus.FAILED, ExecutionStatus.TIMEOUT})
"""How an execution stands that failed; one that was cancelled did as it was told."""


class NodeStatus(StrEnum):
    """How an attempt ended."""

    SUCCESS = "success"
    ERROR = "error"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"


class SettledBy(StrEnum):
    """How it was settled whether an effect took place."""

    REPORT = "delivery_report"
    """The outside reported that it did."""

    REPETITION = "repetition"
    """Nobody reported it, so it was repeated: it may have taken place twice."""


class Signal(StrEnum):
    """What a turn is that brings nothing for the flow to read."""

    HANG_UP = "hang_up"
    """The person or the network ended the session: nobody can answer any more, unless a new dial may continue it."""

    ABANDON = "abandon"
    """The person chose to start again: nobody will answer any more."""

    CHECK = "check"
    """The person was told that the answer takes longer, and asks for it again."""

    NO_INPUT = "no_input"
    """The caller pressed no key in time."""

    ANSWERED = "answered"
    """A person who was called picks up; the payload names the call."""

    CALL_ENDED = "call_ended"
    """A call is over, or never began; the payload names it and says why."""

    SMS = "sms"
    """The person sent the message that a node waits for; the payload holds it."""

    REPORT = "report"
    """The outside reported an effect whose outcome was unknown; the payload is a Settlement."""


class Stage(StrEnum):
    """Where a node is in its visit."""

    PENDING = "pending"
    READY = "ready"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"


class Decision(StrEnum):
    """What is known of an edge."""

    TAKEN = "taken"
    """Taken, and its target has not run on it yet."""

    USED = "used"
    """Taken, and its target has run on it."""

    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A visit that a node was asked for while it was busy.

    Attributes:
        edge: Id of the edge that leads to it.
        config: Config with its texts as they were then, where it has effects; None where they are rendered later.
    """

    edge: str
    config: dict[str, Any] | None


@dataclass(slots=True)
class NodeState:
    """
    Attributes:
        visit: Number of the last visit, from 0; -1 before the first.
        attempt: Attempts that ended in this visit.
        begun: Number of the newest attempt of this visit whose beginning was noted; 0 where none was.
        arrived: Ids of the edges that began this visit, in the order of their handles.
        output: Output of the last successful visit.
        error: Why the last attempt of this visit failed; None where none has.
        config: Config as this visit began with it, texts rendered, where it has effects; None otherwise.
        retry_delay_ms: Pause before the next attempt of this visit; None before the first.
        repetition: How often its effect was repeated in this visit since its outcome stayed unknown.
        asked: Visits to come once this one has ended, oldest first.
        succeeded: Whether this visit has succeeded.
        kept: Whether its success stands though the branch that it is in is tried again.
        tries_again: Of a node that tries its branch again: whether it does, or gives up, once nothing of the branch
            runs any more; None while nothing has failed.
        tried_since_ms: Likewise: when the branch was tried first in this visit, Unix time.
        skip_told: Whether the log says that it was skipped after its last visit.
    """

    stage: Stage = Stage.PENDING
    visit: int = -1
    attempt: int = 0
    begun: int = 0
    arrived: list[str] = field(default_factory=list)
    output: dict[str, Any] | None = None
    error: NodeError | None = None
    config: dict[str, Any] | None = None
    retry_delay_ms: int | None = None
    repetition: int = 0
    asked: list[Asked] = field(default_factory=list)
    succeeded: bool = False
    kept: bool = False
    tries_again: bool | None = None
    tried_since_ms: int = 0
    skip_told: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    A suspended node.

    Attributes:
        expires_at_ms: Unix time.
        memory: What the node gets back.
        since_ms: Unix time.
        active_ms: How long the visit had run before it waited.
    """

    kind: WaitKind
    expires_at_ms: int
    memory: dict[str, Any]
    since_ms: int
    active_ms: int = 0


@dataclass(frozen=True, slots=True)
class NodeResult:
    """
    One attempt of one node, as the log shows it.

    Attributes:
        executed_at_ms: Unix time of its start.
        attempt: From 1; 0 for a skipped node.
        visit: How often the node had run before.
        retry_delay_ms: How long the engine waited before the attempt; None on the first.
        settled_by: What settled an effect whose outcome was unknown before; None where nothing had to.
        handle: Handle that the node left by, masked where it shows what is secret; None where it did not succeed, or
            has none.
    """

    node_id: str
    status: NodeStatus
    executed_at_ms: int
    duration_ms: int = 0
    attempt: int = 0
    visit: int = 0
    output: dict[str, Any] | None = None
    error: NodeError | None = None
    retry_delay_ms: int | None = None
    settled_by: SettledBy | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What a turn says to the person.

    Attributes:
        kind: `con` a screen, or words in a call, that expect input; `end` the last ones.
        text: The screen; of a call, what is heard.
        actions: What is done in a call, in this order.
        turn: Of a call: key of the turn that it answers, by which the next turn names it; empty where it answers none.
    """

    kind: str
    text: str
    actions: tuple[Action, ...] = ()
    turn: str = ""


@dataclass(slots=True)
class Call:
    """The call in which an execution talks: its session, and whether it is over."""

    session_id: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """What is to be committed to the sessions service, repeatable by its id."""

    commit_id: str
    changes: dict[Scope, list[DataChange]]
    ttl_seconds: int
    end: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """
    What came in for an execution.

    Attributes:
        number: Its place among the turns of the execution, from 1.
        key: Names the turn among those of its session: the mark of a USSD callback's text; None where nobody waits
            for a screen.
        payload: Overlays the trigger payload; what was typed may be encrypted.
        skip: Characters at the beginning of the text that were not for the flow.
        signal: None where the turn is for the flow to read.
        node_id: The node that a signal is for, None where it is for all.
        line: Session of the call that it came in by, where that is not the execution's own session.
    """

    number: int
    key: str | None
    payload: dict[str, Any]
    skip: int = 0
    signal: Signal | None = None
    node_id: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """
    How an execution runs.

    Attributes:
        max_active_ms: Longest active time; waiting does not count.
        missed_calls: Of a rehearsal of what ran before: why nobody could be talked to in a call, such as NO_ANSWER, by
            the node and its visit that placed it, written node:visit.
    """

    max_active_ms: int
    continue_on_error: bool
    dry_run: bool
    missed_calls: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ExecutionState:
    """
    Attributes:
        graph_digest: Names the compiled flow that it runs.
        turns: Turns taken so far, the trigger's included.
        payload: That of the trigger, overlaid by those of later turns; what must not be read is encrypted.
        inputs: Entries of the turn under way that no screen has taken yet, encrypted where one may be secret.
        texts: What the turn under way has to say so far.
        actions: What it has to do in the call so far.
        call: The call in which it talks; None where there was none yet.
        line: Session of the call that the last turn which wants an answer came in by; None: the execution's own.
        visits: Visits so far, against endless loops.
        active_ms: Active time of the turns that ended.
        commits: What is to be committed to the session, until it is confirmed.
        session_ended: Whether one of the commits so far ends the session.
        broken_off: Whether an engine died, or lost its lease, since the execution came to rest last: what runs now may
            have begun there already, without a word of it in the journal.
        turn_key: Key of the turn under way that is not answered yet; None when there is none.
        passed_over: Failures that nothing caught and the flow went on behind, see continueOnError.
        restarted: How often the flow had failed and was started again for the same cause before this execution; None
            where its trigger did not start it, so that it is not started again.
        trace: W3C traceparent of the last turn; empty when tracing is off.
        traces: Trace ids of the turns, oldest first.
    """

    execution_id: str
    workflow_id: str
    workflow_version: int
    graph_digest: str
    started_at_ms: int
    options: Options
    payload: dict[str, Any]
    status: ExecutionStatus = ExecutionStatus.RUNNING
    completed_at_ms: int | None = None
    session_id: str | None = None
    session: TurnSession | None = None
    nodes: dict[str, NodeState] = field(default_factory=dict)
    edges: dict[str, Decision] = field(default_factory=dict)
    waits: dict[str, Waiting] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    call: Call | None = None
    line: str | None = None
    reply: Reply | None = None
    output: dict[str, Any] = field(default_factory=dict)
    error: NodeError | None = None
    turns: int = 0
    inputs: list[str | dict[str, str]] = field(default_factory=list)
    visits: int = 0
    active_ms: int = 0
    commits: list[Commit] = field(default_factory=list)
    commit_count: int = 0
    session_ended: bool = False
    broken_off: bool = False
    turn_key: str | None = None
    passed_over: int = 0
    restarted: int | None = None
    trace: str = ""
    traces: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status is not ExecutionStatus.RUNNING

    def say_nothing(self) -> None:
        """Drops what there was to say: nobody is left to hear it."""
        self.texts.clear()
        self.actions.clear()

    def node(self, node_id: str) -> NodeState:
        """The state of a node, made when it is first asked for."""
        found = self.nodes.get(node_id)
        if found is None:
            found = self.nodes[node_id] = NodeState()
        return found

    def ready(self) -> list[str]:
        """Nodes whose visit has begun and not ended."""
        return [node_id for node_id, node in self.nodes.items() if node.stage is Stage.READY]


MAX_TRACES = 100
"""Trace ids that are kept of one execution; the oldest go first."""
