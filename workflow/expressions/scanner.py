"""Splits an expression into operands and operators."""

import re
from collections.abc import Collection
from decimal import Decimal

from workflow.expressions.errors import ExpressionSyntaxError
from workflow.paths import BRACKETS, QUOTED, parse_path, unquoted
from workflow.templates.errors import TemplateSyntaxError
from workflow.templates.parser import parse_placeholder
from workflow.templates.placeholder import Placeholder
from workflow.templates.scanner import CONSTANTS, OPEN, Token

MAX_NESTING = 64
"""Parentheses and lists that may stand inside each other."""

_TOKEN = re.compile(
    rf"(?P<blank>\s+)|(?P<STRING>{QUOTED})|(?P<NUMBER>[0-9]+(?:\.[0-9]+)?(?![\w.]))|(?P<word>[^\W\d]\w*)"
    r"|(?P<mark>===?|!==?|<>|<=|>=|=~|&&|\|\||\*\*|[-+*/%<>!()\[\],=&|?:;^~])",
    re.DOTALL,
)
_STEPS = re.compile(rf"(?:\.\w+|{BRACKETS})*", re.DOTALL)
_DASHED_NAME = re.compile(r"[\w-]+")
_NODE = "node_"
_LONGEST_NUMBER = 40

WORDS = {
    "and": "AND",
    "or": "OR",
    "not": "NOT",
    "in": "IN",
    "contains": "COMPARE",
    "startsWith": "COMPARE",
    "endsWith": "COMPARE",
    "matches": "COMPARE",
}
"""Operators that are words, and what they are in the grammar."""

_MARKS = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), "COMPARE"),
    **dict.fromkeys(("*", "/", "%"), "TIMES"),
    "&&": "AND",
    "||": "OR",
    "!": "BANG",
    "+": "PLUS",
    "-": "MINUS",
    ",": "_COMMA",
    "(": "_LEFT",
    ")": "_RIGHT",
    "[": "_LEFT_LIST",
    "]": "_RIGHT_LIST",
}
OPERATORS = frozenset((*WORDS, *(mark for mark, kind in _MARKS.items() if not kind.startswith("_"))))
"""Every operator as it is written; `not in` is two words."""

_OPENING, _CLOSING = {"_LEFT", "_LEFT_LIST"}, {"_RIGHT", "_RIGHT_LIST"}
_INSTEAD = {"=": "==", "===": "==", "!==": "!=", "<>": "!=", "=~": "matches", "&": "&&", "|": "||"}
_MISWRITTEN = {word.casefold(): word for word in (*WORDS, *CONSTANTS)}


def scan_expression(text: str, node_ids: Collection[str]) -> list[Token]:
    """
    Reads the tokens of an expression. A placeholder or a bare path is one token with a Placeholder as its value.

    Raises:
        ExpressionSyntaxError: Something cannot stand in an expression, or it nests too deep.
    """
    tokens: list[Token] = []
    position = depth = 0
    while position < len(text):
        if text.startswith(OPEN, position):
            token, position = _placeholder(text, position)
            tokens.append(token)
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        if match.lastgroup == "blank":
            position = match.end()
            continue
        if match.lastgroup == "word":
            token, position = _word(text, match, node_ids)
        else:
            token, position = _mark_or_literal(match), match.end()
        depth += (token.type in _OPENING) - (token.type in _CLOSING)
        if depth > MAX_NESTING:
            raise ExpressionSyntaxError(f"the expression nests deeper than {MAX_NESTING} levels", token.position + 1)
        tokens.append(token)
    return tokens


def _placeholder(text: str, start: int) -> tuple[Token, int]:
    try:
        placeholder, end = parse_placeholder(text, start)
    except TemplateSyntaxError as problem:
        raise ExpressionSyntaxError(problem.message, problem.column) from None
    return Token("VARIABLE", text[start:end], placeholder, start), end


def _word(text: str, match: re.Match[str], node_ids: Collection[str]) -> tuple[Token, int]:
    word, start, end = match[0], match.start(), match.end()
    if word in CONSTANTS:
        return Token("CONSTANT", word, CONSTANTS[word], start), end
    if word in WORDS:
        return Token(WORDS[word], word, word, start), end
    root_end = _known_node_end(text, start, node_ids) or end
    steps = _STEPS.match(text, root_end)
    end = steps.end() if steps else root_end
    meant = _MISWRITTEN.get(text[start:end].casefold())
    if meant is not None:
        raise ExpressionSyntaxError(f"write {meant}, or {{{{{word}}}}} for a variable of that name", start + 1)
    path = parse_path(text[start:end])
    return Token("VARIABLE", path.text, Placeholder(path, ()), start), end


def _known_node_end(text: str, start: int, node_ids: Collection[str]) -> int | None:
    """Returns where `node_<id>` ends for the longest known id that stands there, None when there is none."""
    name = _DASHED_NAME.match(text, start)
    if name is None or not name[0].startswith(_NODE):
        return None
    node_id = name[0].removeprefix(_NODE)
    while node_id and node_id not in node_ids:
        node_id = node_id.rpartition("-")[0]
    return start + len(_NODE) + len(node_id) if node_id else None


def _mark_or_literal(match: re.Match[str]) -> Token:
    written, start = match[0], match.start()
    if match.lastgroup == "STRING":
        if OPEN in written:
            message = "a placeholder is not put in quotes; {{name}} stands for the text itself"
            raise ExpressionSyntaxError(message, start + 1)
        return Token("STRING", written, unquoted(written), start)
    if match.lastgroup == "NUMBER":
        if len(written) > _LONGEST_NUMBER:
            raise ExpressionSyntaxError(f"a number has at most {_LONGEST_NUMBER} characters", start + 1)
        return Token("NUMBER", written, Decimal(written) if "." in written else int(written), start)
    if written not in _MARKS:
        hint = f"; write {_INSTEAD[written]}" if written in _INSTEAD else ""
        raise ExpressionSyntaxError(f"{written} is no operator{hint}", start + 1)
    return Token(_MARKS[written], written, written, start)


def _unreadable(text: str, position: int) -> ExpressionSyntaxError:
    character = text[position]
    if character in "\"'":
        message = "the text that starts with this quote is never closed"
    elif character.isdecimal():
        message = (
            "a number is digits with an optional point and digits; a name cannot start with a digit here, and a text "
            "is put in quotes"
        )
    elif character == "{":
        message = "a placeholder has two braces on either side, such as {{input}}"
    elif character == "}":
        message = "this } closes nothing"
    else:
        message = f"{character!r} cannot stand in an expression"
    return ExpressionSyntaxError(message, position + 1)
