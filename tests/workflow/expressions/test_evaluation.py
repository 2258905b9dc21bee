"""What expressions come to."""

from collections.abc import Callable, Mapping

import pytest

from workflow.expressions import ExpressionError, parse_expression
from workflow.paths import Scope
from workflow.templates import FilterError, Formatting

MakeScope = Callable[[Mapping[str, object]], Scope]
FORMATTING = Formatting()
VALUES: dict[str, object] = {
    "name": "Ann",
    "amount": 150,
    "price": 0.1,
    "typed": "12",
    "padded": " 0012 ",
    "word": "abc",
    "blank": "",
    "flag": True,
    "nothing": None,
    "items": [1, "2", 0.1, None, {"a": [1]}],
    "body": {"key": 1, "x y": 2},
    "message": '" || true || "',
    "node_node-1": {"output": {"x": 7}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # Operands
        ("amount", 150),
        ("{{amount}}", 150),
        ("{{name | upper}}", "ANN"),
        ("{{other | default(5)}}", 5),
        ("{{other | upper}}", None),
        ("{{other | length}}", 0),
        ("other", None),
        ("items.4.a[0]", 1),
        ("node_node-1.output.x - 1", 6),
        (r"""'it\'s' + " \"ok\"\n\d" """, 'it\'s "ok"\n\\d'),
        ("1.50", 1.5),
        ("2.0", 2),
        ("[1, 1.5, 'x', [true, null]]", [1, 1.5, "x", [True, None]]),
        ("[]", []),
        # Precedence
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("12 / 3 / 2", 2),
        ("-2 * -3", 6),
        ("- - 2", 2),
        ("1 + 1 == 2 && 3 > 2", True),
        ("true || false && false", True),
        ("not false && false", False),
        ("not 1 == 2", True),
        ("!true == false", True),
        ("!!5", True),
        ("not not 5", True),
        ("true and not false or false", True),
        # Numbers
        ("0.1 + 0.2 == 0.3", True),
        ("price * 3", 0.3),
        ("10 / 4", 2.5),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7.5 % 2", 1.5),
        ("9007199254740993 + 1", 9007199254740994),
        ("typed + 1", 13),
        ("1 + typed", 13),
        ("typed * 2", 24),
        ("-typed", -12),
        # Joining texts
        ("'a' + 'b'", "ab"),
        ("typed + typed", "1212"),
        ("'KES ' + 5 + 0.5", "KES 50.5"),
        ("5 + ' items'", "5 items"),
        ("'ok: ' + flag", "ok: true"),
        # Equality
        ("typed == 12", True),
        ("padded == 12", True),
        ("padded == '12'", False),
        ("'0012' == '12'", False),
        ("12 == '12.0'", True),
        ("word == 0", False),
        ("blank == 0", False),
        ("1 == 1.0", True),
        ("flag == true", True),
        ("flag == 1", False),
        ("flag == 'true'", False),
        ("nothing == null", True),
        ("other == nothing", True),
        ("blank == null", False),
        ("null == 0", False),
        ("null == false", False),
        ("null != 0", True),
        ("[1, '2'] == ['1', '2']", True),
        ("[1, 2] == ['1', 2.0]", True),
        ("[1] == [1, 2]", False),
        ("[true] == [1]", False),
        ("body == body", True),
        ("body == items", False),
        # Order
        ("amount > 100", True),
        ("typed < 100", True),
        ("typed < '9'", False),
        ("'b' > 'a'", True),
        ("'12a' < '9'", True),
        ("word > 5", False),
        ("word <= 5", False),
        ("5 <= word", False),
        ("nothing < 5", False),
        ("nothing >= nothing", False),
        ("flag > nothing", False),
        ("2 <= 2", True),
        ("0.1 < 0.2", True),
        ("price >= 0.1", True),
        # Membership
        ("1 in items", True),
        ("'1' in items", True),
        ("2 in items", True),
        ("0.1 in items", True),
        ("null in items", True),
        ("3 not in items", True),
        ("{{typed}} in [11, 12]", True),
        ("'key' in body", True),
        ("'A' in name", True),
        ("1 in nothing", False),
        ("1 not in nothing", True),
        ("items contains 3", False),
        ("body contains 'x y'", True),
        ("name contains 'nn'", True),
        ("amount contains 5", True),
        ("name contains nothing", False),
        ("name startsWith 'An'", True),
        ("name startsWith 'n'", False),
        ("amount startsWith 15", True),
        ("name endsWith 'nn'", True),
        ("nothing endsWith ''", False),
        # Patterns
        (r"name matches '^A\w+$'", True),
        ("name matches 'n'", True),
        ("name matches '^n'", False),
        (r"typed matches '^\d{2}$'", True),
        ("amount matches '^15'", True),
        ("nothing matches '.*'", False),
        ("name matches '(?i)^ann$'", True),
        ("'é' matches '^.$'", True),
        ("name matches '^' + 'A'", True),
        # Truth
        ("'a' && 1", True),
        ("'' || 0", False),
        ("'0' && 'false'", True),
        ("[] || null", False),
        ("!other", True),
        ("!(1 in [1])", False),
        # The second side is left alone where the first decides.
        ("false && 1 / 0", False),
        ("true || 1 / 0", True),
    ],
)
def test_an_expression_comes_to(scope_of: MakeScope, text: str, value: object) -> None:
    result = parse_expression(text, {"node-1"}).evaluate(scope_of(VALUES), FORMATTING)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("amount + other", 8, "right side of + has no value"),
        ("other + 'x'", 7, "left side of + has no value"),
        ("other - 1", 7, "default(0)"),
        ("-word", 1, "is a text that is none"),
        ("word * 2", 6, "left side is a text"),
        ("2 * flag", 3, "right side is true or false"),
        ("flag + 1", 6, "left side is true or false"),
        ("items + 1", 7, "left side is a list"),
        ("'x' + body", 5, "right side is an object"),
        ("1 / 0", 3, "is zero"),
        ("1 % typed - 1 / (typed - 12)", 15, "is zero"),
        ("1" + "0" * 39 + " * 1" + "0" * 39 + (" * 1" + "0" * 39) * 7, 300, "too large"),
        ("items < 1", 7, "left side is a list"),
        ("1 < flag", 3, "right side is true or false"),
        ("flag contains 'x'", 6, "this is true or false"),
        ("name contains flag", 6, "this is true or false"),
        ("items in name", 7, "this is a list"),
        ("flag matches 'x'", 6, "this is true or false"),
        ("name matches '(' + ''", 6, "RE2"),
        ("items startsWith 1", 7, "this is a list"),
    ],
)
def test_what_an_operator_cannot_do_is_an_error_at_its_column(
    scope_of: MakeScope, text: str, column: int, words: str
) -> None:
    with pytest.raises(ExpressionError) as failure:
        parse_expression(text).evaluate(scope_of(VALUES), FORMATTING)
    assert words in failure.value.message
    assert failure.value.column == column


