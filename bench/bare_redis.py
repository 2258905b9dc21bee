"""Redis trips of the bare chain: a GET where ours brought more than it sent, else a SET, of as many bytes."""

import itertools
from collections.abc import Sequence

from bench.costs import Step
from storage.connection import Client

PROTOCOL_BYTES = 60
"""What a command or an answer is beyond its value, about."""

KEYS = 4096
"""Keys that are written, in turn."""

LIFE_SECONDS = 3600


class Trips:
    """Makes trips."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._next_key = itertools.cycle(range(KEYS))

    async def prepare(self, steps: Sequence[Step]) -> None:
        """Writes the values that will be read."""
        for step in steps:
            if step.received > step.sent:
                await self._client.set(_read_key(step), bytes(_value_bytes(step.received)))

    async def make(self, step: Step) -> None:
        """Makes one trip."""
        if step.received > step.sent:
            value = await self._client.get(_read_key(step))
            if value is None:
                raise RuntimeError("a value of the bare chain is gone")
        else:
            key = f"bench:written:{next(self._next_key)}"
            await self._client.set(key, bytes(_value_bytes(step.sent)), ex=LIFE_SECONDS)


def _read_key(step: Step) -> str:
    return f"bench:read:{_value_bytes(step.received)}"


def _value_bytes(size: int) -> int:
    return max(1, size - PROTOCOL_BYTES)
