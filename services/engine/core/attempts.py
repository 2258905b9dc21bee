"""Single attempts of a node: its config rendered, its work done in time, what it came to in a safe form."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson

from services.engine.core import flow
from services.engine.core.ports import StoreUnavailable
from services.engine.core.program import Program, RunnableEdge
from services.engine.core.render import decided, evaluations, rendered
from services.engine.core.scope import RunScope
from services.engine.core.secrets import WatchfulCipher
from services.engine.core.state import ExecutionState, NodeStatus
from services.engine.core.surroundings import Surroundings
from workflow.errors import NodeError, NodeFailure, invalid, permanent, transient
from workflow.fields import NodeConfig, config_secrets
from workflow.node_type import Arrival, NodeContext, Resumption
from workflow.outcome import Outcome, Settlement, Wait
from workflow.sealing import unsealed
from workflow.session import TurnSession
from workflow.voice import CallState

TIMED_OUT = "TIMEOUT"

DEFECT = NodeFailure(permanent("INTERNAL", "the node met a defect of the platform; it was logged"))

T = TypeVar("T")
Work = Callable[[NodeContext], Coroutine[Any, Any, Outcome]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    What one attempt came to: an outcome with the edges that it takes, or a failure.

    Attributes:
        started_ms: Unix time.
        handle: Handle that a success leaves by, as the log may show it; None where there is none.
    """

    number: int
    started_ms: int
    outcome: Outcome | None
    failure: NodeFailure | None
    taken: list[str]
    handle: str | None = None


