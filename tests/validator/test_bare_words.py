"""A bare word in an expression, where a text in quotes may be meant."""

from typing import Any

import pytest

from services.validator.validation import validate
from tests.validator.flow_texts import ask, bye, condition, flow, sms
from workflow.issues import Issue
from workflow.parse import parse_flow


def issues(document: dict[str, Any]) -> tuple[Issue, ...]:
    return validate(parse_flow(document)).issues


def dialled(expression: str) -> dict[str, Any]:
    nodes = {"m": ask(), "c": condition(expression), "end": bye()}
    return flow(nodes, "start > m", "m > c", "c :true > end", "c :false > end")


def called(expression: str, **more: Any) -> dict[str, Any]:
    nodes = {"c": condition(expression), "a": sms("Hi", to="+254711000001"), **more}
    edges = ("start > c", "c :true > a", *(f"c :false > {node}" for node in more))
    return flow(nodes, *edges, trigger="HTTP_WEBHOOK", trigger_config={"path": "/x"})


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("{{input}} == a", "timestamp; did you mean the text 'a'? put it in quotes"),
        ("a == {{input}}", "timestamp; did you mean the text 'a'? put it in quotes"),
        ("{{input}} == c", "what a node gave is {{node_c.output.…}}; did you mean the text 'c'? put it in quotes"),
        ("{{input}} == inptu", "; did you mean input? a text is put in quotes: 'inptu'"),
        ("{{input}} == None", "; write null for what has no value"),
        ("inptu == '1'", "timestamp; did you mean input?"),
    ],
)
def test_an_unknown_name_gets_the_hint_that_fits(expression: str, hint: str) -> None:
    (only,) = issues(dialled(expression))
    assert only.code == "UNKNOWN_VARIABLE"
    assert only.message.endswith(hint)


@pytest.mark.parametrize("expression", ["{{input}} == text", "input == msisdn", "{{input}} == session.msisdn"])
def test_a_known_name_gets_none(expression: str) -> None:
    assert not issues(dialled(expression))


def test_an_edge_gets_the_hint_too() -> None:
    (only,) = issues(flow({"m": ask(), "end": bye()}, "start > m", "m ?{{input}} == yes > end"))
    assert only.path == "edges[1].condition"
    assert only.message.endswith("; did you mean the text 'yes'? put it in quotes")


def test_a_bare_word_that_a_webhook_would_have_to_bring_is_a_warning() -> None:
    (only,) = issues(called("{{severity}} == high"))
    assert (only.code, only.is_warning) == ("MAYBE_UNBOUND_VARIABLE", True)
    assert (
        only.message == "{{high}} is there only if the payload has it; did you mean the text 'high'? put it in quotes"
    )


@pytest.mark.parametrize(
    "expression", ["severity == 'high'", "severity >= limit", "{{path}} == body", "{{a}} == {{b}}"]
)
def test_names_that_a_webhook_may_bring_are_no_words(expression: str) -> None:
    assert not issues(called(expression))


def test_a_name_that_a_text_reads_is_no_word() -> None:
    document = called("{{limit}} == most", b=sms("At most {{most | default(1)}}", to="+254711000001"))
    assert not issues(document)
