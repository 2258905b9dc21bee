"""Kills processes at random moments, and makes Africa's Talking misbehave."""

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from launcher import addresses
from launcher.stack import Stack
from tests.chaos.facts import Facts

KILLED = ("engine", "sessions", "at_adapter", "gateway", "valkey")
"""Services whose processes are killed, every one equally often; of several replicas any one is taken."""

PAUSE_SECONDS = (0.3, 1.1)
"""Shortest and longest time from one kill to the next, once the process is started again."""

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "http_status", "status": 500},
    {"kind": "http_status", "status": 503},
    {"kind": "lost_answer"},
    {"kind": "refused"},
    {"kind": "slow", "delayMs": 400},
    {"kind": "row_status", "statusCode": 500},
    {"kind": "row_status", "statusCode": 406},
)


async def kill_until(
    stack: Stack, listens: Mapping[str, str], facts: Facts, chance: random.Random, until: float
) -> None:
    """
    Kills and restarts one process after the other until `until` (monotonic), and until each service had its turn.

    A process that does not serve again yet is spared: on a slow machine there would be no service left to test.

    Args:
        stack: Whose processes are killed.
        listens: Where each of them serves, by its name in the stack.
        facts: Counts the kills.
        chance: Decides.
        until: When to stop.
    """
    bag: list[str] = []
    while time.monotonic() < until or {name.partition("-")[0] for name in facts.kills} != set(KILLED):
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        if not bag:
            bag = chance.sample(KILLED, len(KILLED))
        service = bag.pop()
        serving = [
            name
            for name, listen in listens.items()
            if name.partition("-")[0] == service and await asyncio.to_thread(addresses.is_taken, listen)
        ]
        if serving:
            name = chance.choice(serving)
            stack.kill(name)
            facts.kills[name] += 1
            await stack.start(name)


async def make_faults(
    client: aiohttp.ClientSession, emulator_url: str, facts: Facts, chance: random.Random, until: float
) -> None:
    """Lets requests that send SMS fail now and then until `until` (monotonic)."""
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        fault = {"product": "sms", "times": chance.randint(1, 2), **chance.choice(FAULTS)}
        async with client.post(f"{emulator_url}/control/faults", json=fault) as response:
            response.raise_for_status()
        facts.counts["faults of Africa's Talking"] += fault["times"]