class Attempts:
    """Makes the attempts of one visit."""

    def __init__(
        self, program: Program, state: ExecutionState, node_id: str, around: Surroundings, *, may_have_begun: bool
    ) -> None:
        """`may_have_begun`: Whether an engine that is gone may have begun the first of them."""
        self._may_have_begun = may_have_begun
        self._program = program
        self._state = state
        self._around = around
        self._node = program.nodes[node_id]
        self._own = state.node(node_id)
        self._cipher = WatchfulCipher(around.ports.cipher)
        self._cipher.remember(self._node.secrets)
        self._scope = RunScope(state, program, self._cipher)

    def texts(self) -> dict[str, Any] | None:
        """Renders the config of a node with effects as of now; None where it has none, or cannot be rendered."""
        if not self._node.type.has_effect or self._node.fixed is not None:
            return None
        try:
            return self._kept(self._rendered())
        except NodeFailure:
            return None

    def settle_texts(self) -> Attempt | None:
        """
        Renders the config of a node with effects for all attempts of its visit; returns the failure if it cannot.

        What the texts name may change while the node runs: a retry, here or after a crash, must do the same once more.
        """
        if self._node.fixed is not None or self._own.config is not None:
            return None
        try:
            config = self._rendered()
        except NodeFailure as problem:
            failure = problem
        else:
            self._own.config = self._kept(config)
            return None

        async def work(_: NodeContext) -> Outcome:
            raise failure

        return self._at_once(work)

    def notes_beginning(self) -> bool:
        """Whether the journal must say that an attempt begins before it does."""
        return not self._state.options.dry_run and self._node.type.notes_beginning(self._config())

    def note_beginning(self) -> None:
        """Notes that the next attempt begins; what the state says of it already, a dead engine wrote."""
        number = self._own.attempt + 1
        self._may_have_begun = self._own.begun == number
        self._own.begun = number

    async def in_time(self) -> Attempt:
        """Runs a node that reaches outside; it fails when it takes longer than its timeout."""
        attempt = await self._made(self._work_in_time)
        self._may_have_begun = False
        return attempt

    def at_once(self) -> Attempt:
        """Runs a node that reaches nothing outside."""
        return self._at_once(self._work)

    def resumed(self, resumption: Resumption) -> Attempt:
        """Goes on with a node that waited."""

        async def work(context: NodeContext) -> Outcome:
            return await self._node.type.resume(self._config(), context, resumption)

        return self._at_once(work)

    async def early_settlement(self) -> Settlement | None:
        """Returns word of the effect of this visit that came before its outcome was found to be unknown."""
        names = self.settled_by()
        if not names:
            return None
        return await self._around.reports.early(self._state.execution_id, self._node.node.id, names)

    def settled(self, settlement: Settlement) -> Attempt:
        """Goes on with a node whose effect is known to have taken place."""

        async def work(context: NodeContext) -> Outcome:
            return await self._node.type.settle(self._config(), context, settlement)

        return self._at_once(work)

    def settled_by(self) -> list[str]:
        """Names under which the outside may report the effect of this visit."""
        return list(self._node.type.settled_by(self._config(), self._context(self._own.attempt)))

    def holds(self, edge: RunnableEdge) -> bool:
        """Whether the condition of an edge holds. Raises NodeFailure when it cannot be decided."""
        condition = edge.condition
        if condition is None:
            return True
        return decided(lambda: condition.truth(self._scope, self._program.formatting))

    def surely_holds(self, edge: RunnableEdge) -> bool:
        """Like `holds`; what cannot be decided does not hold, since the node has failed already."""
        try:
            return self.holds(edge)
        except NodeFailure:
            return False

    def _at_once(self, work: Work) -> Attempt:
        """Makes an attempt that never waits; what a failed one changed in the session is undone."""
        session = self._state.session
        before = None if session is None else _copied(session)
        attempt = _completed(self._made(work)) or self._defect()
        if attempt.failure is not None:
            self._state.session = before
        return attempt

    async def _made(self, work: Work) -> Attempt:
        number, started_ms = self._own.attempt + 1, self._around.now_ms()
        with self._around.observer.attempt(self._program, self._state, self._node, number) as seen:
            try:
                outcome = await work(self._context(number))
                attempt = Attempt(number, started_ms, outcome, None, self._taken(outcome), self._handle(outcome))
                seen.ended(NodeStatus.SUCCESS, None)
            except NodeFailure as problem:
                failure = self._masked(problem)
                attempt = Attempt(number, started_ms, None, failure, [])
                seen.ended(status_of(failure.error), failure.error)
            except StoreUnavailable:
                # Nothing can be written either: the run breaks off, and the attempt is made again.
                raise
            except Exception:  # noqa: BLE001 - a defect in one node is a failure of that node
                _log.exception("a node raised what it must not", extra={"node_type": self._node.node.type})
                attempt = Attempt(number, started_ms, None, DEFECT, [])
                seen.ended(NodeStatus.ERROR, DEFECT.error)
        return attempt

    def _defect(self) -> Attempt:
        _log.error("a node without effects waited for something", extra={"node_type": self._node.node.type})
        return Attempt(self._own.attempt + 1, self._around.now_ms(), None, DEFECT, [])

    def _masked(self, failure: NodeFailure) -> NodeFailure:
        """A failure may quote what it could not use."""
        details = self._cipher.masked_document(failure.error.details)
        error = replace(failure.error, message=self._cipher.masked(failure.error.message), details=details)
        return NodeFailure(error, failure.retry_after_ms)

    async def _work_in_time(self, context: NodeContext) -> Outcome:
        timeout_ms = self._node.node.timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
                return await self._work(context)
        except TimeoutError:
            message = f"the node took longer than its timeout of {timeout_ms} ms"
            raise NodeFailure(transient(TIMED_OUT, message)) from None

    async def _work(self, context: NodeContext) -> Outcome:
        config = self._config()
        if self._state.options.dry_run:
            return await self._node.type.rehearse(config, context)
        return await self._node.type.run(config, context)

    def _rendered(self) -> NodeConfig:
        """The config with its texts as of now; what templates brought into a secret is one as well."""
        config = rendered(self._node, self._scope, self._program.formatting)
        if self._node.secrets and self._node.fixed is None:
            document = config.model_dump(mode="json", by_alias=True, exclude_none=True)
            self._cipher.remember(config_secrets(type(config), document).values())
        return config

    def _kept(self, config: NodeConfig) -> dict[str, Any]:
        """A rendered config as it is journaled."""
        return self._cipher.concealed(config.model_dump(mode="json", by_alias=True, exclude_none=True))

    def _config(self) -> NodeConfig:
        """The config as this visit began with it, else as its texts render now."""
        if self._own.config is None:
            return self._rendered()
        return self._node.type.config.model_validate(unsealed(self._own.config, self._cipher))

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
            return flow.success_edges(self._node, flow.handle_of(self._node, outcome), self.holds)
        except NodeFailure:
            self._own.output = before
            raise

    def _handle(self, outcome: Outcome) -> str | None:
        """The handle for the log: that of a SWITCH is what was typed, which may be secret."""
        handle = None if isinstance(outcome, Wait) else flow.handle_of(self._node, outcome)
        return None if handle is None else self._cipher.masked(handle)

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
            node_id=self._node.node.id,
            visit=self._own.visit,
            attempt=number,
            timeout_ms=self._node.node.timeout_ms,
            may_have_begun=self._may_have_begun,
            repetition=self._own.repetition,
            scope=self._scope,
            formatting=self._program.formatting,
            default_country=graph.settings.default_country,
            arrivals=arrivals,
            session=self._state.session,
            call=self._call(),
            expressions=evaluations(self._node, self._scope, self._program),
            ports=self._around.ports,
            concealed=self._cipher.concealed,
            missed_call=self._state.options.missed_calls.get(f"{self._node.node.id}:{self._own.visit}"),
        )

    def _call(self) -> CallState:
        call = self._state.call
        if call is None:
            return CallState.NONE
        return CallState.OVER if call.is_over else CallState.LIVE


def status_of(error: NodeError) -> NodeStatus:
    """How an attempt that failed so ended."""
    return NodeStatus.TIMEOUT if error.code == TIMED_OUT else NodeStatus.ERROR


def _copied(session: TurnSession) -> TurnSession:
    """Copies a session as far as nodes can change it."""
    changes = {scope: list(made) for scope, made in session.changes.items()}
    return replace(session, data=dict(session.data), changes=changes)


def _completed(coroutine: Coroutine[Any, Any, T]) -> T | None:
    """Runs a coroutine that never waits; returns None, and ends it, where it waits all the same."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    return None
