"""What is an expression, and what is said about a text that is none."""

import pytest
from hypothesis import given, strategies as st

from workflow.expressions import ExpressionSyntaxError, parse_expression


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "empty"),
        ("  ", 1, "empty"),
        ("1 +", 4, "ends too early; expected a value"),
        ("(1", 3, "or )"),
        ("[1, 2", 6, "a comma or ]"),
        ("1)", 2, ") cannot stand here"),
        ("* 2", 1, "expected a value"),
        ("a b", 3, "expected an operator"),
        ("a == ", 6, "expected a value"),
        ("a < b < c", 7, "cannot follow another comparison"),
        ("a == b == c", 8, "parentheses"),
        ("a = 1", 3, "write =="),
        ("a === 1", 3, "write =="),
        ("a <> 1", 3, "write !="),
        ("a & b", 3, "write &&"),
        ("a | upper", 3, "write ||"),
        ("a =~ 'x'", 3, "write matches"),
        ("a match 'x'", 3, "did you mean matches?"),
        ("{{a}} contain 'x'", 7, "did you mean contains?"),
        ("a is 'x'", 3, "write =="),
        ("{{a}} == New Town", 14, "or &&; a text of several words is put in quotes: 'New Town'"),
        ("{{a}} == New York", 14, "did you mean or? a text of several words is put in quotes: 'New York'"),
        ("{{a}} == 'x' andd {{b}}", 14, "andd is no operator; did you mean and?"),
        ("a ** 2", 3, "no operator"),
        ("a ? 1", 3, "no operator"),
        ("a AND b", 3, "write and"),
        ("a == True", 6, "write true"),
        ("a startswith 'x'", 3, "write startsWith"),
        ("a == 'x", 6, "never closed"),
        ('a == "x', 6, "never closed"),
        ("1e5", 1, "a number is digits"),
        ("2fa == 1", 1, "cannot start with a digit"),
        ("a == 2nd", 6, "a text is put in quotes"),
        ("9" * 41, 1, "40 characters"),
        ("a @ b", 3, "'@'"),
        ("a }} b", 3, "closes nothing"),
        ("a. == 1", 2, "'.'"),
        ('"{{name}}" == "x"', 1, "not put in quotes"),
        ("1 == {{name", 6, "never closed"),
        ("{{}} == 1", 1, "empty"),
        ("{a} == 1", 1, "two braces"),
        ("{{a | default(no)}} == 1", 15, "a text is put in quotes: 'no'"),
        ("{{a | uper}} == 1", 7, "did you mean upper?"),
        ("{{name | shout}} == 1", 10, "no filter 'shout'"),
        ("a matches '('", 3, "missing )"),
        ("a matches '(?=x)'", 3, "RE2"),
        ("a matches '" + "x" * 1001 + "'", 3, "1000 bytes"),
        ("(" * 65 + "1" + ")" * 65, 65, "deeper than 64"),
        ("[" * 65 + "1" + "]" * 65, 65, "deeper than 64"),
        ("1" + " " * 4096, 1, "4 KiB"),
    ],
)
def test_bad_syntax_is_refused_with_column_and_advice(text: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as refusal:
        parse_expression(text)
    assert refusal.value.column == column
    assert words in refusal.value.message


def _paths(text: str, node_ids: set[str]) -> list[str]:
    return [str(reference.path) for reference in parse_expression(text, node_ids).references]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{{amount}} > limit", ["amount", "limit"]),
        ("a.b[0]['x y'] == 1", ["a.b[0]['x y']"]),
        ("total-amount", ["total", "amount"]),
        ("{{total-amount}}", ["total-amount"]),
        ("node_node-1.output.x == 1", ["node_node-1.output.x"]),
        ("node_node-1.output.x-node_node-1.output.y", ["node_node-1.output.x", "node_node-1.output.y"]),
        ("node_node-1-x", ["node_node-1", "x"]),
        ("node_pay-2-b.output", ["node_pay-2-b.output"]),
        ("node_node-10.output", ["node_node", None]),
        ("node_other-one.output", ["node_other", "one.output"]),
        ("node_plain.output", ["node_plain.output"]),
        ("[a, [b]] contains c", ["a", "b", "c"]),
        ("1 == 1", []),
    ],
)
def test_a_dash_is_a_minus_except_in_the_id_of_a_known_node(text: str, paths: list[str | None]) -> None:
    ids = {"node", "node-1", "pay", "pay-2", "pay-2-b", "plain"}
    if None in paths:
        with pytest.raises(ExpressionSyntaxError):
            parse_expression(text, ids)
    else:
        assert _paths(text, ids) == paths


def test_a_default_is_noted_in_the_references() -> None:
    expression = parse_expression("{{a | default(0)}} > b")
    assert [reference.has_default for reference in expression.references] == [True, False]
    assert expression.text == "{{a | default(0)}} > b"


def test_the_deepest_nesting_is_taken() -> None:
    parse_expression("(" * 64 + "1" + ")" * 64)


TOKENS = st.sampled_from(
    [
        *(
            "==",
            "!=",
            "<",
            ">=",
            "&&",
            "||",
            "!",
            "+",
            "-",
            "*",
            "/",
            "%",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "{{",
            "}}",
            "|",
        ),
        *("and", "or", "not", "in", "contains", "startsWith", "matches", "true", "null", "1", "0.5", "'x'", '"y"', "a"),
        *("node_n-1", "{{a}}", "{{b | upper}}", '"', "'", "\\", "é", "=", "&", "[0]", "2a", "AND", "\ud800"),
    ]
)


@given(st.text() | st.text(alphabet="{}()[]!=<>&|+-*/%.,\"'\\a1 ") | st.lists(TOKENS, max_size=30).map(" ".join))
def test_any_text_parses_or_is_refused_with_a_column_in_it(text: str) -> None:
    column = 1
    try:
        parse_expression(text, {"n-1"})
    except ExpressionSyntaxError as problem:
        column = problem.column
    assert 1 <= column <= len(text) + 1
