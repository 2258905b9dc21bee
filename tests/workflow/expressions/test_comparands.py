"""What an expression tells of its author's mind."""

import pytest

from workflow.expressions import parse_expression


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("{{input}} == yes", {"yes"}),
        ("input == yes", {"yes"}),
        ("yes == {{input}}", {"yes"}),
        ("{{input}} in [yes, 'no', maybe]", {"yes", "maybe"}),
        ("{{input}} not in [yes]", {"yes"}),
        ("{{city}} startsWith Na || {{city}} endsWith bi", {"Na", "bi"}),
        ("{{input}} == 'yes'", set()),
        ("{{input}} == {{yes}}", set()),
        ("{{input}} == answer.yes", set()),
        ("{{severity}} >= limit", set()),
        ("{{total}} == price * count", set()),
        ("{{total}} == -price", set()),
        ("{{a}} == b && {{b}} != ''", set()),
        ("input == 'yes' && paid", set()),
        ("{{input}} == '==' || paid", set()),
    ],
)
def test_bare_names_that_are_likely_texts(text: str, likely: set[str]) -> None:
    assert parse_expression(text).likely_texts == likely


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{{a.b}} != null", {"a.b"}),
        ("null == a || {{b}} == null", {"a", "b"}),
        ("{{a | default(1)}} == null", {"a"}),
        ("{{a}} == 'null' && {{b}} > 0", set()),
        ("{{a}} in [null]", set()),
    ],
)
def test_paths_that_are_compared_with_null(text: str, paths: set[str]) -> None:
    assert parse_expression(text).compared_with_null == paths
