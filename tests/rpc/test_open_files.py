"""A process asks for as many open files as its bounds may need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("hard", "limit", "warns"), [(20_000, 16_384, False), (8000, 8000, False), (1024, 1024, True)])
def test_the_limit_goes_up_as_far_as_the_system_allows(hard: int, limit: int, warns: bool) -> None:
    code = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))\n"
        "from rpc import open_files\n"
        "print('limit', open_files.allow(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    if "not allowed to raise maximum limit" in done.stderr:
        pytest.skip(f"the hard limit of this machine is below {hard}")
    assert f"limit {limit} {limit}" in done.stdout, done.stderr
    assert ("ulimit -n" in done.stdout) is warns
