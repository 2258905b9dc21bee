"""JSON documents that come from outside, read strictly, and the compact JSON that goes out."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import orjson

MAX_NESTING = 64
"""Objects and lists that may stand inside each other."""

_MEANING = {
    "Expecting value": "a value is missing",
    "Expecting property name": 'a key in double quotes is missing, such as "name"',
    "Expecting ':'": "a colon is missing between a key and its value",
    "Expecting ','": "a comma or a closing bracket is missing",
    "Illegal trailing comma": "nothing follows this comma; take it away",
    "Extra data": "the document ended before this; nothing may follow it",
    "Unterminated string": "the text that starts here is never closed",
    "Invalid control character": "a line break or control character stands inside a text; write it as \\n or \\u00XX",
    "Invalid \\uXXXX escape": "\\u is followed by four hexadecimal digits",
    "Invalid \\escape": "JSON does not know this escape; a backslash itself is written as \\\\",
}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_PLAIN_KEY = re.compile(r"[^\W\d][\w-]*\Z")


class DocumentError(ValueError):
    """
    A text that is refused as a document.

    Attributes:
        message: What is wrong and what to do.
        line: From 1.
        column: Character in the line, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


class UnwritableValue(ValueError):
    """A value that has no JSON form."""


class _Refused(Exception):
    """Something that JSON allows, or Python's reader does, and a document may not hold."""


def parse_document(text: str | bytes) -> dict[str, Any]:
    """
    Reads a JSON document whose root is an object. Integers keep all of their digits.

    Raises:
        DocumentError: It is not JSON in UTF-8, its root is no object, a key stands twice in one object, a number is
            NaN, infinite or longer than 4,300 digits, a text holds half of a surrogate pair, or the nesting exceeds 64.
    """
    content = _decoded(text) if isinstance(text, bytes) else text
    value = _read(content)
    if not isinstance(value, dict):
        raise _at(content, len(content) - len(content.lstrip()), "the root of a document is an object, such as {}")
    return value


def parse_value(text: str | bytes) -> Any:
    """Reads JSON with any root, as strictly as `parse_document`. Raises DocumentError."""
    return _read(_decoded(text) if isinstance(text, bytes) else text)


def _read(content: str) -> Any:
    try:
        value = json.loads(content, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as problem:
        raise _syntax_error(content, problem) from None
    except (_Refused, RecursionError, ValueError):
        raise _fault(content) from None
    if _nests_too_deep(value) or _has_lone_surrogate(content, value):
        raise _fault(content)
    return value


def dump_document(value: object) -> str:
    """
    Writes JSON without spaces. NaN and infinity, which JSON lacks, become null.

    Raises:
        UnwritableValue: It holds something that JSON has no form for, or nests too deep.
    """
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError:
        return _dump_big_integers(value)


def _dump_big_integers(value: object) -> str:
    """Writes what orjson refuses because an integer takes more than 64 bits."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise UnwritableValue(f"the value cannot be written as JSON: {problem}") from None
    return text


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Refused
    return result


def _no_constant(_name: str) -> NoReturn:
    raise _Refused


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Refused
    return number


def _nests_too_deep(root: Any) -> bool:
    level: list[dict[str, Any] | list[Any]] = [root] if isinstance(root, dict | list) else []
    for _ in range(MAX_NESTING):
        children: Iterable[Any] = (
            child for parent in level for child in (parent.values() if type(parent) is dict else parent)
        )
        level = [child for child in children if type(child) is dict or type(child) is list]
        if not level:
            return False
    return True


def _has_lone_surrogate(content: str, value: Any) -> bool:
    written = content
    if "\\ud" in content or "\\uD" in content:
        written += json.dumps(value, ensure_ascii=False)
    return not written.isascii() and not _encodes(written)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        before = data[: problem.start].decode()
        raise _at(before, len(before), "the document is not UTF-8 text") from None


def _syntax_error(content: str, problem: json.JSONDecodeError) -> DocumentError:
    if content.startswith("\ufeff"):
        return DocumentError("the document starts with a byte order mark; save it as UTF-8 without one", 1, 1)
    if not content.strip():
        return DocumentError("the document is empty", 1, 1)
    meaning = next((text for start, text in _MEANING.items() if problem.msg.startswith(start)), problem.msg)
    if problem.pos >= len(content.rstrip()):
        meaning = f"the document ends too early: {meaning}"
    return DocumentError(f"not JSON: {meaning}", problem.lineno, problem.colno)


def _at(content: str, position: int, message: str) -> DocumentError:
    line = content.count("\n", 0, position) + 1
    return DocumentError(message, line, position - content.rfind("\n", 0, position))


def _fault(content: str) -> DocumentError:
    """Looks for the first thing that a document may not hold. Slow, since it runs for refused documents alone."""
    place = _Place()
    for token in _TOKEN.finditer(content):
        message = place.enter(token[0])
        if message:
            return _at(content, token.start(), message)
    return DocumentError("the document cannot be read", 1, 1)


class _Place:
    """Where a reader of words stands, and what is wrong with the next word."""

    def __init__(self) -> None:
        self._keys: list[set[str] | None] = []
        self._steps: list[str | int] = []
        self._key_is_next = False

    def enter(self, word: str) -> str | None:
        match word[0]:
            case "{" | "[":
                if len(self._keys) == MAX_NESTING:
                    return f"the document nests deeper than {MAX_NESTING} levels at {self}"
                self._keys.append(set() if word == "{" else None)
                self._steps.append("" if word == "{" else 0)
                self._key_is_next = word == "{"
            case "}" | "]":
                del self._keys[-1:], self._steps[-1:]
                self._key_is_next = False
            case ",":
                self._next_member()
            case '"':
                return self._text(word)
            case _:
                return self._number(word)
        return None

    def _next_member(self) -> None:
        if not self._keys:
            return
        self._key_is_next = self._keys[-1] is not None
        step = self._steps[-1]
        if isinstance(step, int):
            self._steps[-1] = step + 1

    def _text(self, word: str) -> str | None:
        try:
            text = json.loads(word)
        except ValueError:
            return f"the text at {self} is not JSON"
        if not _encodes(text):
            return f"the text at {self} holds half of a surrogate pair; write the whole character"
        keys = self._keys[-1] if self._keys and self._key_is_next else None
        if keys is None:
            return None
        if text in keys:
            return f'the key "{text[:60]}" stands twice in {self.parent()}'
        keys.add(text)
        self._steps[-1] = text
        self._key_is_next = False
        return None

    def _number(self, word: str) -> str | None:
        if word.lstrip("-") in {"NaN", "Infinity"}:
            return f"{word} at {self} is no number in JSON"
        try:
            if word.lstrip("-").isdecimal():
                int(word)
            elif word[0] in "-0123456789" and math.isinf(float(word)):
                return f"the number at {self} is too large"
        except ValueError:
            return f"the number at {self} is longer than 4,300 digits"
        return None

    def parent(self) -> str:
        return _written(self._steps[:-1])

    def __str__(self) -> str:
        return _written(self._steps)


def _written(steps: Sequence[str | int]) -> str:
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.match(step):
            text += f".{step}"
        elif step:
            text += f"[{dump_document(step)}]"
    return text.removeprefix(".") or "the root"
