"""What went otherwise when an execution ran again, node by node."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.engine.core.state import ExecutionState, NodeResult, NodeStatus
from services.engine.store import Stored
from workflow.sealing import masked

Place = tuple[str, int]


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
    old, new = _last_attempts(before.results), _last_attempts(after.results)
    found = [difference for place in new | old for difference in _of_visit(place, old.get(place), new.get(place))]
    return [*_of_execution(before.state, after.state), *found]


def _of_execution(before: ExecutionState, after: ExecutionState) -> Iterator[Difference]:
    if before.status != after.status:
        yield Difference("", 0, "status", before.status, after.status)


def _of_visit(place: Place, before: NodeResult | None, after: NodeResult | None) -> Iterator[Difference]:
    old, new = _facts(before), _facts(after)
    if after is not None and after.output is not None and after.output.get("dryRun") is True:
        # It stands for what the outside would answer, which is never the same twice.
        old.pop("output", None)
        new.pop("output", None)
    for field in old | new:
        if old.get(field) != new.get(field):
            yield Difference(*place, field, old.get(field), new.get(field))


def _facts(result: NodeResult | None) -> dict[str, Any]:
    """What is compared; a node that was skipped is one that did not run."""
    if result is None or result.status is NodeStatus.SKIPPED:
        return {}
    facts: dict[str, Any] = {"status": result.status}
    if result.output is not None:
        facts["output"] = masked(result.output)
    if result.error is not None:
        facts["error"] = result.error.code
    return facts


def _last_attempts(results: Sequence[NodeResult]) -> dict[Place, NodeResult]:
    return {(result.node_id, result.visit): result for result in results}
