"""One visit of one node: its attempts, what it answers, and which edges that takes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from services.engine.core import flow
from services.engine.core.attempts import TIMED_OUT, Attempt, Attempts, status_of
from services.engine.core.program import Program
from services.engine.core.retry import next_delay_ms
from services.engine.core.state import (
    ExecutionState,
    NodeResult,
    NodeStatus,
    SettledBy,
    Waiting,
)
from services.engine.core.surroundings import Surroundings
from workflow.errors import OUTCOME_UNKNOWN, NodeError, NodeFailure, permanent, transient
from workflow.node_type import Resumption
from workflow.outcome import Done, Settlement, Wait, WaitKind
from workflow.voice import Action

LONGEST_PAUSE_MS = 1000
"""A longer pause between attempts is a timer in the journal: it holds no memory and survives a crash."""

MAX_REPETITIONS = 2
"""An effect whose outcome stays unknown is repeated so often, where its type repeats it at all."""

RESUMPTION_GRACE_SECONDS = 60
"""A session outlives the time in which a new dial may continue it by so much."""

Log = Callable[[NodeResult], None]
Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Suspended:
    """The node waits for the outside, and may have something to show; `settled_by` names who may report to it."""

    wait: Waiting
    text: str | None = None
    settled_by: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    correlations: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ended:
    """The node succeeded, or was passed through (then it has no output)."""

    taken: list[str]
    output: dict[str, Any] | None = None
    text: str | None = None
    correlations: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    opens_call: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """
    The node failed for good.

    Attributes:
        taken: Ids of the edges that it takes; None when nothing catches it.
        passed_over: Whether no edge catches it and the flow goes on all the same.
    """

    error: NodeError
    taken: list[str] | None
    wait_expired: bool = False
    passed_over: bool = False


Outcomes = Suspended | Ended | Failed


class Visit:
    """A visit that has begun; one of its methods is called once and says how it went."""

    def __init__(
        self,
        program: Program,
        state: ExecutionState,
        node_id: str,
        around: Surroundings,
        *,
        may_have_begun: bool = False,
    ) -> None:
        """`may_have_begun`: Whether an engine that is gone may have begun its first attempt."""
        self.node_id = node_id
        self._state = state
        self._around = around
        self._settings = program.graph.settings
        self._node = program.nodes[node_id]
        self._own = state.node(node_id)
        self._attempts = Attempts(program, state, node_id, around, may_have_begun=may_have_begun)

    def texts(self) -> dict[str, Any] | None:
        """Renders the config of a node with effects as of now; None where it has none, or cannot be rendered."""
        return self._attempts.texts()

    def settle_texts(self, log: Log) -> Failed | None:
        """Renders the config of a node with effects for all attempts of this visit; returns a failure to do so."""
        attempt = self._attempts.settle_texts()
        if attempt is None:
            return None
        concluded = self._concluded(attempt, log)
        assert isinstance(concluded, Failed)
        return concluded

    async def run(self, before_attempt: Step, to_note_beginning: Step, log: Log) -> Outcomes:
        """
        Runs a node that reaches outside, as often as its policy says.

        Args:
            before_attempt: Writes the journal where an effect must not begin before that.
            to_note_beginning: Writes the journal in any case, since it must say that the attempt begins.
            log: Takes what each attempt came to.
        """
        if self._own.repetition:
            settlement = await self._attempts.early_settlement()
            if settlement is not None:
                return self.settled(settlement, log)
        notes_beginning = self._attempts.notes_beginning()
        while True:
            if notes_beginning:
                self._attempts.note_beginning()
                await to_note_beginning()
            else:
                await before_attempt()
            attempt = await self._attempts.in_time()
            outcome = self._concluded(attempt, log)
            if attempt.failure is None:
                return outcome
            if attempt.failure.error.code == OUTCOME_UNKNOWN:
                settlement = await self._attempts.early_settlement()
                if settlement is not None:
                    return self.settled(settlement, log)
                return self._awaiting_settlement() or outcome
            delay_ms = next_delay_ms(
                self._node.node.retry,
                attempt.failure.error,
                attempt.number,
                attempt.failure.retry_after_ms,
                self._around.random,
            )
            if delay_ms is None:
                return outcome
            self._own.retry_delay_ms = delay_ms
            if delay_ms > LONGEST_PAUSE_MS:
                return self._suspended(WaitKind.RETRY, delay_ms)
            await self._around.sleep(delay_ms / 1000)

    def run_at_once(self, log: Log) -> Outcomes:
        """Runs a node that reaches nothing outside: it never waits, so it needs neither task nor time-out."""
        return self._concluded(self._attempts.at_once(), log)

    def resume_at_once(self, wait: Waiting, resumption: Resumption, log: Log) -> Outcomes:
        """Goes on with a node that waited."""
        return self._concluded(self._attempts.resumed(resumption), log, before_ms=wait.active_ms)

    def settled(self, settlement: Settlement, log: Log) -> Outcomes:
        """Goes on with a node whose effect is known to have taken place."""
        return self._concluded(self._attempts.settled(settlement), log, settled_by=SettledBy.REPORT)

    def unsettled(self) -> Failed | None:
        """Ends the wait for a report that did not come: None where the effect is to be repeated."""
        if self._node.type.repeats_unknown and self._own.repetition < MAX_REPETITIONS:
            self._own.repetition += 1
            return None
        message = "nobody reported in time whether the effect took place"
        error = permanent(OUTCOME_UNKNOWN, message)
        return self._failed(error)

    def kept(self) -> Ended:
        """Passes through a node whose success stands from an earlier try of its branch."""
        self._own.kept = False
        return Ended(
            flow.success_edges(self._node, self._node.usual_handle, self._attempts.surely_holds), self._own.output
        )

    def passed(self, log: Log) -> Outcomes:
        """Passes through a disabled node."""
        now = self._around.now_ms()
        try:
            taken = flow.passing_edges(self._node, self._attempts.holds)
        except NodeFailure as failure:
            error = failure.error
            log(NodeResult(self.node_id, NodeStatus.ERROR, now, attempt=1, visit=self._own.visit, error=error))
            return self._failed(error)
        log(NodeResult(self.node_id, NodeStatus.SKIPPED, now, visit=self._own.visit))
        return Ended(taken)

    def expired(self, wait: Waiting, why: str, log: Log) -> Outcomes:
        """Ends a wait that nobody answered."""
        error = transient(TIMED_OUT, why)
        self._own.attempt += 1
        started_ms = wait.since_ms - wait.active_ms
        log(
            NodeResult(
                self.node_id,
                NodeStatus.TIMEOUT,
                started_ms,
                wait.active_ms,
                self._own.attempt,
                self._own.visit,
                error=error,
            )
        )
        self._own.error = error
        # Nobody answered, so what stands behind the answer does not run, not even where errors are passed over.
        taken = flow.failure_edges(self._node, timed_out=True, holds=self._attempts.surely_holds)
        return Failed(error, taken or None, wait_expired=True)

    def _awaiting_settlement(self) -> Suspended | None:
        """The wait for word of an effect whose outcome is unknown; None where no word and no second try can come."""
        names = self._attempts.settled_by()
        if not names and not self._node.type.repeats_unknown:
            return None
        return self._suspended(WaitKind.SETTLEMENT, self._around.settle_ms, names)

    def _suspended(self, kind: WaitKind, delay_ms: int, settled_by: list[str] | None = None) -> Suspended:
        now = self._around.now_ms()
        return Suspended(Waiting(kind, now + delay_ms, {}, now), settled_by=settled_by or [])

    def _concluded(
        self, attempt: Attempt, log: Log, *, before_ms: int = 0, settled_by: SettledBy | None = None
    ) -> Outcomes:
        now = self._around.now_ms()
        active_ms = before_ms + now - attempt.started_ms
        if isinstance(attempt.outcome, Wait):
            wait = attempt.outcome
            lasts_ms = self._resumable_for(wait)
            return Suspended(
                Waiting(wait.kind, now + lasts_ms, dict(wait.memory), now, active_ms),
                wait.text,
                actions=list(wait.actions),
                correlations=list(wait.correlations),
            )
        self._own.attempt = attempt.number
        error = None if attempt.failure is None else attempt.failure.error
        output = None if error is not None else self._own.output
        log(
            NodeResult(
                self.node_id,
                NodeStatus.SUCCESS if error is None else status_of(error),
                attempt.started_ms,
                active_ms,
                attempt.number,
                self._own.visit,
                output,
                error,
                self._own.retry_delay_ms,
                SettledBy.REPETITION if settled_by is None and self._own.repetition else settled_by,
                attempt.handle,
            )
        )
        if error is not None:
            return self._failed(error)
        self._own.error = None
        done = attempt.outcome
        assert isinstance(done, Done)
        return Ended(
            attempt.taken, output, done.text, list(done.correlations), list(done.actions), opens_call=done.opens_call
        )

    def _resumable_for(self, wait: Wait) -> int:
        """How long a node waits, ms: for a person at least as long as a new dial may continue the session."""
        window_ms = self._settings.resume_within_ms
        if wait.kind is not WaitKind.INPUT or window_ms <= wait.expires_in_ms:
            return wait.expires_in_ms
        if self._state.session is not None:
            self._state.session.live_for(window_ms // 1000 + RESUMPTION_GRACE_SECONDS)
        return window_ms

    def _failed(self, error: NodeError) -> Failed:
        """A failure, with the edges that it takes; their conditions see it."""
        self._own.error = error
        taken = flow.failure_edges(self._node, error.code == TIMED_OUT, self._attempts.surely_holds)
        if taken or not self._state.options.continue_on_error:
            return Failed(error, taken or None)
        return Failed(error, flow.plain_edges(self._node, self._attempts.surely_holds), passed_over=True)
