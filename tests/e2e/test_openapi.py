"""The REST API, called at random as its own document describes it, by a client that is not ours."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.e2e.driving import Platform

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECONDS = 15
"""How long it may call; what it has not tried by then it does not try."""

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


async def test_no_call_is_answered_otherwise_than_the_document_says(platform: Platform, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    report = tmp_path / "report.txt"
    with report.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            program,
            "run",
            f"{platform.rest.base_url}/openapi.json",
            f"--checks={CHECKS}",
            "--phases=examples,coverage,fuzzing",
            f"--max-time={SECONDS}",
            "--request-timeout=60",
            "--exclude-path-regex=/events$",
            "--no-color",
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        try:
            async with asyncio.timeout(12 * SECONDS):
                code = await running.wait()
        finally:
            if running.returncode is None:
                running.kill()
    assert code == 0, report.read_text()[-6000:]
