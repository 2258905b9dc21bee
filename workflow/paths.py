"""
Paths: how a template or an expression names a value, such as `node_node-1.output.items.0.name`.

A path is a root and steps. The root may hold letters, digits, `_` and `-` and is not a number alone. A step is `.name`,
`.0` or `[0]` for the place in a list (counted from 0), or `["any key"]` for a key with other characters.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeGuard

from workflow.sealing import SEALED


class _Unset(Enum):
    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset.UNSET
"""What a path resolves to when there is nothing at its end. Unlike null it is no value."""

QUOTED = r'"(?:[^"\\]|\\.)*"|' r"'(?:[^'\\]|\\.)*'"
"""Regular expression of a text in quotes, for (?s) matching."""

ROOT = r"\d*[^\W\d][\w-]*"
BRACKETS = rf"\[\s*(?:[0-9]+|{QUOTED})\s*\]"
STEPS = rf"(?:\.[\w-]+|{BRACKETS})*"
PATH = ROOT + STEPS
"""Regular expression of a whole path."""

_PATH = re.compile(f"(?P<root>{ROOT}){STEPS}", re.DOTALL)
_STEP = re.compile(rf"\.(?P<name>[\w-]+)|\[\s*(?:(?P<index>[0-9]+)|(?P<key>{QUOTED}))\s*\]", re.DOTALL)
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")
_ESCAPE = re.compile(r"\\([\\\"'nt])")
_ESCAPED = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}


class PathSyntaxError(ValueError):
    """
    A text that is no path.

    Attributes:
        message: What is wrong and what to write.
        column: Place in the text, from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class Path:
    """
    Attributes:
        root: First name; a Scope looks it up.
        segments: Steps from there: a key, or a place in a list (an int). An int also finds the key of the same digits.
        text: The path as it was written.
    """

    root: str
    segments: tuple[str | int, ...]
    text: str

    def __str__(self) -> str:
        return self.text


class Scope(Protocol):
    """Where paths start."""

    def lookup(self, root: str) -> object:
        """Returns the value of a root, UNSET when there is none. What is encrypted in it stays so."""
        ...

    def opened(self, value: object) -> object:
        """Returns a value with all that is encrypted in it in clear."""
        ...


def unquoted(text: str) -> str:
    r"""
    Returns what a text in quotes stands for.

    `\\`, `\"`, `\'`, `\n` and `\t` are escapes. Any other backslash stays, so that a regular expression reads as usual.
    """
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], text[1:-1])


def parse_path(text: str) -> Path:
    """
    Reads a path.

    Raises:
        PathSyntaxError: It is no path.
    """
    match = _PATH.match(text)
    if match is None:
        raise PathSyntaxError("a path starts with a name, such as msisdn or session.data.name", 1)
    if match.end() != len(text):
        raise PathSyntaxError(
            f'{text[match.end()]!r} cannot stand in a path; write such a key as ["the key"]', match.end() + 1
        )
    steps = _STEP.finditer(text, match.end("root"))
    return Path(match["root"], tuple(_segment(step) for step in steps), text)


def _segment(step: re.Match[str]) -> str | int:
    if step["key"] is not None:
        return unquoted(step["key"])
    text = step["name"] or step["index"]
    return int(text) if _INDEX.match(text) else text


def resolve(path: Path, scope: Scope) -> object:
    """
    Returns the value that `path` names, UNSET when a step leads nowhere. Walks mappings and sequences only.

    Of what is encrypted only that is decrypted which the path names.
    """
    value = scope.lookup(path.root)
    for step in path.segments:
        if type(value) is dict and SEALED in value:
            value = scope.opened(value)
        if type(value) is dict or isinstance(value, Mapping):
            value = value.get(step if type(step) is str else str(step), UNSET)
        elif type(step) is int and (type(value) is list or _is_sequence(value)):
            if step >= len(value):
                return UNSET
            value = value[step]
        else:
            return UNSET
    return scope.opened(value)


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
