"""Expressions beside Python's own arithmetic and logic, and under anything that may be in a scope."""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, localcontext
from typing import Any

from hypothesis import assume, given, settings, strategies as st

from workflow.expressions import ExpressionError, ExpressionSyntaxError, parse_expression
from workflow.paths import Scope
from workflow.templates import FilterError, Formatting

MakeScope = Callable[[Mapping[str, object]], Scope]
FORMATTING = Formatting()

Pair = tuple[str, str]
"""The same expression, as ours and as Python's."""


def _joined(left: Pair, operator: Pair, right: Pair) -> Pair:
    return f"{left[0]} {operator[0]} {right[0]}", f"{left[1]} {operator[1]} {right[1]}"


def _grouped(inner: Pair) -> Pair:
    return f"({inner[0]})", f"({inner[1]})"


def _same(*operators: str) -> st.SearchStrategy[Pair]:
    return st.sampled_from([(operator, operator) for operator in operators])


DIGITS = st.integers(0, 1000).map(str) | st.decimals(0, 100, places=2).map(str)
NUMBERS = st.recursive(
    DIGITS.map(lambda digits: (digits, f"D('{digits}')")),
    lambda inner: (
        st.builds(_joined, inner, _same("+", "-", "*", "/", "%"), inner)
        | inner.map(_grouped)
        | inner.map(_grouped).map(lambda group: (f"-{group[0]}", f"-{group[1]}"))
    ),
    max_leaves=12,
)
COMPARISONS = st.builds(_joined, NUMBERS, _same("==", "!=", "<", "<=", ">", ">="), NUMBERS)
LOGIC = st.recursive(
    COMPARISONS | st.sampled_from([("true", "True"), ("false", "False")]),
    lambda inner: (
        st.builds(_joined, inner, st.sampled_from([("&&", "and"), ("and", "and"), ("||", "or"), ("or", "or")]), inner)
        | inner.map(_grouped)
        | inner.map(_grouped).map(lambda group: (f"!{group[0]}", f"(not {group[1]})"))
        | inner.map(_grouped).map(lambda group: (f"not {group[0]}", f"not {group[1]}"))
    ),
    max_leaves=8,
)


def _by_python(text: str) -> Any:
    with localcontext(Context(prec=28, Emin=-300, Emax=300)):
        return eval(text, {"D": Decimal, "__builtins__": {}})


@settings(max_examples=300)
@given(NUMBERS)
def test_calculations_agree_with_python_decimals(scope_of: MakeScope, pair: Pair) -> None:
    assume(len(pair[0]) < 4000)
    try:
        expected = _by_python(pair[1])
    except DecimalException:
        expected = None
    try:
        result = parse_expression(pair[0]).evaluate(scope_of({}), FORMATTING)
    except ExpressionError:
        result = None
    assert result == (expected if expected is None or expected == int(expected) else float(expected))


@settings(max_examples=300)
@given(LOGIC)
def test_logic_agrees_with_python(scope_of: MakeScope, pair: Pair) -> None:
    assume(len(pair[0]) < 4000)
    try:
        expected = _by_python(pair[1])
    except DecimalException:
        return
    assert parse_expression(pair[0]).evaluate(scope_of({}), FORMATTING) is expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["5", "0012", "-1.5", "", " 7 ", '" || true', "{{a}}", 10**4200, 1e308, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc") | st.text(), inner, max_size=3),
    max_leaves=8,
)
OPERANDS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "{{c}}",
            "a.b",
            "b[0]",
            "{{a | upper}}",
            "{{b | number}}",
            "{{c | json}}",
            "{{a | length}}",
            "other",
        ),
        *("{{other | default(3)}}", "1", "0", "2.5", "'x'", "'5'", "''", "true", "null", "[a, 1]", "[]", "'('"),
    ]
)
PREFIXES = st.sampled_from(["", "", "!", "-", "not "])
OPERATORS = st.sampled_from(
    [
        *("==", "!=", "<", "<=", ">", ">=", "&&", "||", "and", "or", "+", "-", "*", "/", "%"),
        *("in", "not in", "contains", "startsWith", "endsWith", "matches"),
    ]
)
MIXED = st.recursive(
    st.builds(str.__add__, PREFIXES, OPERANDS),
    lambda inner: st.builds("({} {} {})".format, inner, OPERATORS, inner),
    max_leaves=8,
)


@settings(max_examples=500)
@given(MIXED, JSON, JSON, JSON)
def test_evaluation_fails_in_the_documented_ways_only(
    scope_of: MakeScope, text: str, a: object, b: object, c: object
) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionSyntaxError:
        return
    scope = scope_of({"a": a, "b": b, "c": c})
    try:
        value = expression.evaluate(scope, FORMATTING)
    except (ExpressionError, FilterError):
        return
    assert value is None or isinstance(value, bool | int | float | str | list | dict)
    assert expression.truth(scope, FORMATTING) is bool(value)


@given(st.text())
def test_any_typed_text_equals_itself_and_nothing_else(scope_of: MakeScope, typed: str) -> None:
    scope = scope_of({"typed": typed, "same": typed, "longer": f"{typed}x"})
    assert parse_expression("{{typed}} == same").evaluate(scope, FORMATTING) is True
    assert parse_expression("typed == longer").evaluate(scope, FORMATTING) is False
    assert parse_expression("typed").evaluate(scope, FORMATTING) == typed


@given(st.text().filter(lambda text: "{{" not in text))
def test_any_text_can_be_written_in_quotes(scope_of: MakeScope, text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert parse_expression(f"'{quoted}'").evaluate(scope_of({}), FORMATTING) == text
