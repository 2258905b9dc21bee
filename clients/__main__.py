"""
Uses a running set as others do: `python -m clients`, which is `make clients-test`.

A Node.js program calls the engine over gRPC, also while engines restart; a receiver of OTLP that is not ours tells what
it made of the spans; Prometheus's own parsers read the metrics. What that needs is installed into .clients/.
Exit codes: 0 all of it holds, 1 something does not, 2 what it needs could not be installed.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from clients import metrics, node_client, traces
from clients.installing import NotInstalled, Tools, install
from clients.node_client import CheckFailed
from clients.receiver import receiving
from clients.serving import served


def step(text: str) -> None:
    """Says what comes next, or what was found."""
    print(f"--- {text}", flush=True)


async def check(tools: Tools, directory: Path) -> None:
    """Runs all checks. Raises CheckFailed for the first that does not hold."""
    async with receiving(tools, directory / "receiver.log") as receiver:
        running = served(directory, receiver.url)
        step("the set starts: mutual TLS, API keys, two engines")
        async with running.stack:
            step("Node.js, @grpc/grpc-js: what a client relies on")
            await node_client.run_checks(tools, running)
            step("Node.js, @grpc/grpc-js: engines restart one after the other")
            print("    " + await node_client.call_through_restarts(tools, running))
            step("OTLP: what a receiver shows of a USSD turn and of an execution with an SMS")
            for line in await traces.check(running, receiver):
                print(f"    {line}")
            step("Prometheus: what its parsers make of each service's metrics")
            for line in await metrics.check(running):
                print(f"    {line}")


def main() -> int:
    """Installs, checks and returns the exit code."""
    try:
        tools = install()
    except NotInstalled as problem:
        print(f"make clients-test: {problem}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="njia-clients-") as directory:
        try:
            asyncio.run(check(tools, Path(directory)))
        except CheckFailed as failed:
            print(f"make clients-test: {failed}", file=sys.stderr)
            return 1
    step("all of it holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
