"""
Processes are killed at random moments under load. Afterwards nothing that was acknowledged is lost, and nothing was
done twice.

CHAOS_SECONDS (12) is how long the load lasts, CHAOS_SEED makes the same choices again; `make chaos` sets both.
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from launcher.replicas import Replicas, replicated
from launcher.stack import ONE_PROCESS_EACH, Stack
from tests.chaos.callers import CALL_SECONDS, Callers
from tests.chaos.disturbances import KILLED, kill_until, make_faults
from tests.chaos.facts import Facts
from tests.chaos.findings import Findings
from tests.chaos.flows import all_flows

SECONDS = float(os.environ.get("CHAOS_SECONDS") or 12)
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))

CALLERS = {"orders": 5, "talks": 24, "conversations": 5, "texts": 2}

ENVIRON = {
    # Short ones, so that taking over is quick and the test need not wait long for what nobody can tell any more.
    "NJIA_ENGINE_LEASE_MS": "2000",
    "NJIA_ENGINE_SCAN_MS": "100",
    "NJIA_ENGINE_SETTLE_MS": "4000",
    "NJIA_AT_CONNECT_TIMEOUT_MS": "500",
    "NJIA_AT_READ_TIMEOUT_MS": "2000",
}

PROBLEMS_SHOWN = 12


async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice_while_processes_are_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replicas = replicated(ONE_PROCESS_EACH, {"engine": 2, "sessions": 2, "at_adapter": 2})
    facts, chance = Facts(), random.Random(SEED)
    stack = Stack(
        tmp_path,
        layout=replicas.layout,
        environ={**replicas.environ, **ENVIRON},
        own=replicas.own,
        fsync="always",
    )
    callbacks = [stack.callbacks_url, f"http://{replicas.own['at_adapter-2']['NJIA_AT_ADAPTER_CALLBACKS_LISTEN']}"]
    started = time.monotonic()
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with stack, aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as client:
        await _prepare(client, stack)
        callers = Callers(client, stack.gateway_url, callbacks, stack.emulator_url, facts, random.Random(SEED + 1))
        findings = Findings(callers, client, stack.emulator_url, facts)
        watching = asyncio.create_task(findings.watch_messages())
        until = time.monotonic() + SECONDS
        await asyncio.gather(
            callers.run(CALLERS, until),
            kill_until(stack, _listens(stack, replicas), facts, chance, until),
            make_faults(client, stack.emulator_url, facts, chance, until),
        )
        await client.delete(f"{stack.emulator_url}/control/faults")
        await stack.ready()
        await findings.settle()
        await findings.check()
        watching.cancel()
    findings.check_service_logs(tmp_path / "logs")

    with capsys.disabled():
        took = time.monotonic() - started
        sys.stdout.write(f"\nload and kills for {SECONDS:g} s, seed {SEED}, {took:.0f} s in all\n{facts.summary()}\n")
    shown = "\n".join(f"- {problem}" for problem in facts.problems[:PROBLEMS_SHOWN])
    assert not facts.problems, f"{len(facts.problems)} problems, seed {SEED}, data and logs in {tmp_path}\n{shown}"
    assert {name.partition("-")[0] for name in facts.kills} == set(KILLED)


def _listens(stack: Stack, replicas: Replicas) -> dict[str, str]:
    """Where the processes that may be killed serve, by name."""
    found = {"valkey": stack.redis_url.removeprefix("redis://").removesuffix("/0")}
    for name in stack.layout:
        service = name.partition("-")[0]
        if service in KILLED:
            found[name] = {**stack.environ, **replicas.own.get(name, {})}[f"NJIA_{service.upper()}_LISTEN"]
    return found


async def _prepare(client: aiohttp.ClientSession, stack: Stack) -> None:
    settings = {"incomingRetryIntervalMs": 300, "deliveryReportDelayMs": 1000}
    async with client.patch(f"{stack.emulator_url}/control/settings", json=settings) as response:
        response.raise_for_status()
    for flow in all_flows():
        async with client.post(f"{stack.gateway_url}/api/workflows", json=flow) as response:
            assert response.status in (200, 201), await response.text()
        workflow_id = flow["metadata"]["workflowId"]
        async with client.post(f"{stack.gateway_url}/api/workflows/{workflow_id}/publish") as response:
            assert response.status == 200, await response.text()
