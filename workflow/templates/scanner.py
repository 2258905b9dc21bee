"""Splits what stands between `{{` and `}}` into words, literals and marks, up to the `}}` that closes it."""

import re
from dataclasses import dataclass

from workflow.paths import PATH, QUOTED, unquoted
from workflow.templates.errors import TemplateSyntaxError

OPEN, CLOSE = "{{", "}}"
CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_TOKEN = re.compile(
    rf"(?P<blank>\s+)|(?P<close>\}}\}})|(?P<STRING>{QUOTED})|(?P<NUMBER>-?[0-9]+(?:\.[0-9]+)?(?![\w.\[-]))"
    rf"|(?P<WORD>{PATH})|(?P<_PIPE>\|)|(?P<_LEFT>\()|(?P<_RIGHT>\))|(?P<_COMMA>,)",
    re.DOTALL,
)
_LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class Token:
    """
    Attributes:
        type: Name of the terminal in the grammar.
        text: As it is written.
        value: What a literal stands for; the text itself for a word or a mark.
        position: Character in the whole text, from 0.
    """

    type: str
    text: str
    value: object
    position: int


def scan_placeholder(text: str, start: int) -> tuple[list[Token], int]:
    """
    Reads the placeholder whose `{{` stands at `start`.

    Returns:
        Its tokens, and the position after its `}}`.

    Raises:
        TemplateSyntaxError: It is never closed, or holds what cannot stand there.
    """
    tokens: list[Token] = []
    position = start + len(OPEN)
    if text.find(CLOSE, position) < 0:
        raise TemplateSyntaxError("this {{ is never closed; write }} after the name", start + 1)
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastgroup or ""
        if kind == "close":
            return tokens, position
        if kind != "blank":
            tokens.append(_token(kind, match[0], match.start()))
    raise _unreadable(text, position, start)


def _token(kind: str, text: str, position: int) -> Token:
    if kind == "STRING":
        return Token(kind, text, unquoted(text), position)
    if kind == "NUMBER":
        if len(text) > _LONGEST_NUMBER:
            raise TemplateSyntaxError(f"a number has at most {_LONGEST_NUMBER} characters", position + 1)
        return Token(kind, text, float(text) if "." in text else int(text), position)
    if text in CONSTANTS:
        return Token("CONSTANT", text, CONSTANTS[text], position)
    return Token(kind, text, text, position)


def _unreadable(text: str, position: int, start: int) -> TemplateSyntaxError:
    if position >= len(text):
        return TemplateSyntaxError("this {{ is never closed; write }} after the name", start + 1)
    match text[position]:
        case "}":
            return TemplateSyntaxError("one } is missing; a placeholder ends with }}", position + 1)
        case '"' | "'":
            return TemplateSyntaxError("the text that starts with this quote is never closed", position + 1)
        case "[":
            return TemplateSyntaxError('write a step as [0] or ["the key"]', position + 1)
        case ".":
            return TemplateSyntaxError("a name or a place in a list is missing after this point", position + 1)
    return TemplateSyntaxError(
        f"{text[position]!r} cannot stand in a placeholder; write {{{{path}}}} or {{{{path | filter}}}}", position + 1
    )
