"""Keeps two launchers from working on the same data."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(Exception):
    """
    Another launcher holds the lock.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, pid: str) -> None:
        super().__init__(f"already running as process {pid} (kill -INT {pid} stops it)")
        self.pid = pid


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Holds the lock; the system releases it when this process ends, however it ends. Raises AlreadyRunningError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise AlreadyRunningError(handle.read().strip()) from None
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield
