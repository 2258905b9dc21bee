"""How an execution begins: its first state, and what is recorded of a turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.engine.core.program import Program
from services.engine.core.state import ExecutionState, Options, Signal

DEFAULT_WAIT_MS = 10_000
"""How long Execute waits for an execution that does not come to rest."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """
    What a call says about how to run; None leaves it to the flow.

    Attributes:
        wait_ms: How long the call waits; then it answers with the execution as the journal has it.
    """

    max_active_ms: int | None = None
    continue_on_error: bool | None = None
    dry_run: bool = False
    wait_ms: int = DEFAULT_WAIT_MS


def first_state(
    program: Program,
    execution_id: str,
    payload: Mapping[str, Any],
    session_id: str | None,
    overrides: Overrides,
    now_ms: int,
) -> ExecutionState:
    """Returns the state of an execution that has not begun; `now_ms` is Unix time."""
    settings, handling = program.graph.settings, program.graph.error_handling
    limit = overrides.max_active_ms
    on_error = overrides.continue_on_error
    return ExecutionState(
        execution_id=execution_id,
        workflow_id=program.graph.workflow_id,
        workflow_version=program.graph.workflow_version,
        graph_digest=program.digest,
        started_at_ms=now_ms,
        options=Options(
            max_active_ms=settings.max_execution_time_ms if limit is None else limit,
            continue_on_error=handling.continue_on_error if on_error is None else on_error,
            dry_run=overrides.dry_run,
        ),
        payload=dict(payload),
        session_id=session_id,
    )


def turn_record(key: str | None, payload: Mapping[str, Any], skip: int = 0) -> dict[str, Any]:
    """
    Returns what is recorded of a turn before anything of it runs.

    Args:
        key: The cumulative text of a USSD callback; None where nobody waits for a screen.
        payload: Overlays the trigger payload.
        skip: Characters at the beginning of the text that are not for the flow.
    """
    return {"key": key, "payload": payload, "skip": skip}


def signal_record(signal: Signal, payload: Mapping[str, Any], node_id: str | None = None) -> dict[str, Any]:
    """Returns what is recorded of something that came in and is not for the flow to read; `node_id` where it is for."""
    return {"key": None, "payload": payload, "signal": signal, "node_id": node_id}


def call_record(
    key: str, payload: Mapping[str, Any], line: str | None, signal: Signal | None, node_id: str | None = None
) -> dict[str, Any]:
    """
    Returns what is recorded of a callback of a call.

    Args:
        key: Names it among those of its call.
        payload: Overlays the trigger payload, unless it is a signal's.
        line: Session of the call where an execution placed it; None where the call began the execution.
        signal: None where it brings keys, or begins a flow.
        node_id: The node that placed the call.
    """
    record = {"key": key, "payload": payload, "line": line}
    return record if signal is None else {"signal": signal, "node_id": node_id, **record}
