"""Templates: what is put in, what is kept, what is refused."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from workflow.paths import Scope
from workflow.templates import (
    FilterError,
    Formatting,
    MissingVariable,
    Reference,
    RenderError,
    TemplateSyntaxError,
    as_text,
    contains_template,
    parse_message_template,
    parse_template,
)

MakeScope = Callable[[Mapping[str, object]], Scope]
STRICT = Formatting()
LENIENT = Formatting(missing_variable="empty")

VALUES: dict[str, object] = {
    "name": "Ann",
    "amount": 1500,
    "price": 2.50,
    "whole": 3.0,
    "tiny": 1e-7,
    "huge": 1e22,
    "flag": True,
    "nothing": None,
    "blank": "",
    "items": [{"name": "Maize", "tags": ["a", None]}, {"name": "Beans"}],
    "node_node-1": {"output": {"items": [{"name": "first"}]}},
    "session": {"data": {"pin": "1234", "full name": "Ann B"}},
}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("no placeholder } or { or }}", "no placeholder } or { or }}"),
        ("Hello {{name}}!", "Hello Ann!"),
        ("{{ name }}{{\n\tname\n}}", "AnnAnn"),
        ("{{amount}} {{price}} {{whole}} {{flag}}", "1500 2.5 3 true"),
        ("{{tiny}} {{huge}}", "0.0000001 10000000000000000000000"),
        ("{{items}}", '[{"name":"Maize","tags":["a",null]},{"name":"Beans"}]'),
        ("{{items.0.tags}} {{items[1]}}", '["a",null] {"name":"Beans"}'),
        ("{{node_node-1.output.items.0.name}}", "first"),
        ('{{session.data["full name"]}}', "Ann B"),
        ("[{{blank}}]", "[]"),
        ('{"user":{"name":{{name | json}}}}', '{"user":{"name":"Ann"}}'),
        ("{{name}}}}", "Ann}}"),
        (r"C:\name\table {{name}}", r"C:\name\table Ann"),
    ],
)
def test_placeholders_are_replaced_and_the_rest_is_kept(scope_of: MakeScope, text: str, rendered: str) -> None:
    assert parse_template(text).render(scope_of(VALUES), STRICT) == rendered


@pytest.mark.parametrize("root", ["amount", "whole", "flag", "items", "name", "session"])
def test_a_template_that_is_one_placeholder_keeps_the_native_type(scope_of: MakeScope, root: str) -> None:
    value = parse_template(f"{{{{ {root} }}}}").evaluate(scope_of(VALUES), STRICT)
    assert value is VALUES[root]


@pytest.mark.parametrize("text", [" {{amount}}", "{{amount}}{{amount}}", "{{amount}}\n", "plain"])
def test_any_other_template_evaluates_to_text(scope_of: MakeScope, text: str) -> None:
    template = parse_template(text)
    assert template.evaluate(scope_of(VALUES), STRICT) == template.render(scope_of(VALUES), STRICT)


@pytest.mark.parametrize("path", ["nme", "nothing", "items.7.name", "session.data.nothing.deep"])
def test_a_path_without_a_value_is_an_error_that_names_it(scope_of: MakeScope, path: str) -> None:
    template = parse_template(f"Hello {{{{{path} | upper}}}}")
    with pytest.raises(MissingVariable, match=path) as failure:
        template.render(scope_of(VALUES), STRICT)
    assert failure.value.path.text == path


@pytest.mark.parametrize(
    ("text", "rendered", "native"),
    [
        ("{{nme}}", "", None),
        ("{{nothing | upper | trim | number | date}}", "", None),
        ("{{nme | json}}", "null", "null"),
        ("{{nme | length}}", "0", 0),
        ('{{nme | default("x")}}', "x", "x"),
    ],
)
def test_a_missing_value_may_be_empty(scope_of: MakeScope, text: str, rendered: str, native: object) -> None:
    template = parse_template(text)
    assert template.render(scope_of(VALUES), LENIENT) == rendered
    assert template.evaluate(scope_of(VALUES), LENIENT) == native


def test_references_are_listed_in_their_order_with_their_defaults() -> None:
    template = parse_template('{{b.c}} {{a | upper | default("x")}} {{b.c}}')
    assert [(str(reference.path), reference.has_default) for reference in template.references] == [
        ("b.c", False),
        ("a", True),
        ("b.c", False),
    ]
    assert isinstance(template.references[0], Reference)
    assert template.text == '{{b.c}} {{a | upper | default("x")}} {{b.c}}'


def test_a_text_without_placeholders_names_nothing() -> None:
    template = parse_template("Welcome")
    assert template.references == ()


def test_written_line_breaks_become_real_ones_in_messages_only(scope_of: MakeScope) -> None:
    text = r"Hi {{name}}\n1. Yes\t2. No {{typed | default('a\nb')}}"
    scope = scope_of({"name": r"a\nb"})
    assert parse_message_template(text).render(scope, STRICT) == "Hi a\\nb\n1. Yes\t2. No a\nb"
    assert parse_template(text).render(scope, STRICT) == r"Hi a\nb\n1. Yes\t2. No " + "a\nb"
    assert not parse_message_template(r"\n").references
    assert parse_message_template(text).text == text


@pytest.mark.parametrize(
    ("text", "found"), [("{{x}}", True), ("a {{", True), ("}}", False), ("{x}", False), ("", False)]
)
def test_a_template_is_recognised_by_its_opening_braces(text: str, found: bool) -> None:
    assert contains_template(text) is found


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("Hi {{name", 4, "never closed"),
        ("Hi {{", 4, "never closed"),
        ("Hi {{}}", 4, "empty"),
        ("Hi {{  }}", 4, "empty"),
        ("{{a}} {{name} {{b}}", 13, "one } is missing"),
        ("{{first name}}", 9, "name cannot stand here"),
        ("{{#if x}}", 3, "'#'"),
        ("{{{name}}}", 3, "'{'"),
        ("{{name.}}", 7, "after this point"),
        ("{{name[x]}}", 7, '["the key"]'),
        ("{{5}}", 3, "starts with a name"),
        ('{{"text"}}', 3, "starts with a name"),
        ("{{null}}", 3, "starts with a name"),
        ("{{name | }}", 10, "expected a name"),
        ("{{name | shout}}", 10, "the filters are default, upper, lower"),
        ("{{name | upper(1)}}", 10, "write upper"),
        ("{{name | default}}", 10, 'write default("friend")'),
        ("{{name | default()}}", 10, 'write default("friend")'),
        ("{{name | default(friend)}}", 18, "a text in quotes"),
        ('{{name | default("friend}}', 18, "never closed"),
        ("{{name | truncate(2 3)}}", 21, "expected ) or a comma"),
        ("{{name | truncate(2,)}}", 21, "cannot stand here"),
        ("{{name | truncate(0)}}", 19, "from 1 to 65536"),
        ("{{name | truncate(2.5)}}", 19, "whole number"),
        ("{{name | truncate(true)}}", 19, "whole number"),
        ("{{name | truncate(9, 9)}}", 19, "in quotes"),
        ("{{name | number(11)}}", 17, "from 0 to 10"),
        ("{{name | currency}}", 10, 'currency("KES")'),
        ('{{name | currency("kes")}}', 19, "capitals"),
        ('{{name | date("%Q")}}', 15, "%Q is not known"),
        ('{{name | date("%d %")}}', 15, "% is not known"),
        ('{{name | date("%d", "Nairobi")}}', 15, "IANA"),
        ('{{name | date("%d", "../etc")}}', 15, "IANA"),
        ('{{name | date("%d", "Africa")}}', 15, "IANA"),
        ("{{name | default(" + "9" * 50 + ")}}", 18, "40 characters"),
        ("x" * 65537, 1, "64 KiB"),
        ("é" * 32769, 1, "64 KiB"),
    ],
)
def test_bad_syntax_is_refused_with_column_and_advice(text: str, column: int, words: str) -> None:
    with pytest.raises(TemplateSyntaxError) as refusal:
        parse_template(text)
    assert refusal.value.column == column
    assert words in refusal.value.message


def test_the_longest_template_is_taken(scope_of: MakeScope) -> None:
    assert len(parse_template("é" * 32768).render(scope_of({}), STRICT)) == 32768


@pytest.mark.parametrize(("text", "value"), [("{{a}}" * 3, "x" * 100_000), ("{{a}}.", "é" * 131_072)])
def test_a_rendered_text_is_bounded(scope_of: MakeScope, text: str, value: str) -> None:
    with pytest.raises(RenderError, match="256 KiB"):
        parse_template(text).render(scope_of({"a": value}), STRICT)


def test_a_rendered_text_of_the_greatest_length_goes_out(scope_of: MakeScope) -> None:
    text = "é" * 131_072
    assert parse_template("{{a}}").render(scope_of({"a": text}), STRICT) == text


def test_a_value_that_nests_without_end_is_a_render_error(scope_of: MakeScope) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RenderError, match="JSON"):
        parse_template("x {{a}}").render(scope_of({"a": endless}), STRICT)
    with pytest.raises(FilterError, match="JSON"):
        parse_template("{{a | json}}").render(scope_of({"a": endless}), STRICT)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_has_no_text(value: float) -> None:
    with pytest.raises(RenderError):
        as_text(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.0, "0"), (-2.0, "-2"), (0.1, "0.1"), (100.0, "100"), (False, "false"), (None, ""), ({}, "{}")],
)
def test_values_read_as_people_write_them(value: object, text: str) -> None:
    assert as_text(value) == text


def test_an_integer_of_any_length_has_a_text() -> None:
    assert as_text(10**5000) == "1" + "0" * 5000


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_outside_of_braces_is_kept(scope_of: MakeScope, text: str) -> None:
    assert parse_template(text).render(scope_of({}), STRICT) == text


@given(st.text(), st.text(), st.text())
def test_what_a_user_typed_is_given_back_as_it_is(scope_of: MakeScope, before: str, typed: str, after: str) -> None:
    before, after = before.replace("{", ""), after.replace("{", "")
    for text in (typed, "{{session.data.pin}}", "{{" + typed + "}}", r"\n" + typed, '" || true', "{{typed | upper}}"):
        scope = scope_of({**VALUES, "typed": text})
        assert parse_template(before + "{{typed}}" + after).render(scope, STRICT) == before + text + after
        assert parse_message_template("{{typed}}").evaluate(scope, STRICT) == text


TOKENS = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{",
            "}",
            "|",
            "(",
            ")",
            ",",
            "[",
            "]",
            ".",
            '"',
            "'",
            "\\",
            " ",
            "-",
            "0",
            "2",
            "-1.5",
            "é",
            "\n",
        ),
        *("name", "amount", "items", "nothing", "default", "upper", "truncate", "number", "currency", "date", "json"),
        *("length", "urlencode", "true", "null", '"KES"', '"%d/%m"', "'x'", '"Africa/Nairobi"'),
    ]
)


@given(st.text() | st.text(alphabet="{}|().\"'\\[]a0- ,") | st.lists(TOKENS, max_size=25).map("".join))
def test_any_text_parses_or_is_refused_with_a_column_in_it(text: str) -> None:
    for parse in (parse_template, parse_message_template):
        column = 1
        try:
            parse(text)
        except TemplateSyntaxError as problem:
            column = problem.column
        assert 1 <= column <= len(text) + 1


ARGUMENTS = st.sampled_from(["null", "true", "2", "0", "-1", "1.5", '"KES"', '"%d/%m/%Y %Z"', '"UTC"', '"..."'])
FILTERS = st.builds(
    lambda name, arguments: name + (f"({', '.join(arguments)})" if arguments else ""),
    st.sampled_from(
        ["default", "upper", "lower", "trim", "truncate", "number", "currency", "date", "json", "length", "urlencode"]
    ),
    st.lists(ARGUMENTS, max_size=2),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(lambda t: t.isoformat()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400)
@given(st.lists(FILTERS, max_size=3), JSON, st.sampled_from(["UTC", "Africa/Nairobi", "No/Where", "\x00"]))
def test_filters_never_fail_in_another_way_than_documented(
    scope_of: MakeScope, filters: list[str], value: object, zone: str
) -> None:
    text = "{{" + " | ".join(["value", *filters]) + "}}"
    try:
        template = parse_template(f"{text}.")
    except TemplateSyntaxError:
        return
    for formatting in (Formatting(zone), Formatting(zone, "empty")):
        try:
            rendered = template.render(scope_of({"value": value}), formatting)
        except RenderError:
            continue
        assert rendered.endswith(".")


def test_importing_the_package_leaves_the_slow_libraries_out() -> None:
    program = "import sys, workflow.templates, workflow.expressions; print({'lark', 're2'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "set()"
