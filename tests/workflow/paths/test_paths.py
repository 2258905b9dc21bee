"""Paths: what they look like and what they lead to."""

from collections import UserDict, UserList
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest
from hypothesis import given, strategies as st

from workflow.paths import UNSET, PathSyntaxError, Scope, parse_path, resolve

MakeScope = Callable[[Mapping[str, object]], Scope]


@pytest.mark.parametrize(
    ("text", "root", "segments"),
    [
        ("msisdn", "msisdn", ()),
        ("session.data.name", "session", ("data", "name")),
        ("node_node-1.output.items.0.name", "node_node-1", ("output", "items", 0, "name")),
        ("items[0][12]", "items", (0, 12)),
        ('body["full name"].x', "body", ("full name", "x")),
        ("body['it\\'s']", "body", ("it's",)),
        (r'body["a\"]b\\"]', "body", ('a"]b\\',)),
        ("menu.01", "menu", ("01",)),
        ("menu.123456789012", "menu", ("123456789012",)),
        ("2fa.code", "2fa", ("code",)),
        ("données.prénom", "données", ("prénom",)),
        ("a.-b.c-", "a", ("-b", "c-")),
        ("items[ 3 ]", "items", (3,)),
    ],
)
def test_a_path_is_a_root_and_steps(text: str, root: str, segments: tuple[str | int, ...]) -> None:
    path = parse_path(text)
    assert (path.root, path.segments, path.text, str(path)) == (root, segments, text, text)


@pytest.mark.parametrize(
    ("text", "column"),
    [("", 1), (".a", 1), ("5", 1), ("-a", 1), ("a.", 2), ("a b", 2), ("a..b", 2), ("a[", 2), ("a[-1]", 2), ("a.b!", 4)],
)
def test_what_is_no_path_is_refused_with_its_column(text: str, column: int) -> None:
    with pytest.raises(PathSyntaxError) as refusal:
        parse_path(text)
    assert refusal.value.column == column


VALUES = {
    "name": "Ann",
    "nothing": None,
    "items": [{"id": 1}, {"id": 2}],
    "body": {"full name": "Ann B", "0": "zero", "get": {"x": 1}},
    "frozen": MappingProxyType({"list": ({"deep": True},)}),
    "own": UserDict({"list": UserList([7])}),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("name", "Ann"),
        ("nothing", None),
        ("items.1.id", 2),
        ("items[0].id", 1),
        ('body["full name"]', "Ann B"),
        ("body.0", "zero"),
        ("body[0]", "zero"),
        ("body.get.x", 1),
        ("frozen.list.0.deep", True),
        ("own.list.0", 7),
    ],
)
def test_a_path_leads_through_objects_and_lists(scope_of: MakeScope, text: str, value: object) -> None:
    assert resolve(parse_path(text), scope_of(VALUES)) == value


@pytest.mark.parametrize(
    "text",
    [
        *("other", "other.deep", "name.0", "name.upper", "nothing.x", "items.2", "items.99999999", "items.length"),
        *("items.append", "body.keys", "body.__class__", "items.01", "items.-1", "name.__class__.__mro__"),
    ],
)
def test_a_step_that_leads_nowhere_is_unset_and_attributes_are_never_read(scope_of: MakeScope, text: str) -> None:
    assert resolve(parse_path(text), scope_of(VALUES)) is UNSET


@given(st.dictionaries(st.text(), st.lists(st.integers(), max_size=3), min_size=1), st.data())
def test_any_key_can_be_named_in_quotes(scope_of: MakeScope, body: dict[str, list[int]], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(body)))
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    assert resolve(parse_path(f'body["{quoted}"]'), scope_of({"body": body})) == body[key]


@given(st.text())
def test_any_text_is_a_path_or_refused_with_a_column_in_it(text: str) -> None:
    column = 1
    try:
        assert parse_path(text).text == text
    except PathSyntaxError as problem:
        column = problem.column
    assert 1 <= column <= len(text) + 1
