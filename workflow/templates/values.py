"""How JSON values turn into text and text into numbers."""

import math
import re
from decimal import Decimal

from workflow.documents import UnwritableValue, dump_document
from workflow.templates.errors import RenderError

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]{1,40}(?:\.[0-9]{1,40})?|\.[0-9]{1,40}))\s*\Z")


def as_text(value: object) -> str:
    """
    Returns how a value reads in a text.

    Text stays as it is. True and false are `true` and `false`, null is empty. Numbers are plain digits, without an
    exponent and without a fraction of zero (`3.0` is `3`). Lists and objects are JSON without spaces.

    Raises:
        RenderError: A list or object that has no JSON form or nests too deep.
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return _integer_text(value)
        case float() | Decimal():
            return _fraction_text(value)
    try:
        return dump_document(value)
    except UnwritableValue as problem:
        raise RenderError(str(problem)) from None


def _integer_text(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write more than 4,300 digits; a Decimal does not.
        return str(Decimal(value))


def _fraction_text(value: float | Decimal) -> str:
    if not math.isfinite(value):
        raise RenderError("a number is infinite or not a number")
    text = str(value)
    if "e" in text or "E" in text:
        text = f"{Decimal(text):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def number_in(text: str) -> int | Decimal | None:
    """
    Returns the number that a text looks like, None when it looks like none.

    Digits with an optional sign and an optional fraction after a point, blanks around it; no exponent, no thousands
    separators, at most 40 digits on either side of the point.
    """
    match = _NUMBER.match(text)
    if match is None:
        return None
    return Decimal(match[1]) if "." in match[1] else int(match[1])
