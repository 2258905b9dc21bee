"""Places in a document, issues in order, and suggestions."""

import pytest
from hypothesis import given, strategies as st

from workflow.issues import Issue, in_order
from workflow.places import sort_key, written
from workflow.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((), ""),
        (("nodes", 2, "config", "to"), "nodes[2].config.to"),
        (("data", "first name"), 'data["first name"]'),
        (("data", "a.b", 0), 'data["a.b"][0]'),
        (("data", 'say "x"'), 'data["say \\"x\\""]'),
        (("data", "1"), 'data["1"]'),
        (("data", ""), 'data[""]'),
    ],
)
def test_a_place_is_written_as_a_person_would(steps: tuple[str | int, ...], text: str) -> None:
    assert written(steps) == text


def test_issues_are_sorted_as_the_document_goes() -> None:
    paths = [
        None,
        "metadata.name",
        "trigger.type",
        "nodes[2]",
        "nodes[2].config.to",
        "nodes[10].id",
        "edges[0].source",
        "settings.timezone",
        "errorHandling.maxErrors",
        "other",
    ]
    issues = [Issue("UNKNOWN_FIELD", "x", path=path) for path in paths]
    assert [issue.path for issue in in_order(reversed(issues))] == paths


def test_the_same_fault_stands_once() -> None:
    assert (
        len(
            in_order(
                [
                    Issue("UNKNOWN_FIELD", "x", path="a"),
                    Issue("UNKNOWN_FIELD", "x", path="a"),
                    Issue("UNKNOWN_FIELD", "y", path="a"),
                ]
            )
        )
        == 2
    )


@given(st.lists(st.integers(0, 50) | st.text(max_size=5), max_size=5))
def test_any_place_can_be_sorted(steps: list[str | int]) -> None:
    path = written(steps, "nodes")
    assert sort_key(path) >= sort_key("nodes")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("timezon", "; did you mean timezone?"),
        ("TIMEZONE", "; did you mean timezone?"),
        ("banana", ""),
        ("", ""),
        ("t" * 101, ""),
    ],
)
def test_a_close_name_is_suggested(word: str, hint: str) -> None:
    assert did_you_mean(word, ["timezone", "rateLimit"]) == hint
