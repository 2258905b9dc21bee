"""What went otherwise when an execution ran again, node by node."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.engine.core.state import ExecutionState, NodeResult, NodeStatus
from services.engine.store.execution_store import Stored
from workflow.sealing import masked

Place = tuple[str, int]
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """
    Attributes:
        node_id: Empty for the execution as a whole.
        visit: Which visit of the node, from 0.
        field: status, output or error (its code).
        before: None where the node did not run; after likewise.
    """

    node_id: str
    visit: int
    field: str
    before: Any
    after: Any


def differences(before: Stored, after: Stored) -> Sequence[Difference]:
    """Compares the last attempts of all visits, and how both stand."""
    own: dict[str | None, str] = {}
    for state in (before.state, after.state):
        own |= {state.execution_id: "the execution", state.session_id: "the session"}
        if state.call is not None:
            own.setdefault(state.call.session_id, "the call")
    old, new = _facts_by_visit(before, own), _facts_by_visit(after, own)
    found = [
        difference for place in new | old for difference in _of_visit(place, old.get(place, {}), new.get(place, {}))
    ]
    return [*_of_execution(before.state, after.state), *found]


def _of_execution(before: ExecutionState, after: ExecutionState) -> Iterator[Difference]:
    if before.status != after.status:
        yield Difference("", 0, "status", before.status, after.status)


def _of_visit(place: Place, old: Facts, new: Facts) -> Iterator[Difference]:
    # An output of a dry run stands for what the outside would answer, which is never the same twice.
    stands_for_another = new.get("output", {}).get("dryRun") is True
    for field in old | new:
        if old.get(field) != new.get(field) and not (field == "output" and stands_for_another):
            yield Difference(*place, field, old.get(field), new.get(field))


def _facts_by_visit(stored: Stored, own: Mapping[str | None, str]) -> dict[Place, Facts]:
    """What is compared of the last attempt of each visit; a node that was skipped is one that did not run."""
    return {
        (result.node_id, result.visit): _facts(result, own)
        for result in stored.results
        if result.status is not NodeStatus.SKIPPED
    }


def _facts(result: NodeResult, own: Mapping[str | None, str]) -> Facts:
    facts: Facts = {"status": result.status}
    if result.output is not None:
        facts["output"] = _renamed(masked(result.output), own)
    if result.error is not None:
        facts["error"] = result.error.code
    return facts


def _renamed(value: Any, own: Mapping[str | None, str]) -> Any:
    """Gives the ids of executions and sessions, which are new each time, the same names."""
    if isinstance(value, dict):
        return {key: _renamed(item, own) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, own) for item in value]
    return own.get(value, value) if isinstance(value, str) else value
