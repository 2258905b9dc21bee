"""Encrypts single values with Fernet (AES-128-CBC and HMAC-SHA256)."""

from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from workflow.errors import NodeFailure, permanent


class FernetCipher:
    """See workflow.sealing.Cipher."""

    def __init__(self, keys: Sequence[str]) -> None:
        """
        The first key encrypts, every one decrypts.

        Raises:
            ValueError: A key is not 32 url-safe base64 bytes, or there is none.
        """
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, value: Any) -> str:
        return self._fernet.encrypt(orjson.dumps(value)).decode()

    def unseal(self, sealed: str) -> Any:
        try:
            return orjson.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            message = "a stored value cannot be decrypted: no key in NJIA_ENCRYPTION_KEY is the one of then"
            raise NodeFailure(permanent("DECRYPTION_FAILED", message)) from None


class NoCipher:
    """Stands where no key is configured: what needs one fails with a clear error."""

    def seal(self, value: Any) -> str:
        raise _missing_key()

    def unseal(self, sealed: str) -> Any:
        raise _missing_key()


def _missing_key() -> NodeFailure:
    message = "this flow encrypts session values: set NJIA_ENCRYPTION_KEY on the engine"
    return NodeFailure(permanent("ENCRYPTION_KEY_MISSING", message))
