"""The two sides that are measured, as processes on this machine beside one Valkey and one emulator."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench import bare, bare_plan
from bench.conversations import BARE, OURS
from bench.costs import Costs
from bench.ours import prepare, url_of
from launcher import addresses, process, valkey
from launcher.stack import ONE_PROCESS, ONE_PROCESS_EACH, ROOT, STOP_WITHIN_SECONDS, Stack

APART = "apart"
TOGETHER = "together"
LAYOUTS: Mapping[str, Mapping[str, Sequence[str]]] = {APART: ONE_PROCESS_EACH, TOGETHER: ONE_PROCESS}
"""Each service in a process of its own, or all in one; the bare chain is laid out the same way."""

READY_WITHIN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Chain:
    """
    One side.

    Attributes:
        side: OURS or BARE.
        ports: Where the requests of each scenario go, on 127.0.0.1.
        pids: Its processes by name, those that both sides share included.
    """

    side: str
    ports: Mapping[str, int]
    pids: Mapping[str, int]


@asynccontextmanager
async def our_chain(stack: Stack, scenarios: Sequence[str]) -> AsyncIterator[Chain]:
    """Runs our services, with the flows published."""
    async with stack:
        await prepare(stack)
        ports = {scenario: _port(urlsplit(url_of(stack, scenario)).netloc) for scenario in scenarios}
        yield Chain(OURS, ports, {name: stack.pid(name) for name in (*stack.layout, "emulator", "valkey")})


@asynccontextmanager
async def bare_chain(stack: Stack, costs: Costs, directory: Path, scenarios: Sequence[str]) -> AsyncIterator[Chain]:
    """Runs the bare chain against the Valkey and the emulator of a stack that runs."""
    plan = bare_plan.Plan(
        ports={name: valkey.free_port() for name in ("sessions", "engine", "at_adapter")},
        front_ports={name: valkey.free_port() for name in ("at_adapter", "gateway")},
        redis_url=stack.redis_url,
        provider_url=f"{stack.emulator_url}/api",
        steps=costs,
    )
    file = directory / "bare.json"
    file.write_text(bare_plan.to_json(plan))
    groups = {"services": bare.NAMES} if stack.layout is ONE_PROCESS else {name: (name,) for name in bare.NAMES}
    running = [
        process.start(
            name, ("bench.bare", str(file), *names), stack.environ, directory / "logs" / f"bare-{name}.log", ROOT
        )
        for name, names in groups.items()
    ]
    try:
        await _listening([*plan.ports.values(), *plan.front_ports.values()], running)
        ports = {
            scenario: plan.front_ports["gateway" if scenario == "execute" else "at_adapter"] for scenario in scenarios
        }
        pids = {child.name: child.pid for child in running}
        yield Chain(BARE, ports, {**pids, "emulator": stack.pid("emulator"), "valkey": stack.pid("valkey")})
    finally:
        for child in running:
            await asyncio.to_thread(child.stop, STOP_WITHIN_SECONDS)


async def _listening(ports: Sequence[int], running: Sequence[process.ChildProcess]) -> None:
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        while not all(addresses.is_taken(f"127.0.0.1:{port}") for port in ports):
            for child in running:
                child.check()
            await asyncio.sleep(0.05)


def _port(netloc: str) -> int:
    return int(netloc.rpartition(":")[2])
