"""JSON documents from outside are read strictly, and written compactly."""

import json
import math
from collections import UserList
from types import MappingProxyType

import pytest
from hypothesis import given, strategies as st

from workflow.documents import DocumentError, UnwritableValue, dump_document, parse_document

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "empty"),
        (" \n ", (1, 1), "empty"),
        ("[]", (1, 1), "root"),
        ('\n  "text"', (2, 3), "root"),
        ("null", (1, 1), "root"),
        ('{"a": 1,\n "b": }', (2, 7), "a value is missing"),
        ('{"a": 1,}', (1, 9), "a key in double quotes"),
        ("{'a': 1}", (1, 2), "a key in double quotes"),
        ('{"a" 1}', (1, 6), "colon"),
        ('{"a": [1 2]}', (1, 10), "comma"),
        ('{"a": 1', (1, 8), "ends too early"),
        ('{"a": "never', (1, 7), "never closed"),
        ('{"a": "x\ny"}', (1, 9), "line break"),
        (r'{"a": "\x"}', (1, 8), "escape"),
        (r'{"a": "\u12"}', (1, 9), "hexadecimal"),
        ('{"a": 1} x', (1, 10), "nothing may follow"),
        ("\ufeff{}", (1, 1), "byte order mark"),
        ('{"a": tru}', (1, 7), "a value is missing"),
        ('{"a": 1,\n "b": {"x": 1, "x": 2}}', (2, 16), 'the key "x" stands twice in b'),
        ('{"a": 1, "a": 1}', (1, 10), 'the key "a" stands twice in the root'),
        ('{"a": [0, [{"k": {}, "k": []}]]}', (1, 22), 'the key "k" stands twice in a[1][0]'),
        (r'{"a b": {"k": 1, "\u006b": 2}}', (1, 18), 'the key "k" stands twice in ["a b"]'),
        ('{"a": [1, NaN]}', (1, 11), "NaN at a[1]"),
        ('{"a": "NaN", "b": -Infinity}', (1, 19), "-Infinity at b"),
        ('{"a": 1e999}', (1, 7), "the number at a is too large"),
        ('{"a": -1.0e400}', (1, 7), "the number at a is too large"),
        ('{"a": ' + "9" * 5000 + "}", (1, 7), "the number at a is longer"),
        (r'{"a": {"b": "x\ud800"}}', (1, 13), "the text at a.b holds half"),
        (r'{"\uDFFF": 1}', (1, 2), "holds half"),
        ('{"a": "\udc00"}', (1, 7), "holds half"),
        ('{"a":' + "[" * 64 + "]" * 64 + "}", (1, 69), "nests deeper than 64"),
        ('{"a":' * 70_000, (1, 321), "nests deeper than 64"),
        (b'{\n"a": "\xff"}', (2, 7), "UTF-8"),
        (b"\xef\xbb\xbf{}", (1, 1), "byte order mark"),
    ],
)
def test_a_faulty_document_is_refused_with_place_and_reason(
    text: str | bytes, place: tuple[int, int], words: str
) -> None:
    with pytest.raises(DocumentError) as refusal:
        parse_document(text)
    assert (refusal.value.line, refusal.value.column) == place
    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (' {"a": [1, -2.5, true, null, "x"]}\n', {"a": [1, -2.5, True, None, "x"]}),
        ('{"id": 123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        (r'{"a": "\ud83d\ude00"}', {"a": "😀"}),
        ('{"a": "\\"NaN\\" {[,:"}', {"a": '"NaN" {[,:'}),
        ('{"": {"": 1}, "a": {"b": 1}, "c": {"b": 1}}', {"": {"": 1}, "a": {"b": 1}, "c": {"b": 1}}),
        ('{"a": "é"}'.encode(), {"a": "é"}),
        ('{"a": 1e-999}', {"a": 0.0}),
    ],
)
def test_a_good_document_is_read(text: str | bytes, value: dict[str, object]) -> None:
    assert parse_document(text) == value


def test_sixty_four_levels_are_read() -> None:
    text = '{"a":' + "[" * 63 + "]" * 63 + "}"
    assert dump_document(parse_document(text)) == text


@given(st.dictionaries(st.text(), JSON))
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    assert parse_document(dump_document(value)) == value
    assert parse_document(json.dumps(value).encode()) == value


@given(st.text() | st.text(alphabet='{}[]:,"\\ud80aN1e9.- \n') | st.binary())
def test_any_text_is_read_or_refused_with_a_place(text: str | bytes) -> None:
    place = (1, 1)
    try:
        parse_document(text)
    except DocumentError as problem:
        place = (problem.line, problem.column)
    assert min(place) >= 1
    assert place[0] <= len(text) + 1
    assert place[1] <= len(text) + 1


def test_compact_json_is_written() -> None:
    value = {"a": [1, 2.5, {"é": None}], "b": (True,), "c": MappingProxyType({"d": UserList([2**70])})}
    assert dump_document(value) == '{"a":[1,2.5,{"é":null}],"b":[true],"c":{"d":[1180591620717411303424]}}'


def test_a_number_that_json_lacks_becomes_null() -> None:
    assert dump_document({"a": math.nan, "b": math.inf}) == '{"a":null,"b":null}'


def _nested(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [object(), {"a": b"x"}, "\ud800", _nested(100_000)], ids=lambda _: "")
def test_a_value_without_json_form_is_refused(value: object) -> None:
    with pytest.raises(UnwritableValue):
        dump_document(value)
