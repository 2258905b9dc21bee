"""What must follow an execution that failed: the flow is started again, or somebody is told."""

from services.engine.core.program import Program
from services.engine.core.state import FAILURES, ExecutionState


def restarts_left(program: Program, state: ExecutionState) -> int:
    """How often the flow is still to be started again for what started this execution; 0 where it did not fail."""
    if state.restarted is None or not _counts(state):
        return 0
    return max(0, program.trigger_type.restarts(program.trigger_config).attempts - state.restarted)


def is_to_be_told(program: Program, state: ExecutionState) -> bool:
    """Whether the flow names an address that is told of this failure."""
    return _counts(state) and bool(program.graph.error_handling.error_webhook)


def follows_at_ms(program: Program, state: ExecutionState) -> int | None:
    """When something must follow, Unix time; None where nothing does."""
    assert state.completed_at_ms is not None or not state.ended
    if restarts_left(program, state):
        return (state.completed_at_ms or 0) + program.trigger_type.restarts(program.trigger_config).backoff_ms
    return state.completed_at_ms if is_to_be_told(program, state) else None


def _counts(state: ExecutionState) -> bool:
    return state.status in FAILURES and not state.options.dry_run
