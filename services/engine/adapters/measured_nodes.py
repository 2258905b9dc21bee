"""Measures every attempt of every node, beside whoever else observes it."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from services.engine.core.ports import AttemptObserver, Observer
from services.engine.core.program import Program, RunnableNode
from services.engine.core.state import ExecutionState
from telemetry import attributes
from telemetry.instruments import NODE_DURATION, NODE_FAILURES, NODE_RETRIES
from telemetry.metrics import BoundedNames, Meters
from workflow.errors import NodeError


class _Measured:
    def __init__(self, seen: AttemptObserver, ended: Callable[[str, NodeError | None], None]) -> None:
        self._seen = seen
        self._ended = ended

    def ended(self, status: str, error: NodeError | None) -> None:
        self._seen.ended(status, error)
        self._ended(status, error)


class MeasuredNodes:
    """
    See services.engine.core.ports.Observer. Rehearsals are not measured: they send nothing and wait for nobody.

    Args:
        observer: Sees the attempts too.
        meters: Where the measurements go.
    """

    def __init__(self, observer: Observer, meters: Meters) -> None:
        self._observer = observer
        self._durations = meters.histogram(NODE_DURATION)
        self._failures = meters.counter(NODE_FAILURES)
        self._retries = meters.counter(NODE_RETRIES)
        # Codes of what the outside answered may be anything.
        self._code = BoundedNames()

    def attempt(
        self, program: Program, state: ExecutionState, node: RunnableNode, number: int
    ) -> AbstractContextManager[AttemptObserver]:
        observed = self._observer.attempt(program, state, node, number)
        return observed if state.options.dry_run else self._measured(observed, node.node.type, number)

    @contextmanager
    def _measured(
        self, observed: AbstractContextManager[AttemptObserver], node_type: str, number: int
    ) -> Iterator[AttemptObserver]:
        if number > 1:
            self._retries.add(1, {attributes.NODE_TYPE: node_type})
        started = time.perf_counter()
        with observed as seen:
            yield _Measured(seen, lambda status, error: self._ended(node_type, started, status, error))

    def _ended(self, node_type: str, started: float, status: str, error: NodeError | None) -> None:
        elapsed = time.perf_counter() - started
        self._durations.record(elapsed, {attributes.NODE_TYPE: node_type, attributes.NODE_STATUS: str(status)})
        if error is not None:
            self._failures.add(1, {attributes.NODE_TYPE: node_type, attributes.ERROR_TYPE: self._code(error.code)})


def observer_for(observer: Observer, meters: Meters) -> Observer:
    """Returns the observer, measured where anybody looks."""
    return MeasuredNodes(observer, meters) if meters.recording else observer
