"""What the launcher keeps between runs."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import encryption_key, lock, process
from launcher.log_lines import WarningsTail, readable


def test_an_encryption_key_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = encryption_key.keep(tmp_path / "data" / "encryption.key")
    first = file.read_bytes()
    encryption_key.keep(file)

    assert file.read_bytes() == first
    assert len(base64.urlsafe_b64decode(first)) == encryption_key.KEY_BYTES
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_second_launcher_learns_who_runs(tmp_path: Path) -> None:
    file = tmp_path / "launcher.lock"
    program = f"""
from pathlib import Path
from launcher import lock
try:
    with lock.held(Path({str(file)!r})):
        print("held")
except lock.AlreadyRunningError as running:
    print(running.pid)
"""

    def another() -> str:
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()

    with lock.held(file):
        assert another() == file.read_text().strip() != ""
    assert another() == "held"


def test_a_log_holds_one_run_and_the_one_before_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "services.log"
    process.keep_last_log(log)
    log.write_text("first")
    process.keep_last_log(log)
    log.write_text("second")

    assert (tmp_path / "services.log.1").read_text() == "first"


def test_the_terminal_shows_warnings_and_what_is_no_log_line_once_they_are_complete(tmp_path: Path) -> None:
    log = tmp_path / "services.log"
    tail = WarningsTail("services", log)
    log.write_text(
        '{"level":"info","event":"started"}\n'
        '{"time":"t","level":"warning","service":"engine","event":"not ready","reason":"no Redis"}\n'
        "Segmentation fault\n"
        '{"level":"err'
    )

    assert list(tail.new_lines()) == [
        "engine: warning: not ready reason=no Redis",
        "services: Segmentation fault",
    ]
    with log.open("a") as more:
        more.write('or","event":"failed","exception":"Traceback"}\n')
    assert list(tail.new_lines()) == [f"services: error: failed (see {log})"]
    assert list(tail.new_lines()) == []


def test_a_traceback_reads_as_a_traceback() -> None:
    line = '{"time":"t","level":"error","event":"failed","node":"n1","exception":"Traceback:\\n  KeyError"}'

    assert readable(line) == "error: failed node=n1\nTraceback:\n  KeyError"
    assert readable("plain") == "plain"


def test_a_process_that_died_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = process.start("broken", ["a_module_that_is_not_there"], {}, tmp_path / "broken.log", tmp_path)
    child._process.wait(20)

    with pytest.raises(process.ProcessDied, match="broken ended with code 1") as caught:
        child.check()
    assert "No module named a_module_that_is_not_there" in caught.value.last_lines[-1]
    child.stop(1)
