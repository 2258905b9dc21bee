"""The local Africa's Talking of these tests, which holds up sends for as long as a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.engine.service.platform import Platform

LONGEST_MS = 120_000


class PhoneNetwork:
    """The control API of the emulator."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def hold_up_sends(self, times: int = 1, each_ms: int = LONGEST_MS) -> None:
        """Takes the next sends and answers each after its time, or once `answer_sends` is called."""
        fault = {"product": "sms", "kind": "slow", "delayMs": each_ms, "times": times}
        (await self.client.post("/control/faults", json=fault)).raise_for_status()

    async def answer_sends(self) -> None:
        """Answers what was held up, and holds up nothing more."""
        (await self.client.delete("/control/faults")).raise_for_status()

    async def sent(self) -> int:
        """How many messages were taken."""
        return len((await self.client.get("/control/messages")).json()["messages"])

    async def has_sent(self) -> bool:
        """Whether any was."""
        return await self.sent() > 0


@asynccontextmanager
async def phone_network_of(platform: Platform) -> AsyncIterator[PhoneNetwork]:
    """The network of a platform; behind the test it holds up nothing."""
    async with httpx.AsyncClient(base_url=platform.emulator_url, trust_env=False, timeout=30) as client:
        network = PhoneNetwork(client)
        try:
            yield network
        finally:
            await network.answer_sends()
