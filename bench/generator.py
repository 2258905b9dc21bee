"""The load generator as the bench sees it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from bench.load import ANSWER_SECONDS, Job, Measured
from launcher.process import ending_with_parent
from launcher.stack import ROOT

MAX_LINE_BYTES = 64 * 1024 * 1024


class Generator:
    """Gives jobs to the process, one after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, job: Job) -> Measured:
        """Has one round carried out."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
        async with asyncio.timeout(job.seconds + 2 * ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended")
        return Measured(**json.loads(line))


@asynccontextmanager
async def generating() -> AsyncIterator[Generator]:
    """Runs the process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
        preexec_fn=ending_with_parent(),
    )
    try:
        yield Generator(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
