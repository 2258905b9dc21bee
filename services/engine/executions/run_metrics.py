"""What executions came to, counted: how they ended, what they wait for, where people left."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.engine.core.run import Run
from services.engine.core.state import NodeResult, NodeStatus
from services.engine.executions.tracing import Traces
from telemetry import attributes
from telemetry.instruments import DROP_OFFS, EXECUTIONS, WAITS
from telemetry.metrics import BoundedNames, Meters

MAX_SCREENS = 1000
"""Screens that the count of those who left tells apart."""


class CountedTurns:
    """
    Counts what each run came to; a run that broke off is counted by the one that goes on with it.

    Rehearsals are not counted: nobody hung up in one, and a flow that fails there has let nobody down.

    Args:
        traces: Wraps the runs too.
        meters: Where the counts go.
    """

    def __init__(self, traces: Traces, meters: Meters) -> None:
        self._traces = traces
        self._executions = meters.counter(EXECUTIONS)
        self._waits = meters.counter(WAITS)
        self._drop_offs = meters.counter(DROP_OFFS)
        self._flow = BoundedNames()
        self._screen = BoundedNames(MAX_SCREENS)

    @contextmanager
    def turn(self, run: Run) -> Iterator[None]:
        """Wraps a run."""
        state = run.state
        ended_before = state.ended
        waited_before = {(node_id, wait.since_ms) for node_id, wait in state.waits.items()}
        with self._traces.turn(run):
            yield
        if not run.at_rest or state.options.dry_run:
            return
        flow = self._flow(state.workflow_id)
        if state.ended and not ended_before:
            self._executions.add(1, {attributes.WORKFLOW_ID: flow, attributes.EXECUTION_STATUS: str(state.status)})
        for node_id, wait in state.waits.items():
            if (node_id, wait.since_ms) not in waited_before:
                self._waits.add(1, {attributes.WAIT_KIND: str(wait.kind)})
        for result in run.results:
            if _was_left(result, run):
                node_id = self._screen(f"{flow}/{result.node_id}").rpartition("/")[2]
                self._drop_offs.add(1, {attributes.WORKFLOW_ID: flow, attributes.NODE_ID: node_id})


def turns_for(traces: Traces, meters: Meters) -> Traces:
    """Returns what wraps runs: what traces them, and what counts them where anybody looks."""
    return CountedTurns(traces, meters) if meters.recording else traces


def _was_left(result: NodeResult, run: Run) -> bool:
    """Whether the result is that of a node that asked a person and got no answer."""
    return result.status is NodeStatus.TIMEOUT and run.program.nodes[result.node_id].asks
