"""
The operators that compare two values and answer true or false.

Null equals null alone, also as an item of a list; every other comparison with null is false, save `!=` and `not in`. A
text that looks like a number is one beside a number.
"""

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from workflow.expressions.errors import ExpressionError
from workflow.expressions.evaluation import Run
from workflow.expressions.kinds import as_number, exact, is_list, is_number, kind
from workflow.expressions.patterns import PatternError, compiled
from workflow.templates.values import as_text

_MAX_DEPTH = 64
_CHARACTERS_PER_UNIT = 256
_UNITS_PER_MATCHED_CHARACTER = 3

Comparison = Callable[[object, object, Run, int], bool]
"""Takes left, right, the run and the column of the operator. Raises ExpressionError."""


def equal(left: object, right: object, run: Run, column: int, depth: int = 0) -> bool:
    """
    Compares by value.

    Two texts are equal when all their characters are ("0012" is not "12"). Lists and objects are equal when their parts
    are. Values of different kinds are not equal, save a number and a text that looks like it.
    """
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if is_number(left) or is_number(right):
        return _equal_numbers(left, right, column)
    if is_list(left) and is_list(right):
        pairs: Any = zip(left, right, strict=False) if len(left) == len(right) else None
    elif isinstance(left, Mapping) and isinstance(right, Mapping):
        pairs = ((left[key], right[key]) for key in left) if left.keys() == right.keys() else None
    else:
        return left is right
    if pairs is None:
        return False
    if depth == _MAX_DEPTH:
        raise ExpressionError("the values nest too deep to compare them", column)
    for one, other in pairs:
        run.spend(1, column)
        if not equal(one, other, run, column, depth + 1):
            return False
    return True


def _equal_numbers(left: object, right: object, column: int) -> bool:
    one, other = as_number(left, column), as_number(right, column)
    return one is not None and one == other


def not_equal(left: object, right: object, run: Run, column: int) -> bool:
    """The opposite of `equal`."""
    return not equal(left, right, run, column)


def _ordering(sign: str, holds: Callable[[Any, Any], bool]) -> Comparison:
    def ordered(left: object, right: object, _: Run, column: int) -> bool:
        if is_number(left) and is_number(right):
            return holds(exact(left, column), exact(right, column))
        if left is None or right is None:
            return False
        if not isinstance(left, str) and not is_number(left):
            raise ExpressionError(f"{sign} compares numbers and texts, and its left side is {kind(left)}", column)
        if not isinstance(right, str) and not is_number(right):
            raise ExpressionError(f"{sign} compares numbers and texts, and its right side is {kind(right)}", column)
        one, other = as_number(left, column), as_number(right, column)
        if one is not None and other is not None:
            return holds(one, other)
        return isinstance(left, str) and isinstance(right, str) and holds(left, right)

    return ordered


def contains(left: object, right: object, run: Run, column: int) -> bool:
    """Tells whether a list has an item equal to `right`, an object such a key, a text such a part."""
    if left is None:
        return False
    if is_list(left):
        for item in left:
            run.spend(1, column)
            if equal(item, right, run, column):
                return True
        return False
    if right is None:
        return False
    if isinstance(left, Mapping):
        return _text(right, "a key", column) in left
    text = _text(left, "what is searched", column)
    run.spend(len(text) // _CHARACTERS_PER_UNIT, column)
    return _text(right, "what is looked for in a text", column) in text


def within(left: object, right: object, run: Run, column: int) -> bool:
    """`in`: the same as `contains` the other way round."""
    return contains(right, left, run, column)


def not_within(left: object, right: object, run: Run, column: int) -> bool:
    """`not in`: the opposite of `in`."""
    return not contains(right, left, run, column)


def starts_with(left: object, right: object, _: Run, column: int) -> bool:
    """Tells whether a text starts with another one."""
    if left is None or right is None:
        return False
    return _text(left, "startsWith", column).startswith(_text(right, "startsWith", column))


def ends_with(left: object, right: object, _: Run, column: int) -> bool:
    """Tells whether a text ends with another one."""
    if left is None or right is None:
        return False
    return _text(left, "endsWith", column).endswith(_text(right, "endsWith", column))


def matches(left: object, right: object, run: Run, column: int) -> bool:
    """Tells whether a regular expression (RE2 syntax) fits anywhere in a text; ^ and $ tie it to the ends."""
    if left is None or right is None:
        return False
    text = _text(left, "matches", column)
    run.spend(len(text) * _UNITS_PER_MATCHED_CHARACTER, column)
    try:
        return compiled(_text(right, "a pattern", column)).fits(text)
    except PatternError as problem:
        raise ExpressionError(problem.message, column) from None


def _text(value: object, what: str, column: int) -> str:
    if isinstance(value, str):
        return value
    if is_number(value):
        return as_text(value)
    raise ExpressionError(f"{what} is a text or a number here, and this is {kind(value)}", column)


COMPARISONS: Mapping[str, Comparison] = {
    "==": equal,
    "!=": not_equal,
    "<": _ordering("<", lt),
    "<=": _ordering("<=", le),
    ">": _ordering(">", gt),
    ">=": _ordering(">=", ge),
    "in": within,
    "not in": not_within,
    "contains": contains,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "matches": matches,
}
"""Every comparison by the way it is written."""
