"""From specs to graphs."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.validator.flow_texts import MERGE, ask, bye, condition, flow, screen, sms, switch, write
from workflow.compiler import compile_flow
from workflow.graph import ExecutionEdge, ExecutionGraph
from workflow.parse import parse_flow, parse_text
from workflow.spec import RetryPolicy

CONFORMANCE = Path(__file__).parent.parent / "conformance"


def compiled(document: dict[str, Any]) -> ExecutionGraph:
    draft = parse_flow(document).draft
    assert draft is not None
    assert draft.spec is not None
    return compile_flow(draft.spec)


def handles(document: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    """What takes each edge that does not leave the trigger: handle and expression."""
    graph = compiled(document)
    edges: list[ExecutionEdge] = [edge for node in graph.nodes.values() for edge in node.outgoing]
    return [(edge.source_handle, edge.condition) for edge in edges if edge.source != "start"]


def policy(attempts: int, **more: Any) -> dict[str, Any]:
    return {"maxAttempts": attempts, "initialDelayMs": 10, **more}


def test_the_menu_that_was_written_elsewhere_compiles() -> None:
    draft = parse_text((CONFORMANCE / "ussd-menu.json").read_text()).draft
    assert draft is not None
    assert draft.spec is not None
    graph = compile_flow(draft.spec)
    assert graph.execution_order == ("trigger-1", "node-1", "node-2", "node-3", "node-4")
    assert (graph.trigger, graph.workflow_id, graph.max_depth) == ("trigger-1", "example-ussd-menu-1", 5)
    assert (graph.requires_session, graph.has_session_end, graph.has_cycles) == (True, True, False)
    assert graph.settings.max_execution_time_ms == 60_000
    assert graph.nodes["node-1"].config["sessionTimeout"] == 60
    assert (
        graph.nodes["node-1"].config["message"]
        == json.loads((CONFORMANCE / "ussd-menu.json").read_text())["nodes"][1]["config"]["message"]
    )
    assert [edge.source_handle for edge in graph.nodes["node-2"].outgoing] == ["1", "3"]
    assert [edge.id for edge in graph.nodes["node-4"].incoming] == ["edge-4", "edge-5"]


def test_defaults_are_filled_in_and_templates_left_alone() -> None:
    config = compiled(flow({"a": sms("Hi {{msisdn}}"), "end": bye()}, "start > a", "a > end")).nodes["a"].config
    assert config["message"] == "Hi {{msisdn}}"
    assert (config["encoding"], config["bulkSMSMode"], config["retryOnFailure"]) == ("auto", 1, True)
    assert "from" not in config


def test_null_in_data_stays() -> None:
    document = flow({"w": write(a=None, b={"c": None}), "end": bye()}, "start > w", "w > end")
    assert compiled(document).nodes["w"].config["data"] == {"a": None, "b": {"c": None}}


def test_an_edge_that_names_nothing_is_taken_on_every_success() -> None:
    assert handles(flow({"a": sms(), "c": condition(), "end": bye()}, "start > a", "a > c", "c > end")) == [
        (None, None),
        (None, None),
    ]


def test_an_edge_that_names_nothing_leaves_by_default_where_there_is_one() -> None:
    document = flow({"w": write(a=1), "s": switch("1"), "end": bye()}, "start > w", "w > s", "s > end")
    assert handles(document) == [("default", None), ("default", None)]


@pytest.mark.parametrize(
    ("edge", "expected"),
    [
        ("c :true > end", ("true", None)),
        ("c ?true > end", ("true", None)),
        ("c ?condition_met > end", ("true", None)),
        ("c ?success > end", ("success", None)),
        ("c :error > end", ("error", None)),
        ("c ?timeout > end", ("timeout", None)),
        ("c :default > end", (None, None)),
        ("c ?{{input}} == '1' > end", (None, "{{input}} == '1'")),
        ("c :false ?{{input}} == '1' > end", ("false", "{{input}} == '1'")),
        ("c :true ?condition_met > end", ("true", None)),
        ("c :true ?success > end", ("true", None)),
    ],
)
def test_an_edge_leaves_by_what_it_names(edge: str, expected: tuple[str | None, str | None]) -> None:
    assert handles(flow({"c": condition(), "end": bye()}, "start > c", edge)) == [expected]


def test_a_case_is_a_handle() -> None:
    document = flow({"s": switch("1", "{{x}}"), "end": bye()}, "start > s", "s ?1 > end", "s ?{{x}} > end")
    assert handles(document) == [("1", None), ("{{x}}", None)]


def test_edges_into_a_merge_get_the_handles_that_are_free() -> None:
    document = flow({"a": sms(), "b": sms(), "c": sms(), "j": MERGE}, "start > a", "start > b", "start > c")
    document["edges"] += [
        {"source": "a", "target": "j"},
        {"source": "b", "target": "j", "targetHandle": "input1"},
        {"source": "c", "target": "j", "targetHandle": "default"},
    ]
    incoming = [(edge.source, edge.target_handle) for edge in compiled(document).nodes["j"].incoming]
    assert incoming == [
        ("a", "input2"),
        ("b", "input1"),
        ("c", "input3"),
    ]


def test_edges_that_lead_back_close_a_cycle() -> None:
    graph = compiled(flow({"m": ask(), "s": switch("1"), "end": bye()}, "start > m", "m > s", "s > m", "s :1 > end"))
    closing = {edge.id for node in graph.nodes.values() for edge in node.outgoing if edge.closes_cycle}
    assert closing == {"e-s-m"}
    assert graph.has_cycles
    assert graph.max_depth == 4


def test_the_policy_of_the_node_beats_that_of_the_flow_and_that_of_the_type() -> None:
    document = flow(
        {"a": (*sms(), {"retry": policy(7)}), "b": sms(), "c": screen(), "end": bye()},
        "start > a",
        "a > b",
        "b > c",
        "c > end",
    )
    graph = compiled(document)
    assert graph.nodes["a"].retry == RetryPolicy(maxAttempts=7, initialDelayMs=10)
    assert graph.nodes["b"].retry is not None
    assert graph.nodes["b"].retry.retryable_errors == ("RATE_LIMIT", "NETWORK_ERROR", "SERVER_ERROR")
    assert graph.nodes["c"].retry is None
    graph = compiled({**document, "errorHandling": {"defaultRetry": policy(5)}})
    assert [graph.nodes[node].retry.max_attempts for node in "abc"] == [7, 5, 5]  # type: ignore[union-attr]


def test_a_node_that_wants_no_retry_gets_none() -> None:
    document = flow(
        {"a": (*sms(retryOnFailure=False), {"retry": policy(7)}), "end": bye()},
        "start > a",
        "a > end",
        errorHandling={"defaultRetry": policy(5)},
    )
    assert compiled(document).nodes["a"].retry is None


def test_an_empty_list_of_codes_means_every_passing_fault() -> None:
    document = flow(
        {"a": (*sms(), {"retry": policy(2, retryableErrors=[])}), "end": bye()},
        "start > a",
        "a > end",
        errorHandling={"defaultRetry": policy(2, retryableErrors=[])},
    )
    graph = compiled(document)
    assert graph.nodes["a"].retry == RetryPolicy(maxAttempts=2, initialDelayMs=10)
    assert graph.error_handling.default_retry == RetryPolicy(maxAttempts=2, initialDelayMs=10)


def test_the_timeout_of_the_node_beats_that_of_the_type() -> None:
    graph = compiled(flow({"a": (*sms(), {"timeout": 5}), "b": sms(), "end": bye()}, "start > a", "a > b", "b > end"))
    assert (graph.nodes["a"].timeout_ms, graph.nodes["b"].timeout_ms) == (5, 30_000)


def test_a_disabled_end_ends_nothing() -> None:
    graph = compiled(flow({"end": (*bye(), {"disabled": True})}, "start > end"))
    assert graph.nodes["end"].disabled
    assert not graph.has_session_end


def test_the_trigger_counts_once() -> None:
    document = flow({"end": bye()}, "start > end")
    document["nodes"].insert(0, document["trigger"])
    assert compiled(document).execution_order == ("start", "end")


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("{{global.data.paid}} == 'yes'", True),
        ("workflow.data.visits > 3", True),
        ("{{session.msisdn}} != null", True),
        ("{{workflow.id}} == 'session'", False),
        ("{{message}} == 'global.data'", False),
    ],
)
def test_a_flow_that_names_stored_values_needs_a_session(text: str, needed: bool) -> None:
    on_a_node = flow({"check": condition(text)}, "start > check", trigger="SMS_RECEIVED")
    on_an_edge = flow({"tell": sms("Hi")}, f"start ?{{{{message}}}} != '' && {text} > tell", trigger="SMS_RECEIVED")

    assert compiled(on_a_node).requires_session is needed
    assert compiled(on_an_edge).requires_session is needed
