"""One visit of one node: its attempts, what it answers, and which edges that takes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson

from services.engine.core import flow
from services.engine.core.program import Program, RunnableEdge
from services.engine.core.render import decided, evaluations, rendered
from services.engine.core.retry import next_delay_ms
from services.engine.core.scope import RunScope
from services.engine.core.secrets import WatchfulCipher
from services.engine.core.state import ExecutionState, NodeResult, NodeStatus, Waiting, permanent, transient
from services.engine.core.surroundings import Surroundings
from workflow.errors import NodeError, NodeFailure, invalid
from workflow.node_type import Arrival, NodeContext, Resumption
from workflow.outcome import Done, Outcome, Wait
from workflow.sealing import unsealed
from workflow.session import TurnSession

TIMED_OUT = "TIMEOUT"

T = TypeVar("T")
Log = Callable[[NodeResult], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suspended:
    """The node waits for the outside, and may have something to show."""

    wait: Waiting
    text: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The node succeeded, or was passed through (then it has no output)."""

    taken: list[str]
    output: dict[str, Any] | None = None
    text: str | None = None
    correlations: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Failed:
    """The node failed for good; `taken` is None when nothing catches it."""

    error: NodeError
    taken: list[str] | None
    wait_expired: bool = False


Outcomes = Suspended | Ended | Failed


@dataclass(frozen=True, slots=True)
class _Attempt:
    number: int
    started_ms: int
    outcome: Outcome | None
    failure: NodeFailure | None
    taken: list[str]


