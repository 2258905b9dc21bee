"""Reading flow documents into specs."""

import json
from pathlib import Path
from typing import Any

import pytest

from workflow.parse import parse_flow, parse_text
from workflow.spec import RESERVED_WORKFLOW_IDS

CONFORMANCE = Path(__file__).parent.parent / "conformance"


def document(**changes: Any) -> dict[str, Any]:
    flow = json.loads((CONFORMANCE / "sms-echo.json").read_text())
    return {**flow, **changes}


def faults(flow: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(issue.code, issue.path) for issue in parse_flow(flow).issues]


@pytest.mark.parametrize("path", sorted(CONFORMANCE.glob("*.json")), ids=lambda path: path.stem)
def test_a_good_flow_becomes_a_spec(path: Path) -> None:
    parsed = parse_text(path.read_text())
    assert parsed.issues == ()
    assert parsed.draft is not None
    spec = parsed.draft.spec
    assert spec is not None
    flow = json.loads(path.read_text())
    assert spec.metadata.workflow_id == flow["metadata"]["workflowId"]
    assert [node.id for node in spec.nodes] == [node["id"] for node in flow["nodes"] if node["id"] != "trigger-1"]
    assert [edge.id for edge in spec.edges] == [edge["id"] for edge in flow["edges"]]


def test_a_flow_with_a_fault_in_a_part_is_no_spec() -> None:
    parsed = parse_flow(document(edges=[{"source": 5, "target": "node-1"}]))
    assert parsed.draft is not None
    assert parsed.draft.spec is None


def test_edges_without_an_id_get_one_of_their_own() -> None:
    edges = [
        {"source": "trigger-1", "target": "node-1"},
        {"source": "trigger-1", "target": "node-1", "id": ""},
        {"source": "trigger-1", "target": "node-1", "id": "e-trigger-1-node-1-2"},
    ]
    draft = parse_flow(document(edges=edges)).draft
    assert draft is not None
    assert [edge.id for edge in draft.edges] == [
        "e-trigger-1-node-1",
        "e-trigger-1-node-1-3",
        "e-trigger-1-node-1-2",
    ]


@pytest.mark.parametrize("workflow_id", [*sorted(RESERVED_WORKFLOW_IDS), "", "a b", "ü", "x" * 129, 5])
def test_a_workflow_id_that_cannot_stand_in_an_address_is_refused(workflow_id: Any) -> None:
    metadata = {**document()["metadata"], "workflowId": workflow_id}
    assert faults(document(metadata=metadata)) == [("SCHEMA_VALIDATION_ERROR", "metadata.workflowId")]


@pytest.mark.parametrize("workflow_id", ["a", "...", "Order.v2_final-1", "x" * 128])
def test_other_workflow_ids_are_taken(workflow_id: str) -> None:
    assert faults(document(metadata={**document()["metadata"], "workflowId": workflow_id})) == []


@pytest.mark.parametrize("node_id", ["", "a b", "a.b", "x" * 65, None, 5])
def test_a_node_id_that_no_path_can_name_is_refused(node_id: Any) -> None:
    found = faults(document(nodes=[{"id": node_id, "type": "MERGE"}], edges=[]))
    assert [path for _, path in found] == ["nodes[0].id"]


def test_one_faulty_node_does_not_hide_another() -> None:
    nodes = [{"id": "a", "type": 5}, 7, {"id": "b", "type": "MERGE", "timeout": 0}, {"type": "MERGE", "retry": []}]
    assert faults(document(nodes=nodes, edges=[])) == [
        ("SCHEMA_VALIDATION_ERROR", "nodes[0].type"),
        ("SCHEMA_VALIDATION_ERROR", "nodes[1]"),
        ("SCHEMA_VALIDATION_ERROR", "nodes[2].timeout"),
        ("MISSING_REQUIRED_FIELD", "nodes[3].id"),
        ("SCHEMA_VALIDATION_ERROR", "nodes[3].retry"),
    ]


def test_a_faulty_setting_leaves_the_others_in_force() -> None:
    draft = parse_flow(document(settings={"timezone": "Africa/Kampala", "maxExecutionTimeMs": -1})).draft
    assert draft is not None
    assert draft.settings.timezone == "Africa/Kampala"
    assert draft.settings.max_execution_time_ms == 300_000


def test_settings_have_their_defaults() -> None:
    draft = parse_flow(document(settings=None)).draft
    assert draft is not None
    assert (draft.settings.timezone, draft.settings.missing_variable) == ("UTC", "error")
    assert not draft.error_handling.continue_on_error


@pytest.mark.parametrize(
    ("retry", "path"),
    [
        ({"maxAttempts": 0, "initialDelayMs": 1}, "maxAttempts"),
        ({"maxAttempts": 1, "initialDelayMs": -1}, "initialDelayMs"),
        ({"maxAttempts": 1, "initialDelayMs": 1, "backoffMultiplier": 0}, "backoffMultiplier"),
        ({"maxAttempts": 1, "initialDelayMs": 1, "retryableErrors": [1]}, "retryableErrors[0]"),
        ({"maxAttempts": 1.5, "initialDelayMs": 1}, "maxAttempts"),
        ({"maxAttempts": "3", "initialDelayMs": 1}, "maxAttempts"),
    ],
)
def test_a_retry_policy_is_checked(retry: dict[str, Any], path: str) -> None:
    found = faults(document(errorHandling={"defaultRetry": retry}))
    assert found == [("SCHEMA_VALIDATION_ERROR", f"errorHandling.defaultRetry.{path}")]


def test_messages_say_what_must_stand_there() -> None:
    flow = document(settings={"missingVariable": "ignore", "maxExecutionTimeMs": "5", "timezone": None})
    messages = [issue.message for issue in parse_flow(flow).issues]
    assert messages == [
        'maxExecutionTimeMs must be a whole number, not "5"',
        'missingVariable must be one of error or empty, not "ignore"',
    ]


def test_an_unknown_key_is_kept_out_with_a_warning() -> None:
    (issue,) = parse_flow(document(settings={"timezon": "UTC"})).issues
    assert issue.is_warning
    assert issue.message == "timezon is not known here and has no effect; did you mean timezone?"


def test_the_line_and_column_of_a_syntax_error_are_told() -> None:
    (issue,) = parse_text('{\n  "metadata": {,\n}').issues
    assert (issue.code, issue.path) == ("SCHEMA_VALIDATION_ERROR", None)
    assert "line 2, column" in issue.message
