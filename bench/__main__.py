"""
`python -m bench`, which is `make bench`: real turns against a bare chain of the same calls.

--quick takes a fifth of the time; --json prints the figures for a program.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvloop

from bench.load import WrongAnswer
from bench.measure import Comparison, Side, compare
from bench.processes import start_bare
from bench.scenarios import ECHO, SCENARIOS
from launcher.stack import ONE_PROCESS_EACH, ROOT, Stack

CONNECTIONS = (1, 32)
ROUNDS = 3
SECONDS = 4.0
BARE_READY_SECONDS = 15.0


async def measure(seconds: float) -> list[Comparison]:
    """Starts both sides and measures every scenario."""
    with tempfile.TemporaryDirectory(prefix="njia-bench-") as scratch:
        directory = Path(scratch)
        async with Stack(directory, layout=ONE_PROCESS_EACH) as stack:
            bare, front = start_bare(directory, stack.redis_url)
            try:
                await _listening(front)
                await _load_flows(stack)
                names = ("valkey", "emulator", *stack.layout)
                fronts = {"callbacks": _address(stack.callbacks_url), "gateway": _address(stack.gateway_url)}
                pids = {name: stack.pid(name) for name in names}
                bare_side = Side(front, {"valkey": pids["valkey"]} | {n: child.pid for n, child in bare.items()})
                return [
                    await compare(
                        scenario, Side(fronts[scenario.our_front], pids), bare_side, connections, seconds, ROUNDS
                    )
                    for scenario in SCENARIOS
                    for connections in CONNECTIONS
                ]
            finally:
                for child in bare.values():
                    child.kill()


async def _listening(address: tuple[str, int]) -> None:
    async with asyncio.timeout(BARE_READY_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection(*address)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def _load_flows(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.gateway_url, trust_env=False) as gateway:
        for document in ((ROOT / "examples" / "market.json").read_text(), json.dumps(ECHO)):
            saved = await gateway.post("/api/workflows", content=document, headers={"content-type": "application/json"})
            (await gateway.post(f"/api/workflows/{saved.json()['workflowId']}/publish")).raise_for_status()
    async with httpx.AsyncClient(base_url=stack.emulator_url, trust_env=False) as emulator:
        # Reports and end events are work of their own, beside the turn.
        await emulator.patch("/control/settings", json={"deliveryReports": False, "ussdEndEvents": False})


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def table(comparisons: Sequence[Comparison]) -> str:
    """Writes the figures for a person."""
    lines = [f"{os.cpu_count()} cores, telemetry off, one process a service, medians of {ROUNDS} pairs", ""]
    for comparison in comparisons:
        plural = "" if comparison.connections == 1 else "s"
        lines.append(f"{comparison.scenario}, {comparison.connections} connection{plural} ({comparison.calls})")
        for name, side in (("ours", comparison.ours), ("bare", comparison.bare)):
            cpu = "  ".join(f"{process} {ms:.2f}" for process, ms in side.cpu_ms.items())
            lines.append(
                f"  {name}  {side.rate:7.0f}/s   p50 {side.p50_ms:6.1f} ms   p99 {side.p99_ms:6.1f} ms   "
                f"CPU ms a request: {cpu}  = {sum(side.cpu_ms.values()):.2f}"
            )
        lines += [f"  ours / bare = {comparison.ratio:.2f}", ""]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures real turns against a bare chain.")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time")
    parser.add_argument("--json", action="store_true", help="print the figures for a program")
    options = parser.parse_args(arguments)
    try:
        comparisons = uvloop.run(measure(SECONDS / 5 if options.quick else SECONDS))
    except WrongAnswer as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([dataclasses.asdict(comparison) for comparison in comparisons], indent=2))
    else:
        print(table(comparisons))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
