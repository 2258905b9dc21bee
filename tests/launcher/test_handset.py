"""The phone of `make dial`, where the emulator listens elsewhere."""

import subprocess
import sys
from pathlib import Path

from launcher import stack, valkey

DIAL = """
import pathlib, sys
from launcher import env_file, handset
env_file.OF_PROJECT = pathlib.Path(sys.argv[1])
sys.exit(handset.main(["--code", "*384*1#"], {}))
"""


def dial(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", DIAL, str(file)],
        cwd=stack.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_phone_looks_for_the_emulator_where_the_file_says(tmp_path: Path) -> None:
    port = valkey.free_port()
    file = tmp_path / ".env"
    file.write_text(f"NJIA_EMULATOR_LISTEN=127.0.0.1:{port}\n")
    phone = dial(file)
    assert phone.returncode == 1
    assert f"does not answer at http://127.0.0.1:{port}" in phone.stdout


def test_a_file_that_is_no_list_of_variables_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("what is this\n")
    phone = dial(file)
    assert phone.returncode == 1
    assert phone.stderr == "error: .env, line 1: must be NAME=value\n"