class Visit:
    """A visit that has begun; one of its methods is called once and says how it went."""

    def __init__(self, program: Program, state: ExecutionState, node_id: str, around: Surroundings) -> None:
        self.node_id = node_id
        self._program = program
        self._state = state
        self._around = around
        self._node = program.nodes[node_id]
        self._own = state.node(node_id)
        self._cipher = WatchfulCipher(around.ports.cipher)
        self._scope = RunScope(state, program, self._cipher)

    def settle_texts(self, log: Log) -> Failed | None:
        """
        Renders the config of a node with effects for all attempts of this visit; returns the failure if it cannot.

        What the texts name may change while the node runs: a retry, here or after a crash, must do the same once more.
        """
        if self._node.fixed is not None or self._own.config is not None:
            return None
        try:
            config = rendered(self._node, self._scope, self._program.formatting)
        except NodeFailure as problem:
            failure = problem
        else:
            self._own.config = self._cipher.concealed(config.model_dump(mode="json", by_alias=True, exclude_none=True))
            return None

        async def work(_: NodeContext) -> Outcome:
            raise failure

        concluded = self._concluded(self._attempt_at_once(work), 0, None, log)
        assert isinstance(concluded, Failed)
        return concluded

    async def run(self, before_attempt: Callable[[], Awaitable[None]], log: Log) -> Outcomes:
        """Runs a node that reaches outside, as often as its policy says. `before_attempt` may write the journal."""
        delay_ms: int | None = None
        while True:
            await before_attempt()
            attempt = await self._attempt(self._in_time)
            outcome = self._concluded(attempt, 0, delay_ms, log)
            if attempt.failure is None:
                return outcome
            delay_ms = next_delay_ms(
                self._node.node.retry,
                attempt.failure.error,
                attempt.number,
                attempt.failure.retry_after_ms,
                self._around.random,
            )
            if delay_ms is None:
                return outcome
            await self._around.sleep(delay_ms / 1000)

    def run_at_once(self, log: Log) -> Outcomes:
        """Runs a node that reaches nothing outside: it never waits, so it needs neither task nor time-out."""
        return self._concluded(self._attempt_at_once(self._work), 0, None, log)

    def resume_at_once(self, wait: Waiting, resumption: Resumption, log: Log) -> Outcomes:
        """Goes on with a node that waited."""

        async def work(context: NodeContext) -> Outcome:
            config = rendered(self._node, self._scope, self._program.formatting)
            return await self._node.type.resume(config, context, resumption)

        return self._concluded(self._attempt_at_once(work), wait.active_ms, None, log)

    def passed(self, log: Log) -> Outcomes:
        """Passes through a disabled node."""
        now = self._around.now_ms()
        try:
            taken = flow.passing_edges(self._node, self._holds)
        except NodeFailure as failure:
            error = failure.error
            log(NodeResult(self.node_id, NodeStatus.ERROR, now, attempt=1, visit=self._own.visit, error=error))
            return Failed(error, self._caught(error))
        log(NodeResult(self.node_id, NodeStatus.SKIPPED, now, visit=self._own.visit))
        return Ended(taken)

    def expired(self, wait: Waiting, log: Log) -> Outcomes:
        """Ends a wait that nobody answered."""
        error = transient(TIMED_OUT, f"nobody answered within {wait.expires_at_ms - wait.since_ms} ms")
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
        # Nobody answered, so what stands behind the answer does not run, not even where errors are passed over.
        taken = flow.failure_edges(self._node, timed_out=True, holds=self._surely_holds)
        return Failed(error, taken or None, wait_expired=True)

    def _attempt_at_once(self, work: Callable[[NodeContext], Coroutine[Any, Any, Outcome]]) -> _Attempt:
        """Makes an attempt that never waits; what a failed one changed in the session is undone."""
        session = self._state.session
        before = None if session is None else _copied(session)
        attempt = _completed(self._attempt(work))
        if attempt.failure is not None:
            self._state.session = before
        return attempt

    async def _attempt(self, work: Callable[[NodeContext], Coroutine[Any, Any, Outcome]]) -> _Attempt:
        number, started_ms = self._own.attempt + 1, self._around.now_ms()
        with self._around.observer.attempt(self._program, self._state, self._node, number) as seen:
            try:
                outcome = await work(self._context(number))
                attempt = _Attempt(number, started_ms, outcome, None, self._taken(outcome))
                seen.ended(NodeStatus.SUCCESS, None)
            except NodeFailure as problem:
                failure = self._masked(problem)
                attempt = _Attempt(number, started_ms, None, failure, [])
                seen.ended(_status(failure.error), failure.error)
            except Exception:  # noqa: BLE001 - a defect in one node is a failure of that node
                _log.exception("a node raised what it must not", extra={"node_type": self._node.node.type})
                defect = NodeFailure(permanent("INTERNAL", "the node met a defect of the platform; it was logged"))
                attempt = _Attempt(number, started_ms, None, defect, [])
                seen.ended(NodeStatus.ERROR, defect.error)
        return attempt

    def _masked(self, failure: NodeFailure) -> NodeFailure:
        """A failure may quote what it could not use."""
        error = replace(failure.error, message=self._cipher.masked(failure.error.message))
        return NodeFailure(error, failure.retry_after_ms)

    async def _in_time(self, context: NodeContext) -> Outcome:
        timeout_ms = self._node.node.timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
                return await self._work(context)
        except TimeoutError:
            message = f"the node took longer than its timeout of {timeout_ms} ms"
            raise NodeFailure(transient(TIMED_OUT, message)) from None

    async def _work(self, context: NodeContext) -> Outcome:
        if self._own.config is None:
            config = rendered(self._node, self._scope, self._program.formatting)
        else:
            config = self._node.type.config.model_validate(unsealed(self._own.config, self._cipher))
        if self._state.options.dry_run:
            return await self._node.type.rehearse(config, context)
        return await self._node.type.run(config, context)

    def _taken(self, outcome: Outcome) -> list[str]:
        """Ids of the edges that a success takes; their conditions see the node's own output."""
        if isinstance(outcome, Wait):
            return []
        output = self._cipher.concealed(outcome.output)
        size = len(orjson.dumps(output))
        if size > self._around.max_output_bytes:
            raise invalid(
                "OUTPUT_TOO_LARGE", f"the output has {size} bytes, at most {self._around.max_output_bytes} are kept"
            )
        before, self._own.output = self._own.output, output
        try:
            return flow.success_edges(self._node, outcome.handle, self._holds)
        except NodeFailure:
            self._own.output = before
            raise

    def _concluded(self, attempt: _Attempt, before_ms: int, delay_ms: int | None, log: Log) -> Outcomes:
        now = self._around.now_ms()
        active_ms = before_ms + now - attempt.started_ms
        if isinstance(attempt.outcome, Wait):
            wait = attempt.outcome
            return Suspended(Waiting(wait.kind, now + wait.expires_in_ms, dict(wait.memory), now, active_ms), wait.text)
        self._own.attempt = attempt.number
        error = None if attempt.failure is None else attempt.failure.error
        output = None if error is not None else self._own.output
        log(
            NodeResult(
                self.node_id,
                NodeStatus.SUCCESS if error is None else _status(error),
                attempt.started_ms,
                active_ms,
                attempt.number,
                self._own.visit,
                output,
                error,
                delay_ms,
            )
        )
        if error is not None:
            return Failed(error, self._caught(error))
        assert isinstance(attempt.outcome, Done)
        return Ended(attempt.taken, output, attempt.outcome.text, list(attempt.outcome.correlations))

    def _caught(self, error: NodeError) -> list[str] | None:
        """Ids of the edges that a failure takes, None when nothing catches it."""
        taken = flow.failure_edges(self._node, error.code == TIMED_OUT, self._surely_holds)
        if taken:
            return taken
        return flow.plain_edges(self._node, self._surely_holds) if self._state.options.continue_on_error else None

    def _holds(self, edge: RunnableEdge) -> bool:
        condition = edge.condition
        if condition is None:
            return True
        return decided(lambda: condition.truth(self._scope, self._program.formatting))

    def _surely_holds(self, edge: RunnableEdge) -> bool:
        """Like `_holds`; what cannot be decided does not hold, since the node has failed already."""
        try:
            return self._holds(edge)
        except NodeFailure:
            return False

    def _context(self, number: int) -> NodeContext:
        entered = {edge.id: edge for edge in self._node.incoming}
        arrivals = [
            Arrival(edge.target_handle, edge.source, self._state.node(edge.source).output or {})
            for edge in (entered[edge_id] for edge_id in self._own.arrived)
        ]
        graph = self._program.graph
        return NodeContext(
            workflow_id=graph.workflow_id,
            execution_id=self._state.execution_id,
            node_id=self.node_id,
            visit=self._own.visit,
            attempt=number,
            scope=self._scope,
            formatting=self._program.formatting,
            default_country=graph.settings.default_country,
            arrivals=arrivals,
            session=self._state.session,
            expressions=evaluations(self._node, self._scope, self._program),
            ports=self._around.ports,
        )


def _copied(session: TurnSession) -> TurnSession:
    """Copies a session as far as nodes can change it."""
    changes = {scope: list(made) for scope, made in session.changes.items()}
    return replace(session, data=dict(session.data), changes=changes)


def _status(error: NodeError) -> NodeStatus:
    return NodeStatus.TIMEOUT if error.code == TIMED_OUT else NodeStatus.ERROR


def _completed(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise RuntimeError("a node without effects waited for something")
