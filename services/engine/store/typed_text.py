"""
How what a person typed is recorded: encrypted where a key is configured, and named by a mark.

A turn is recorded before the flow of its session is known, so every text of a USSD callback is treated as if it held
a PIN. Marks are keyed too: the few digits of a PIN could be guessed from a bare hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from services.engine.adapters.encryption import FernetCipher
from workflow.sealing import SEALED, unsealed

TYPED = ("text", "input", "message")
"""Keys of a payload that hold what a person typed."""

MARK_BYTES = 16


@dataclass(frozen=True, slots=True)
class TextMarks:
    """
    Stands for a callback: of USSD by its cumulative text, joined by *; of a call by what it answers.

    Attributes:
        own: Mark of the callback itself.
        behind: Marks of the callbacks that it may follow: of USSD, whatever ends before one of its *, and the empty
            text; of a call, the one whose answer it answers.
    """

    own: str
    behind: tuple[str, ...]


class TypedText:
    """Records what a person typed. `encryption_keys` are Fernet keys: the first encrypts, every one decrypts."""

    def __init__(self, encryption_keys: Sequence[str]) -> None:
        self._cipher = FernetCipher(encryption_keys) if encryption_keys else None
        # Of the oldest key: sessions that are under way keep their marks when a new key arrives.
        oldest = "".join(encryption_keys[-1:])
        self._mark_key = blake2b(oldest.encode(), person=b"njia marks", digest_size=32).digest()

    def recorded(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the payload as it may be written down."""
        if self._cipher is None:
            return dict(payload)
        return {
            key: {SEALED: self._cipher.seal(value)} if key in TYPED and value not in (None, "") else value
            for key, value in payload.items()
        }

    def clear(self, value: Any) -> str:
        """Returns a typed text as it was recorded, in clear. Raises NodeFailure when it cannot be decrypted."""
        return str(value if self._cipher is None else unsealed(value, self._cipher))

    def call_marks(self, session_id: str, answers: str, what: str) -> TextMarks:
        """
        Returns the marks of a callback of a call.

        Args:
            session_id: Session of the call.
            answers: Mark of the callback whose answer it answers; empty for the first of a call.
            what: What it brings, such as the keys that were pressed.
        """
        own = blake2b(f"{session_id}\n{answers}\n{what}".encode(), key=self._mark_key, digest_size=MARK_BYTES)
        return TextMarks(own.hexdigest(), (answers,) if answers else ())

    def marks(self, session_id: str, text: str) -> TextMarks:
        """Returns the marks of a text in a session; the same text has another mark in another session."""
        so_far = blake2b(f"{session_id}\n".encode(), key=self._mark_key, digest_size=MARK_BYTES)
        marks = [so_far.hexdigest()]
        if text:
            for entry in text.split("*"):
                so_far.update(entry.encode())
                marks.append(so_far.hexdigest())
                so_far.update(b"*")
        return TextMarks(marks[-1], tuple(marks[:-1]))
