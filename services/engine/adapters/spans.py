"""One span per attempt of a node; none where nobody records."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.trace import Status, StatusCode, Tracer, TracerProvider

from services.engine.core.ports import AttemptObserver, Observer
from services.engine.core.program import Program, RunnableNode
from services.engine.core.state import ExecutionState
from telemetry import attributes, spans, tracing
from workflow.errors import NodeError


class _Unseen:
    def ended(self, status: str, error: NodeError | None) -> None:
        """Nobody looks."""


_NOBODY: AbstractContextManager[AttemptObserver] = nullcontext(_Unseen())


class NoSpans:
    """See services.engine.core.ports.Observer; used where tracing is off, so that it costs nothing."""

    def attempt(
        self, program: Program, state: ExecutionState, node: RunnableNode, number: int
    ) -> AbstractContextManager[AttemptObserver]:
        return _NOBODY


class NodeSpans:
    """See services.engine.core.ports.Observer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def attempt(
        self, program: Program, state: ExecutionState, node: RunnableNode, number: int
    ) -> Iterator[AttemptObserver]:
        graph = program.graph
        with tracing.span_of(
            self._tracer,
            spans.NODE,
            {
                attributes.WORKFLOW_ID: graph.workflow_id,
                attributes.WORKFLOW_VERSION: graph.workflow_version,
                attributes.EXECUTION_ID: state.execution_id,
                attributes.NODE_ID: node.node.id,
                attributes.NODE_TYPE: node.node.type,
                attributes.NODE_ATTEMPT: number,
                attributes.NODE_VISIT: state.node(node.node.id).visit,
            },
        ) as span:

            class Seen:
                def ended(self, status: str, error: NodeError | None) -> None:
                    span.set_attribute(attributes.NODE_STATUS, status)
                    if error is not None:
                        span.set_attribute(attributes.ERROR_TYPE, error.code)
                        # The message may name what a person typed; the code says enough.
                        span.set_status(Status(StatusCode.ERROR, error.code))

            yield Seen()


def observer_of_spans(provider: TracerProvider) -> Observer:
    """Returns what makes spans of attempts with this provider."""
    return NodeSpans(provider.get_tracer("njia.engine")) if tracing.records(provider) else NoSpans()
