"""Runs the Node.js programs of clients/node."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping

from clients.installing import ROOT, Tools
from clients.serving import Served

CHECKS_SECONDS = 300.0
"""All checks; one of them waits for the end of a connection's 30 s."""

READY_SECONDS = 60.0
"""For an engine that was started again, or a program to say that it calls."""


QUIETLY = ("--disable-warning=DEP0123",)
"""grpc-js asks for the certificate of an address by TLS's server name, which Node.js will pass over one day."""


class CheckFailed(Exception):
    """Something is not as the contracts say. The message says what."""


def environ_of(served: Served, target: str) -> Mapping[str, str]:
    """What the programs read: where to call, with which key and certificates."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("NJIA_")},
        **served.tls,
        "NJIA_ENGINE_TARGET": target,
        "NJIA_API_KEY": served.api_key,
        "NJIA_EMULATOR_URL": served.stack.emulator_url,
    }


async def run_checks(tools: Tools, served: Served) -> None:
    """Runs the checks of one engine with Node's own runner, which prints them. Raises CheckFailed."""
    running = await asyncio.create_subprocess_exec(
        tools.node,
        *QUIETLY,
        *("--test", "--test-reporter=spec", "contract.test.mjs"),
        cwd=tools.node_programs,
        env=environ_of(served, served.engines["engine"]),
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CHECKS_SECONDS):
            code = await running.wait()
    finally:
        if running.returncode is None:
            running.kill()
    if code != 0:
        raise CheckFailed(f"contract.test.mjs ended with {code}")


async def call_through_restarts(tools: Tools, served: Served) -> str:
    """Restarts one engine after the other while a program calls both; returns what it did. Raises CheckFailed."""
    target = served.stack.environ["NJIA_ENGINE_TARGET"]
    calling = await asyncio.create_subprocess_exec(
        tools.node,
        *QUIETLY,
        "calling.mjs",
        cwd=tools.node_programs,
        env=environ_of(served, target),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert calling.stdin is not None
    assert calling.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            first = await calling.stdout.readline()
        for name, listen in served.engines.items():
            await served.stack.stop(name)
            await served.stack.start(name)
            async with asyncio.timeout(READY_SECONDS):
                while not await _is_serving(served, listen):
                    await asyncio.sleep(0.1)
        calling.stdin.close()
        async with asyncio.timeout(READY_SECONDS):
            told = json.loads(await calling.stdout.read())
            await calling.wait()
    finally:
        if calling.returncode is None:
            calling.kill()
    if first.strip() != b"calling" or told["failures"] or not told["executions"]:
        raise CheckFailed(f"calls through restarts: {told}")
    return f"{told['executions']} executions and {told['watched']} streams, each to its end and each sent once"


async def _is_serving(served: Served, listen: str) -> bool:
    """Asks as the health check of a container does: with the certificates in the environment."""
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rpc.probe", listen, cwd=ROOT, env={**os.environ, **served.tls}
    )
    return await asking.wait() == 0
