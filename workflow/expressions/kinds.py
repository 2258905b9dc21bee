"""Kinds of values in an expression: null, true and false, numbers, texts, lists, objects."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard

from workflow.expressions.errors import ExpressionError
from workflow.paths import UNSET
from workflow.templates.values import number_in

Number = int | float | Decimal


def is_number(value: object) -> TypeGuard[Number]:
    """True and false are no numbers."""
    return isinstance(value, Number) and not isinstance(value, bool)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Text is no list."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def exact(value: Number, column: int) -> int | Decimal:
    """Returns the number that people see: 0.1 is a tenth. Raises ExpressionError when it is not finite."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise ExpressionError("a number is infinite or not a number", column)
    return Decimal(repr(value))


def as_number(value: object, column: int) -> int | Decimal | None:
    """Returns a number, or the number that a text looks like, else None."""
    if isinstance(value, str):
        return number_in(value)
    return exact(value, column) if is_number(value) else None


def kind(value: object) -> str:
    """Names what a value is, in words."""
    if value is None or value is UNSET:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if is_number(value):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "an object" if isinstance(value, Mapping) else "a list"


def truth(value: object) -> bool:
    """False are false, null, 0 and what is empty: text, list, object. The texts "0" and "false" are true."""
    return bool(value)


def native(value: object) -> object:
    """Returns a JSON value: a whole number becomes an int, another one a float."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
