"""What the two sides of the comparisons in an expression tell of its author's mind."""

from collections.abc import Iterator, Sequence

from workflow.templates.placeholder import Placeholder
from workflow.templates.scanner import OPEN, Token

_OF_TEXTS = {"==", "!=", "in", "contains", "startsWith", "endsWith", "matches"}
"""What texts are compared by; `<` and its like are for numbers."""

_CALCULATED = {"PLUS", "MINUS", "TIMES"}


def likely_texts(tokens: Sequence[Token]) -> frozenset[str]:
    """
    Returns the bare names that stand where a text in quotes is likely: `yes` of `{{input}} == yes`.

    They are compared with a variable or stand in a list, are no part of a calculation and have no steps, and nothing
    else in the expression reads them.
    """
    likely = {token.position: token.text for token in _likely_texts(tokens)}
    others = (token.value for token in tokens if token.position not in likely)
    return frozenset(likely.values()) - {value.path.root for value in others if isinstance(value, Placeholder)}


def compared_with_null(tokens: Sequence[Token]) -> frozenset[str]:
    """Returns the paths of `{{path}} != null` and its like: their author knows that they may have no value."""
    found = set()
    for left, mark, right in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if mark.text in ("==", "!="):
            for value, other in ((left, right), (right, left)):
                if isinstance(value.value, Placeholder) and other.type == "CONSTANT" and other.value is None:
                    found.add(value.value.path.text)
    return frozenset(found)


def _likely_texts(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.type == "_LEFT_LIST") - (token.type == "_RIGHT_LIST")
        before, after = tokens[max(index - 1, 0) : index], tokens[index + 1 : index + 3]
        if not _is_bare_name(token) or any(near.type in _CALCULATED for near in (*before, *after[:1])):
            continue
        is_right = any(near.text in _OF_TEXTS for near in before)
        is_left = len(after) == 2 and after[0].text in _OF_TEXTS and after[1].text.startswith(OPEN)
        if depth or is_right or is_left:
            yield token


def _is_bare_name(token: Token) -> bool:
    value = token.value
    return isinstance(value, Placeholder) and not value.path.segments and not token.text.startswith(OPEN)
