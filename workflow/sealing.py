"""Encrypted values in stored data: a one-key object stands for each."""

from collections.abc import Callable
from typing import Any, Final, Protocol

SEALED: Final = "$sealed"
"""The key of that object."""

MASK = "***"
"""What people see in place of an encrypted value."""


class Cipher(Protocol):
    """Encrypts single values."""

    def seal(self, value: Any) -> str:
        """Returns the encrypted form of a JSON value. Raises NodeFailure when no key is configured."""
        ...

    def unseal(self, sealed: str) -> Any:
        """Returns the JSON value. Raises NodeFailure when it cannot be decrypted."""
        ...


def unsealed(value: Any, cipher: Cipher) -> Any:
    """Returns a JSON value with what is encrypted in it in clear, for use inside a turn only."""
    return _replaced(value, cipher.unseal) if holds_sealed(value) else value


def masked(value: Any) -> Any:
    """Returns a JSON value with what is encrypted in it replaced by a mask, for people to see."""
    return _replaced(value, lambda _: MASK) if holds_sealed(value) else value


def holds_sealed(value: Any) -> bool:
    """Tells whether an encrypted value stands anywhere in a JSON value."""
    if isinstance(value, dict):
        return value.keys() == {SEALED} or any(holds_sealed(item) for item in value.values())
    return isinstance(value, list) and any(holds_sealed(item) for item in value)


def _replaced(value: Any, replace: Callable[[str], Any]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {SEALED}:
            return replace(value[SEALED])
        return {key: _replaced(item, replace) for key, item in value.items()}
    return [_replaced(item, replace) for item in value] if isinstance(value, list) else value
