"""Child processes: their start, their logs, their end."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class ProcessDied(Exception):
    """
    A process ended though nothing asked it to.

    Attributes:
        name: Which one.
        exit_code: Its exit code; negative: the signal that killed it.
        last_lines: The end of its log.
    """

    def __init__(self, name: str, exit_code: int, last_lines: Sequence[str]) -> None:
        super().__init__(f"{name} ended with code {exit_code}")
        self.name = name
        self.exit_code = exit_code
        self.last_lines = tuple(last_lines)


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """
    A process that runs, or ran.

    Attributes:
        name: What it is called in messages and in the name of its log.
        log: The file that takes everything it writes.
    """

    name: str
    log: Path
    _process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raises ProcessDied when it does not run any more."""
        code = self.exit_code
        if code is not None:
            raise ProcessDied(self.name, code, last_lines(self.log, 20))

    def stop(self, within_seconds: float) -> None:
        """Asks it to end (SIGTERM) and kills it when it takes longer. Nothing happens when it ended already."""
        self._process.terminate()
        try:
            self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it without a chance to clean up (SIGKILL) and waits until it is gone."""
        self._process.kill()
        self._process.wait()


def start(name: str, module: Sequence[str], environ: Mapping[str, str], log: Path, directory: Path) -> ChildProcess:
    """
    Starts a module of the project with the Python that runs now.

    Args:
        name: What it is called.
        module: Name of the module and its arguments.
        environ: Its whole environment.
        log: File that its output is added to.
        directory: Its working directory.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the whole group of the terminal; the launcher alone decides who ends when.
            start_new_session=True,
            preexec_fn=ending_with_parent(),  # noqa: PLW1509 (calls one C function that takes no lock)
        )
    return ChildProcess(name, log, process)


def last_lines(log: Path, count: int) -> list[str]:
    """Returns the end of a log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def ending_with_parent() -> Callable[[], None] | None:
    """
    Returns what a child calls before it becomes its program, so that it ends when its parent does, even when that is
    killed; None where the system has no such thing (it is Linux's).

    The function is looked up here, since a child between fork and exec must not wait for a lock of another thread.
    """
    if sys.platform != "linux":
        return None
    return partial(ctypes.CDLL(None).prctl, _PR_SET_PDEATHSIG, int(signal.SIGTERM))


def keep_last_log(log: Path) -> None:
    """Renames the log of the run before to <name>.1, so that a log holds one run and disk use has a bound."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
