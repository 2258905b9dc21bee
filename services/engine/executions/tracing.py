"""One span for each turn that an execution runs here, linked to the turn before."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from opentelemetry.trace import (
    Link,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TracerProvider,
    format_span_id,
    format_trace_id,
)

from services.engine.core.run import Run
from services.engine.core.state import FAILURES, MAX_TRACES
from telemetry import attributes, spans, tracing


class Traces(Protocol):
    """Wraps what an execution does between two rests."""

    def turn(self, run: Run) -> AbstractContextManager[None]:
        """Wraps a run."""
        ...


class NoTraces:
    """Used where tracing is off."""

    def turn(self, run: Run) -> AbstractContextManager[None]:
        return nullcontext()


class TurnSpans:
    """Makes a span a turn, a child of the call that brought it; its id is kept in the state for the next one."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def turn(self, run: Run) -> Iterator[None]:
        state, graph = run.state, run.program.graph
        before = _context(state.trace)
        with tracing.span_of(
            self._tracer,
            spans.RUN,
            {
                attributes.WORKFLOW_ID: graph.workflow_id,
                attributes.WORKFLOW_VERSION: graph.workflow_version,
                attributes.EXECUTION_ID: state.execution_id,
                attributes.EXECUTION_DRY_RUN: state.options.dry_run,
            },
            links=[Link(before)] if before is not None else [],
        ) as span:
            own = span.get_span_context()
            trace_id = format_trace_id(own.trace_id)
            state.trace = f"00-{trace_id}-{format_span_id(own.span_id)}-{own.trace_flags:02x}"
            state.traces = [*(known for known in state.traces if known != trace_id), trace_id][-MAX_TRACES:]
            yield
            span.set_attribute(attributes.EXECUTION_STATUS, state.status)
            if state.error is not None and state.status in FAILURES:
                # The span of its turn is an error, so that a backend finds the execution by that.
                span.set_attribute(attributes.ERROR_TYPE, state.error.code)
                span.set_status(Status(StatusCode.ERROR, state.error.code))


def traces_for(provider: TracerProvider) -> Traces:
    """Returns what wraps turns with this provider."""
    return TurnSpans(provider.get_tracer("njia.engine")) if tracing.records(provider) else NoTraces()


def _context(traceparent: str) -> SpanContext | None:
    """Reads a W3C traceparent, None when there is none."""
    if not traceparent:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
