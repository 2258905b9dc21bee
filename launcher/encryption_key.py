"""The key that sensitive journal entries are encrypted with, for a set on one machine."""

import base64
import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def keep(file: Path) -> Path:
    """
    Returns the file, which holds 32 random bytes in URL-safe base64; made, readable by its owner alone, when missing.

    What was encrypted with a lost key cannot be read again, so an existing key is never replaced.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: of two launchers that start at once, one makes the key.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file
    with os.fdopen(handle, "wb") as output:
        output.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    return file
