"""
The grammar of expressions, and what each of its rules compiles to: a function of one evaluation.

Importing lark takes long, so this module is imported when the first expression is parsed. Rules that repeat compile to
one flat loop, so that only parentheses and lists nest, which the scanner bounds; for the same reason the loops are no
generators, which would take a stack frame each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken

from workflow.expressions.arithmetic import OPERATIONS, Operation, negative
from workflow.expressions.comparisons import COMPARISONS
from workflow.expressions.errors import ExpressionSyntaxError
from workflow.expressions.evaluation import Code, Run
from workflow.expressions.kinds import native, truth
from workflow.expressions.patterns import PatternError, compiled
from workflow.expressions.scanner import WORDS
from workflow.suggestions import did_you_mean
from workflow.templates.grammar import ScannedTokens
from workflow.templates.placeholder import Placeholder
from workflow.templates.scanner import OPEN, Token as Scanned

_GRAMMAR = """
?start: either
?either: both (OR both)*
?both: _negatable (AND _negatable)*
_negatable: negation | comparison
negation: NOT+ comparison
?comparison: sum ((COMPARE | IN | NOT IN) sum)?
?sum: product | product ((PLUS | MINUS) product)+ -> calculation
?product: prefixed | prefixed (TIMES prefixed)+ -> calculation
?prefixed: (BANG | MINUS)* _atom
_atom: variable | literal | list | _LEFT either _RIGHT
variable: VARIABLE
literal: STRING | NUMBER | CONSTANT
list: _LEFT_LIST (either (_COMMA either)*)? _RIGHT_LIST
%declare OR AND NOT COMPARE IN PLUS MINUS TIMES BANG VARIABLE STRING NUMBER CONSTANT
%declare _LEFT _RIGHT _LEFT_LIST _RIGHT_LIST _COMMA
"""


_OTHER_LANGUAGES = {"is": "==", "equals": "==", "eq": "==", "ne": "!=", "like": "matches", "includes": "contains"}
"""Operators that are words elsewhere."""

_LONGEST_QUOTED = 40
"""Of what stands in a message of the author's text, in characters."""


@dataclass(frozen=True, slots=True)
class _Literal:
    value: object

    def __call__(self, _: Run) -> object:
        return self.value


class _Compiler(Transformer[Token, Code]):
    """One method a rule; children are compiled parts and the marks between them."""

    def either(self, children: list[Any]) -> Code:
        operands = tuple(children[::2])

        def evaluate(run: Run) -> bool:
            for operand in operands:  # noqa: SIM110  # No generator, as said above.
                if truth(operand(run)):
                    return True
            return False

        return evaluate

    def both(self, children: list[Any]) -> Code:
        operands = tuple(children[::2])

        def evaluate(run: Run) -> bool:
            for operand in operands:  # noqa: SIM110  # No generator, as said above.
                if not truth(operand(run)):
                    return False
            return True

        return evaluate

    def negation(self, children: list[Any]) -> Code:
        *marks, operand = children
        expected = len(marks) % 2 == 0
        return lambda run: truth(operand(run)) is expected

    def comparison(self, children: list[Any]) -> Code:
        left, *marks, right = children
        compare = COMPARISONS[" ".join(mark.value.text for mark in marks)]
        mark: Scanned = marks[0].value
        column = mark.position + 1
        if mark.text == "matches" and isinstance(right, _Literal) and isinstance(right.value, str):
            try:
                compiled(right.value)
            except PatternError as problem:
                raise ExpressionSyntaxError(problem.message, column) from None
        return lambda run: compare(left(run), right(run), run, column)

    def calculation(self, children: list[Any]) -> Code:
        first, *others = children
        rest: tuple[tuple[Operation, Code, int], ...] = tuple(
            (OPERATIONS[mark.value.text], operand, mark.value.position + 1)
            for mark, operand in zip(others[::2], others[1::2], strict=True)
        )

        def evaluate(run: Run) -> object:
            value = first(run)
            for operate, operand, column in rest:
                value = operate(value, operand(run), run, column)
            return value

        return evaluate

    def prefixed(self, children: list[Any]) -> Code:
        *marks, operand = children
        prefixes = tuple((mark.type == "BANG", mark.value.position + 1) for mark in reversed(marks))

        def evaluate(run: Run) -> object:
            value = operand(run)
            for is_not, column in prefixes:
                value = not truth(value) if is_not else negative(value, run, column)
            return value

        return evaluate

    def variable(self, children: list[Any]) -> Code:
        placeholder: Placeholder = children[0].value.value
        return lambda run: placeholder.value_or_null(run.scope, run.formatting)

    def literal(self, children: list[Any]) -> Code:
        return _Literal(children[0].value.value)

    def list(self, children: list[Any]) -> Code:
        items = tuple(children)
        return lambda run: [native(item(run)) for item in items]


@cache
def _parser() -> Callable[[Any], Any]:
    return Lark(_GRAMMAR, parser="lalr", lexer=ScannedTokens, transformer=_Compiler(), maybe_placeholders=False).parse


def compile_tokens(tokens: Sequence[Scanned], end: int) -> Code:
    """
    Compiles the tokens of an expression whose text ends before `end`.

    Raises:
        ExpressionSyntaxError: They stand in no order that the grammar knows, or a written pattern is refused.
    """
    try:
        code: Code = _parser()(tokens)
    except UnexpectedToken as problem:
        raise _unexpected(problem, tokens, end) from None
    return code


def _unexpected(problem: UnexpectedToken, tokens: Sequence[Scanned], end: int) -> ExpressionSyntaxError:
    accepted = problem.accepts
    if "VARIABLE" in accepted:
        expected = "a value: a {{variable}}, a number, a text in quotes, true, false, null or a list"
    else:
        choices = ["an operator such as == or &&"]
        choices += ["a comma"] if "_COMMA" in accepted else []
        choices += [")"] if "_RIGHT" in accepted else []
        choices += ["]"] if "_RIGHT_LIST" in accepted else []
        expected = " or ".join(choices)
    if problem.token.type == "$END":
        return ExpressionSyntaxError(f"the expression ends too early; expected {expected}", end + 1)
    token: Scanned = problem.token.value
    in_quotes = _in_quotes(token, tokens)
    if token.type == "VARIABLE" and token.text in _OTHER_LANGUAGES:
        message = f"{token.text} is no operator; write {_OTHER_LANGUAGES[token.text]}"
    elif token.type == "VARIABLE" and (meant := did_you_mean(token.text, WORDS)):
        message = f"{token.text} is no operator{meant}{in_quotes and f' {in_quotes}'}"
    elif token.type in {"COMPARE", "IN"} and "VARIABLE" not in accepted:
        message = f"{token.text} cannot follow another comparison; join the two with &&, or use parentheses"
    else:
        message = (
            f"{token.text[:_LONGEST_QUOTED]} cannot stand here; expected {expected}{in_quotes and f'; {in_quotes}'}"
        )
    return ExpressionSyntaxError(message, token.position + 1)


def _in_quotes(token: Scanned, tokens: Sequence[Scanned]) -> str:
    """A hint where a second bare word follows the one that something is compared with: `{{city}} == New York`."""
    place = next(place for place, one in enumerate(tokens) if one is token)
    mark, first = tokens[place - 2 : place] if place > 1 else (token, token)
    if mark.type not in {"COMPARE", "IN"} or any(
        word.type != "VARIABLE" or word.text.startswith(OPEN) for word in (first, token)
    ):
        return ""
    return f"a text of several words is put in quotes: '{f'{first.text} {token.text}'[:_LONGEST_QUOTED]}'"
