"""Reads what a person, or a pipe, types."""

import os
import select
from collections.abc import Callable

_CHUNK_BYTES = 4096


class Keypad:
    """
    Lines of a file descriptor, with something else to do while none comes.

    Args:
        descriptor: Where to read, 0 for standard input.
        idle_seconds: How often `while_waiting` runs.
    """

    def __init__(self, descriptor: int, idle_seconds: float) -> None:
        self._descriptor = descriptor
        self._idle_seconds = idle_seconds
        self._pending = b""
        self._ended = False

    def line(self, while_waiting: Callable[[], None]) -> str | None:
        """Returns the next line without its end, None when there is no more."""
        while b"\n" not in self._pending and not self._ended:
            if not select.select([self._descriptor], [], [], self._idle_seconds)[0]:
                while_waiting()
                continue
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
            self._pending += chunk
            self._ended = not chunk
        line, newline, self._pending = self._pending.partition(b"\n")
        if not newline and not line:
            return None
        return line.removesuffix(b"\r").decode("utf-8", errors="replace")
