"""Whatever is sent, there is a report, and a flow that is called valid compiles."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st

from services.validator.convert import graph_to_proto, issues_to_proto
from services.validator.validation import Report, validate
from tests.validator.flow_texts import MERGE, ask, bye, condition, flow, screen, sms, switch, write
from workflow.compiler import compile_flow
from workflow.parse import parse_text

CONFORMANCE = Path(__file__).parent.parent / "conformance"
QUICK = settings(max_examples=150)

GOOD = [
    *(json.loads(path.read_text()) for path in sorted(CONFORMANCE.glob("*.json"))),
    flow(
        {"m": ask(), "s": switch("1", "2"), "w": write(a="{{input}}"), "c": condition(), "x": sms(), "end": bye()},
        "start > m",
        "m > s",
        "s :1 > w",
        "s :2 > m",
        "s > end",
        "w > c",
        "c :true > x",
        "c :false > end",
        "x > end",
    ),
    flow({"a": sms(), "b": sms(), "j": MERGE, "end": bye()}, "start > a", "start > b", "a > j", "b > j", "j > end"),
]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
words = st.sampled_from(
    [
        "",
        "a",
        "start",
        "m",
        "s",
        "end",
        "1",
        "default",
        "true",
        "error",
        "{{input}}",
        "{{",
        "{{x}} == 1",
        "SEND_SMS",
        "SWITCH",
        "CONDITION",
        "MERGE",
        "SESSION_END",
        "SMS_RECEIVED",
        "node_m",
        "{{node_m.output.input}}",
    ]
)
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(), inner, max_size=4),
    max_leaves=12,
)
nodes = st.fixed_dictionaries(
    {}, optional={"id": words, "type": words, "config": values, "retry": values, "disabled": st.booleans(), "x": values}
)
edges = st.fixed_dictionaries(
    {},
    optional={
        "id": words,
        "source": words,
        "target": words,
        "sourceHandle": words,
        "condition": words,
        "targetHandle": words,
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "metadata": values,
        "trigger": nodes | values,
        "nodes": st.lists(nodes | values, max_size=6) | values,
        "edges": st.lists(edges | values, max_size=8) | values,
        "settings": values,
        "errorHandling": values,
    },
)


def checked(document: Any) -> Report:
    """Validates and does with the report what the service does."""
    report = validate(parse_text(json.dumps(document)))
    errors = issues_to_proto(report.issues, warnings=False)
    assert report.valid == (not errors)
    for issue in report.issues:
        assert issue.code
        assert issue.message
    if report.spec is not None:
        graph_to_proto(compile_flow(report.spec)).SerializeToString()
    return report


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, child in children for place in places(child, (*path, key))]


@QUICK
@given(documents | st.dictionaries(st.text(), values))
def test_any_document_gets_a_report(document: Any) -> None:
    checked(document)


@QUICK
@given(st.text() | st.binary().map(lambda data: data.decode(errors="replace")))
def test_any_text_gets_a_report(text: str) -> None:
    report = validate(parse_text(text))
    assert report.issues


@QUICK
@given(st.data())
def test_a_good_flow_with_a_part_changed_gets_a_report(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(1, 3))):
        *before, last = data.draw(st.sampled_from(places(document)))
        parent = document
        for step in before:
            parent = parent[step]
        match data.draw(st.sampled_from(["remove", "replace", "repeat"])):
            case "remove":
                del parent[last]
            case "replace":
                parent[last] = data.draw(values)
            case "repeat" if isinstance(parent, list):
                parent.append(parent[last])
        if not places(document):
            break
    checked(document)


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(1, 8)), max_size=20),
    st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_a_flow_of_any_shape_is_judged(arcs: list[tuple[int, int]], asks: list[bool]) -> None:
    """Shapes at random: the analyses end, and what is called valid has no cycle without a wait."""
    shape = {f"n{index}": ask() if asks[index] else screen() for index in range(1, 8)}
    document = flow({**shape, "n8": bye()})
    document["trigger"]["id"] = "n0"
    document["edges"] = [{"source": f"n{source}", "target": f"n{target}"} for source, target in arcs]
    report = checked(document)
    if report.spec is not None:
        graph = compile_flow(report.spec)
        assert set(graph.execution_order) == {"n0", *shape, "n8"}
