"""
The operators that calculate, in decimal as people do: 0.1 + 0.2 is 0.3.

28 significant digits; what is larger than 10^300 is an error. A text that looks like a number counts as one.
"""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow

from workflow.expressions.errors import ExpressionError
from workflow.expressions.evaluation import Run
from workflow.expressions.kinds import as_number, is_number, kind
from workflow.templates.template import MAX_RENDERED_BYTES
from workflow.templates.values import as_text

_CONTEXT = Context(prec=28, Emin=-300, Emax=300, traps=[DivisionByZero, InvalidOperation, Overflow])
_MAX_CHARACTERS = MAX_RENDERED_BYTES // 4

Operation = Callable[[object, object, Run, int], object]
"""Takes left, right, the run and the column of the operator. Raises ExpressionError."""


def _calculation(sign: str, calculate: Callable[[Decimal, Decimal], Decimal]) -> Operation:
    def operate(left: object, right: object, _: Run, column: int) -> Decimal:
        one = _operand(left, sign, "left", column)
        other = _operand(right, sign, "right", column)
        if sign in "/%" and not other:
            raise ExpressionError(f"the right side of {sign} is zero", column)
        try:
            return calculate(one, other)
        except DecimalException:
            raise ExpressionError(f"the result of {sign} is too large", column) from None

    return operate


def _operand(value: object, sign: str, side: str, column: int) -> Decimal:
    number = as_number(value, column)
    if number is not None:
        return Decimal(number)
    if value is None:
        message = f"the {side} side of {sign} has no value; write {{{{name | default(0)}}}} where it may be missing"
    elif isinstance(value, str):
        message = f"{sign} works on numbers, and its {side} side is a text that is none"
    else:
        message = f"{sign} works on numbers, and its {side} side is {kind(value)}"
    raise ExpressionError(message, column)


_add = _calculation("+", _CONTEXT.add)


def plus(left: object, right: object, run: Run, column: int) -> object:
    """
    Adds, or joins texts.

    Two texts are joined, and a text that is no number with a number, true or false. A number and a text that looks like
    one are added, as in every other calculation.
    """
    if not isinstance(left, str) and not isinstance(right, str):
        return _add(left, right, run, column)
    if (is_number(left) or is_number(right)) and None not in (as_number(left, column), as_number(right, column)):
        return _add(left, right, run, column)
    text = _joinable(left, "left", column) + _joinable(right, "right", column)
    if len(text) > _MAX_CHARACTERS:
        raise ExpressionError(f"the joined text is longer than {_MAX_CHARACTERS} characters", column)
    return text


def _joinable(value: object, side: str, column: int) -> str:
    if isinstance(value, str | bool) or is_number(value):
        return as_text(value)
    if value is None:
        return str(_operand(value, "+", side, column))
    raise ExpressionError(f"+ joins texts and numbers, and its {side} side is {kind(value)}", column)


def negative(value: object, run: Run, column: int) -> object:
    """The unary minus."""
    return _subtract(0, value, run, column)


_subtract = _calculation("-", _CONTEXT.subtract)

OPERATIONS: Mapping[str, Operation] = {
    "+": plus,
    "-": _subtract,
    "*": _calculation("*", _CONTEXT.multiply),
    "/": _calculation("/", _CONTEXT.divide),
    "%": _calculation("%", _CONTEXT.remainder),
}
"""Every calculation by its sign. The remainder has the sign of the left side."""