def test_a_filter_that_fails_says_so(scope_of: MakeScope) -> None:
    with pytest.raises(FilterError):
        parse_expression("{{word | number}} == 1").evaluate(scope_of(VALUES), FORMATTING)


@pytest.mark.parametrize("typed", ['" || true || "', "' || true || '", "true", "{{flag}}", "1 == 1", ") || (true"])
def test_what_a_user_typed_stays_data(scope_of: MakeScope, typed: str) -> None:
    scope = scope_of({"message": typed, "flag": True})
    assert parse_expression('{{message}} == "yes"').truth(scope, FORMATTING) is False
    assert parse_expression("message == true").truth(scope, FORMATTING) is False
    assert parse_expression("message").evaluate(scope, FORMATTING) == typed


@pytest.mark.parametrize(
    ("text", "truth"), [("0", False), ("'0'", True), ("''", False), ("[0]", True), ("body", True), ("other", False)]
)
def test_truth_is_a_bool(scope_of: MakeScope, text: str, truth: bool) -> None:
    assert parse_expression(text).truth(scope_of(VALUES), FORMATTING) is truth


def test_the_deepest_and_the_longest_expression_are_evaluated(scope_of: MakeScope) -> None:
    for level in ("0 or 1 and not 1 == ", "0 + 1 * -"):
        deepest = f"{level}(" * 64 + "1" + ")" * 64
        assert parse_expression(deepest).truth(scope_of({}), FORMATTING)
    assert parse_expression("+".join(["1"] * 2048)).evaluate(scope_of({}), FORMATTING) == 2048
    assert parse_expression("!" * 4094 + "1").evaluate(scope_of({}), FORMATTING) is True
    assert parse_expression("not " * 1023 + "1").evaluate(scope_of({}), FORMATTING) is False
    assert parse_expression(" or ".join(["0"] * 800)).evaluate(scope_of({}), FORMATTING) is False


def test_work_is_bounded(scope_of: MakeScope) -> None:
    scope = scope_of({"items": list(range(50_000)), "text": "ab" * 30_000})
    for text in (" or ".join(["0.5 in items"] * 200), " or ".join(["text matches '(a|b)*a(a|b){200}c'"] * 100)):
        with pytest.raises(ExpressionError, match="too much data"):
            parse_expression(text).evaluate(scope, FORMATTING)
    joined = parse_expression("+".join(["text"] * 200))
    with pytest.raises(ExpressionError, match="longer than"):
        joined.evaluate(scope, FORMATTING)


def test_an_endless_value_is_an_error_and_no_crash(scope_of: MakeScope) -> None:
    one: list[object] = []
    other: list[object] = []
    one.append(one)
    other.append(other)
    with pytest.raises(ExpressionError, match="nest too deep"):
        parse_expression("one == other").evaluate(scope_of({"one": one, "other": other}), FORMATTING)


@pytest.mark.parametrize("text", ["x > 1", "x + 1", "x == 1", "{{x | length}} > 1"])
def test_a_number_that_is_none_is_an_error(scope_of: MakeScope, text: str) -> None:
    with pytest.raises(ExpressionError, match="not a number"):
        parse_expression(text).evaluate(scope_of({"x": float("nan")}), FORMATTING)
