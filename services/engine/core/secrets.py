"""
Keeps in the journal what must not stand there in clear: values that were decrypted for a template or an expression.

A node may carry such a value on, into its output or the text of a message; what holds it is encrypted again as it is
journaled, and masked where people read it.
"""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from workflow.sealing import MASK, SEALED, Cipher
from workflow.templates import as_text

SHORTEST_PART = 4
"""A shorter value counts only where it is all there is: a 1 stands in too many texts by chance."""


ENDS_OF_QUOTES = "'\"…"
"""What stands behind a quote, cut or not."""


class WatchfulCipher:
    """A cipher that remembers what it decrypted, and what else it was told to be secret."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._revealed: set[str] = set()

    def seal(self, value: Any) -> str:
        """See workflow.sealing.Cipher."""
        return self._cipher.seal(value)

    def unseal(self, sealed: str) -> Any:
        """See workflow.sealing.Cipher."""
        value = self._cipher.unseal(sealed)
        self._revealed.update(_leaves(value))
        return value

    def remember(self, values: Iterable[Any]) -> None:
        """Treats values as if they had been decrypted here."""
        for value in values:
            self._revealed.update(_leaves(value))

    def concealed(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a JSON document with all that holds a decrypted value encrypted again."""
        if not self._revealed:
            return dict(document)
        return {key: self._concealed(value) for key, value in document.items()}

    def masked(self, text: str) -> str:
        """Returns a text for people with the decrypted values in it masked."""
        for value in sorted(self._revealed, key=len, reverse=True):
            if text == value or len(value) >= SHORTEST_PART:
                text = _without_beginnings(text.replace(value, MASK), value)
        return text

    def masked_document(self, value: Any) -> Any:
        """Returns a JSON value for people with the decrypted values in its texts masked."""
        match value:
            case str():
                return self.masked(value)
            case Mapping():
                return {key: self.masked_document(item) for key, item in value.items()}
            case list() | tuple():
                return [self.masked_document(item) for item in value]
        return value

    def _concealed(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            if value.keys() == {SEALED}:
                return value
            return {key: self._concealed(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._concealed(item) for item in value]
        return {SEALED: self.seal(value)} if self._holds(value) else value

    def _holds(self, leaf: Any) -> bool:
        if leaf is None or isinstance(leaf, bool):
            return False
        text = as_text(leaf)
        return text in self._revealed or any(len(value) >= SHORTEST_PART and value in text for value in self._revealed)


def _leaves(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {leaf for item in value.values() for leaf in _leaves(item)}
    if isinstance(value, list | tuple):
        return {leaf for item in value for leaf in _leaves(item)}
    return set() if value is None or value == "" or isinstance(value, bool) else {as_text(value)}


def _without_beginnings(text: str, secret: str) -> str:
    """Masks beginnings of a secret that a quote was cut in: what stands there must end the quote, or the text."""
    start = text.find(secret[:SHORTEST_PART])
    while start >= 0:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(text[start:], secret, strict=False))
        end = start + sum(1 for _ in same)
        if end == len(text) or text[end] in ENDS_OF_QUOTES:
            text = text[:start] + MASK + text[end:]
            end = start + len(MASK)
        start = text.find(secret[:SHORTEST_PART], end)
    return text
