"""Each filter on each kind of value."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, strategies as st

from workflow.gsm import BASIC
from workflow.paths import Scope
from workflow.templates import FilterError, Formatting, parse_template

MakeScope = Callable[[Mapping[str, object]], Scope]
NAIROBI = Formatting(timezone="Africa/Nairobi")


def _filtered(scope_of: MakeScope, filters: str, value: object) -> object:
    return parse_template(f"{{{{value | {filters}}}}}").evaluate(scope_of({"value": value}), NAIROBI)


@pytest.mark.parametrize(
    ("filters", "value", "expected"),
    [
        ('default("friend")', None, "friend"),
        ('default("friend")', "", "friend"),
        ('default("friend")', "Ann", "Ann"),
        ('default("friend")', 0, 0),
        ('default("friend")', False, False),
        ("default(7)", None, 7),
        ("default(2.5)", None, 2.5),
        ("default(null)", None, None),
        ("default(null) | json", None, "null"),
        ('upper | default("friend")', None, "friend"),
        ('default("friend") | upper', None, "FRIEND"),
        ('trim | default("friend")', "  ", "friend"),
        ('default(null) | default("x")', None, "x"),
        (r"default('it\'s \"\n\\ \d')", None, "it's \"\n\\ \\d"),
        ("upper", "aé", "AÉ"),
        ("upper", 12, "12"),
        ("lower", "AÉ", "aé"),
        ("lower", True, "true"),
        ("trim", "\n a b\t", "a b"),
        ("truncate(5)", "abcde", "abcde"),
        ("truncate(5)", "abcdef", "ab..."),
        ("truncate(5)", "a cdef", "a..."),
        ("truncate(3)", "abcdef", "abc"),
        ('truncate(5, "")', "abcdef", "abcde"),
        ('truncate(5, ">")', "abcdef", "abcd>"),
        ("truncate(2)", 12345, "12"),
        ("number", 1234567, "1,234,567"),
        ("number", 1234.5, "1,234.5"),
        ("number", "1234.50", "1,234.5"),
        ("number", " 0042 ", "42"),
        ("number", 1e21, "1,000,000,000,000,000,000,000"),
        ("number(2)", 1234.5, "1,234.50"),
        ("number(0)", 2.5, "3"),
        ("number(0)", -2.5, "-3"),
        ("number(2)", 1.005, "1.01"),
        ("number(2)", -0.001, "0.00"),
        ("number", "+254711000001", "254,711,000,001"),
        ('currency("KES")', 1500, "KES 1,500.00"),
        ('currency("KES")', "1500.5", "KES 1,500.50"),
        ('currency("UGX")', 1500.5, "UGX 1,501"),
        ('currency("TND")', 1, "TND 1.000"),
        ('currency("KES", 0)', 1500, "KES 1,500"),
        ('currency("KES")', -3, "KES -3.00"),
        ("date", "2024-05-01T22:30:00Z", "2024-05-02 01:30"),
        ("date", "2024-05-01 22:30", "2024-05-01 22:30"),
        ("date", "2024-05-01", "2024-05-01 00:00"),
        ("date", 1714602600, "2024-05-02 01:30"),
        ("date", 1714602600000, "2024-05-02 01:30"),
        ('date("%d/%m/%y %I:%M:%S %p")', "2024-05-01T22:30:09Z", "02/05/24 01:30:09 AM"),
        ('date("%-d %B %Y, %A")', "2024-05-01T10:00:00+03:00", "1 May 2024, Wednesday"),
        ('date("%a %b %-m %-H %-I%%")', "2024-05-01T12:00:00+03:00", "Wed May 5 12 12%"),
        ('date("%H:%M %Z %z", "Africa/Lagos")', "2024-05-01T10:00:00Z", "11:00 WAT +0100"),
        ("json", 'a"b\n{{x}}', '"a\\"b\\n{{x}}"'),
        ("json", {"a": [1, None, True]}, '{"a":[1,null,true]}'),
        ("json", 2**70, "1180591620717411303424"),
        ("length", "añb", 3),
        ("length", [1, 2], 2),
        ("length", {"a": 1}, 1),
        ("length", 2547, 4),
        ("urlencode", "a b&c=é/+~", "a%20b%26c%3D%C3%A9%2F%2B~"),
        ("urlencode", 1.0, "1"),
        ('upper | truncate(4, "") | lower', "Mombasa", "momb"),
    ],
)
def test_a_filter_writes(scope_of: MakeScope, filters: str, value: object, expected: object) -> None:
    result = _filtered(scope_of, filters, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("filters", "value"),
    [
        ("upper", ["a"]),
        ("truncate(3)", {"a": 1}),
        ("urlencode", [1]),
        ("urlencode", "\ud800"),
        ("number", "abc"),
        ("number", "1,000"),
        ("number", "1e5"),
        ("number", "٣"),
        ("number", True),
        ("number", []),
        ('currency("KES")', ""),
        ("date", "tomorrow"),
        ("date", True),
        ("date", {}),
        ("date", 1e300),
        ("date", -(10**17)),
        ("date", "0001-01-01T00:00:00+23:00"),
        ("json", "\ud800"),
    ],
)
def test_a_filter_refuses_what_it_cannot_write_without_showing_it(
    scope_of: MakeScope, filters: str, value: object
) -> None:
    with pytest.raises(FilterError) as failure:
        _filtered(scope_of, filters, value)
    assert failure.value.filter_name == filters.partition("(")[0]
    assert not value or str(value) not in failure.value.message


def test_an_unknown_zone_of_the_flow_is_a_filter_error(scope_of: MakeScope) -> None:
    with pytest.raises(FilterError, match="no time zone"):
        parse_template("{{t | date}}").render(scope_of({"t": 0}), Formatting(timezone="Mars/Base"))


@given(st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers())
def test_written_numbers_and_amounts_are_gsm_characters(scope_of: MakeScope, value: float) -> None:
    for filters in ("number", "number(3)", 'currency("KES")', 'currency("UGX")'):
        assert set(str(_filtered(scope_of, filters, value))) <= BASIC


@given(st.datetimes().map(lambda time: time.isoformat()))
def test_written_times_are_gsm_characters(scope_of: MakeScope, value: str) -> None:
    assert set(str(_filtered(scope_of, 'date("%A %d %B %Y %H:%M %p %Z")', value))) <= BASIC


@given(st.text(), st.integers(1, 12), st.text(max_size=5).filter(lambda text: not set(text) & set("\"'\\{}")))
def test_a_truncated_text_is_never_longer_than_asked_for(
    scope_of: MakeScope, text: str, most: int, ending: str
) -> None:
    result = _filtered(scope_of, f'truncate({most}, "{ending}")', "x" + text)
    assert isinstance(result, str)
    assert len(result) <= most


@given(st.integers(min_value=-(10**30), max_value=10**30))
def test_a_grouped_number_keeps_its_digits(scope_of: MakeScope, value: int) -> None:
    assert _filtered(scope_of, "number", value) == f"{value:,}"
