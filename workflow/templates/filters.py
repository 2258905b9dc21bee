"""
The filters of templates, one table.

A filter is made once, when the template is parsed, from its literal arguments; wrong ones are refused then. What it
makes works on a value that is not null: null passes every filter but `default`, `json` and `length` as it is.
Texts that filters write hold characters of the GSM alphabet only, unless the value or an argument holds others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from workflow.documents import UnwritableValue, dump_document
from workflow.templates import dates, numbers
from workflow.templates.errors import FilterError
from workflow.templates.formatting import Formatting
from workflow.templates.signature import ArgumentError, Work, whole_number
from workflow.templates.values import as_text


@dataclass(frozen=True, slots=True)
class Filter:
    """
    Attributes:
        usage: How it is written.
        least: Fewest arguments.
        most: Most arguments.
        make: Takes the arguments, returns the work. Raises ArgumentError.
        takes_null: Whether it also works on null.
    """

    usage: str
    least: int
    most: int
    make: Callable[..., Work]
    takes_null: bool = False


def _text(name: str, value: object) -> str:
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        raise FilterError(name, "works on text, and this is a list or an object; name one value in it, or use json")
    return as_text(value)


def default(replacement: Any) -> Work:
    """`default(value)` stands in for a value that is missing, null or empty text. `default(null)` allows nothing."""
    return lambda value, _: replacement if value is None or value == "" else value


def upper() -> Work:
    """`upper` writes text in capitals."""
    return lambda value, _: _text("upper", value).upper()


def lower() -> Work:
    """`lower` writes text in small letters."""
    return lambda value, _: _text("lower", value).lower()


def trim() -> Work:
    """`trim` takes away blanks and line breaks at both ends."""
    return lambda value, _: _text("trim", value).strip()


def truncate(length: Any, ending: Any = "...") -> Work:
    """
    `truncate(length, ending)` cuts text to `length` characters at most, `ending` included.

    `length` is 1 to 65536. `ending` is "..." unless given; it is left out where it has no room.
    """
    most = whole_number(length, "the length", 1, 65536)
    if not isinstance(ending, str):
        raise ArgumentError("the ending is a text in quotes")
    kept = most - len(ending)

    def cut(value: object, _: Formatting) -> str:
        text = _text("truncate", value)
        if len(text) <= most:
            return text
        return text[:kept].rstrip() + ending if kept > 0 else text[:most]

    return cut


def json() -> Work:
    """`json` writes any value as JSON without spaces; text gets quotes and escapes, null is `null`."""

    def write(value: object, _: Formatting) -> str:
        try:
            return dump_document(value)
        except UnwritableValue as problem:
            raise FilterError("json", str(problem)) from None

    return write


def length() -> Work:
    """`length` is the number of characters of a text, items of a list or keys of an object; 0 for null."""

    def count(value: object, _: Formatting) -> int:
        if isinstance(value, str | Mapping | Sequence):
            return len(value)
        return len(as_text(value))

    return count


def urlencode() -> Work:
    """`urlencode` writes all but letters, digits and `-._~` as %XX of its UTF-8 bytes (RFC 3986); a blank is %20."""

    def encode(value: object, _: Formatting) -> str:
        try:
            return quote(_text("urlencode", value), safe="")
        except UnicodeEncodeError:
            raise FilterError("urlencode", "the text holds half of a surrogate pair") from None

    return encode


FILTERS: Mapping[str, Filter] = {
    "default": Filter('default("friend")', 1, 1, default, takes_null=True),
    "upper": Filter("upper", 0, 0, upper),
    "lower": Filter("lower", 0, 0, lower),
    "trim": Filter("trim", 0, 0, trim),
    "truncate": Filter('truncate(20) or truncate(20, "...")', 1, 2, truncate),
    "number": Filter("number or number(2)", 0, 1, numbers.number),
    "currency": Filter('currency("KES") or currency("KES", 0)', 1, 2, numbers.currency),
    "date": Filter('date, date("%d/%m/%Y") or date("%H:%M", "Africa/Nairobi")', 0, 2, dates.date),
    "json": Filter("json", 0, 0, json, takes_null=True),
    "length": Filter("length", 0, 0, length, takes_null=True),
    "urlencode": Filter("urlencode", 0, 0, urlencode),
}
"""Every filter by name."""
