"""
The grammar of what stands between `{{` and `}}`.

Importing lark takes longer than everything else here, so this module is imported when the first template is parsed.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken
from lark.lexer import Lexer, LexerState

from workflow.paths import parse_path
from workflow.suggestions import did_you_mean
from workflow.templates import scanner
from workflow.templates.errors import TemplateSyntaxError
from workflow.templates.filters import FILTERS
from workflow.templates.placeholder import Placeholder, Step
from workflow.templates.signature import ArgumentError

_GRAMMAR = """
start: WORD (_PIPE filter)*
filter: WORD [_LEFT [_argument (_COMMA _argument)*] _RIGHT]
_argument: STRING | NUMBER | CONSTANT
%declare WORD STRING NUMBER CONSTANT _PIPE _LEFT _RIGHT _COMMA
"""


class ScannedTokens(Lexer):
    """Hands tokens that were scanned beforehand to lark. A token's value is the scanned token itself."""

    __future_interface__ = 2

    def __init__(self, lexer_conf: object) -> None:
        """Lark makes the lexer itself and passes its configuration, which is not needed here."""

    def lex(self, lexer_state: LexerState, parser_state: Any) -> Iterator[Token]:
        """Yields what was handed to `parse`, which is any object where the lexer is a custom one."""
        tokens: Sequence[scanner.Token] = lexer_state.text  # type: ignore[assignment]
        for token in tokens:
            yield carrying(token)


def carrying(token: scanner.Token) -> Token:
    """Returns a lark token whose value is the scanned token."""
    result = Token(token.type, token.text, token.position)
    result.value = token
    return result


class _Builder(Transformer[Token, Placeholder]):
    def start(self, children: list[Any]) -> Placeholder:
        word, *steps = children
        return Placeholder(parse_path(word.value.text), tuple(steps))

    def filter(self, children: list[Any]) -> Step:
        word, *arguments = children
        return _step(word.value, [argument.value for argument in arguments if argument is not None])


def _step(word: scanner.Token, arguments: list[scanner.Token]) -> Step:
    known = FILTERS.get(word.text)
    if known is None:
        hint = did_you_mean(word.text, FILTERS) or f"; the filters are {', '.join(FILTERS)}"
        raise TemplateSyntaxError(f"there is no filter {word.text[:40]!r}{hint}", word.position + 1)
    if not known.least <= len(arguments) <= known.most:
        message = f"{word.text} got {len(arguments)} arguments; write {known.usage}"
        raise TemplateSyntaxError(message, word.position + 1)
    try:
        work = known.make(*(argument.value for argument in arguments))
    except ArgumentError as problem:
        raise TemplateSyntaxError(f"{word.text}: {problem.message}", arguments[0].position + 1) from None
    return Step(word.text, work, known.takes_null)


@cache
def _parser() -> Callable[[Any], Any]:
    return Lark(_GRAMMAR, parser="lalr", lexer=ScannedTokens, transformer=_Builder()).parse


def placeholder(tokens: Sequence[scanner.Token], start: int, end: int) -> Placeholder:
    """
    Makes a placeholder of the tokens between its `{{`, which stands at `start`, and its `}}`, which ends before `end`.

    Raises:
        TemplateSyntaxError: The tokens stand in no order that the grammar knows, or a filter refuses them.
    """
    if not tokens:
        raise TemplateSyntaxError("this placeholder is empty; write a name between {{ and }}", start + 1)
    try:
        result: Placeholder = _parser()(tokens)
    except UnexpectedToken as problem:
        raise _unexpected(problem, tokens[0], end) from None
    return result


_WORDS = {
    "WORD": "a name",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "CONSTANT": "true, false or null",
    "_PIPE": "|",
    "_LEFT": "(",
    "_RIGHT": ")",
    "_COMMA": "a comma",
    "$END": "}}",
}


def _unexpected(problem: UnexpectedToken, first: scanner.Token, end: int) -> TemplateSyntaxError:
    expected = " or ".join(text for name, text in _WORDS.items() if name in problem.accepts)
    if problem.token.type == "$END":
        return TemplateSyntaxError(f"}}}} comes too early; expected {expected}", end - 1)
    token: scanner.Token = problem.token.value
    if token is first:
        message = f"a placeholder starts with a name, such as {{{{msisdn}}}}, and not with {token.text[:40]}"
    else:
        quoted = token.type == "WORD" and "STRING" in problem.accepts
        hint = f"; a text is put in quotes: '{token.text[:40]}'" if quoted else ""
        message = f"{token.text[:40]} cannot stand here; expected {expected}{hint}"
    return TemplateSyntaxError(message, token.position + 1)
