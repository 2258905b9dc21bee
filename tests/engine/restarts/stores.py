"""Where the engines of a story keep their executions: in memory, or in a real Valkey with the story's own clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol, cast

import pytest
from redis.asyncio import Redis

from services.engine import ids
from services.engine.core.ports import Journal
from services.engine.store import keys
from services.engine.store.execution_store import ExecutionStore, TakenUp
from services.engine.store.lifetimes import Retention
from services.engine.store.memory.contents import Memory
from services.engine.store.memory.store import MemoryStore
from services.engine.store.redis import clock
from services.engine.store.redis.store import RedisStore
from storage.connection import Client, connect
from tests.engine.core.virtual_time import VirtualTimeLoop, now_ms

LEASE_MS = 15_000
RETENTION = Retention(executions_ms=30 * 24 * 3600 * 1000, unmatched_ms=600_000)


class Stores(Protocol):
    """Gives every engine its store."""

    def of(self, owner: str) -> ExecutionStore:
        """Returns the store of an engine."""
        ...

    async def leases_run_out(self) -> None:
        """The time of all leases is over; the story's clock has moved already."""
        ...


class StoresInMemory:
    """All on the story's clock."""

    def __init__(self) -> None:
        self._memory = Memory()

    def of(self, owner: str) -> ExecutionStore:
        return MemoryStore(self._memory, owner, LEASE_MS, RETENTION, now_ms)

    async def leases_run_out(self) -> None:
        """They did when the clock moved."""


class StoresInValkey:
    """Timers are on the story's clock. Leases are on the server's: the story says when they are over."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def of(self, owner: str) -> ExecutionStore:
        return cast("ExecutionStore", _InRealTime(RedisStore(self._client, owner, LEASE_MS, RETENTION)))

    async def leases_run_out(self) -> None:
        with _standing_clock():
            names = await cast("Redis", self._client).keys(keys.execution(0, "*").replace("p0", "p?"))
            for execution_id in (str(name, "ascii").rpartition(":")[2] for name in cast("list[bytes]", names)):
                partition = ids.partition_of_execution(execution_id)
                assert partition is not None
                if await self._client.hget(keys.execution(partition, execution_id), "owner"):
                    await self._client.hset(keys.execution(partition, execution_id), "lease_until", "0")
                    await self._client.zadd(keys.due(partition), {execution_id: 0})


@asynccontextmanager
async def stores_in_valkey(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StoresInValkey]:
    """Gives engines an empty Valkey."""
    monkeypatch.setattr(clock, "now_ms", now_ms)
    client = connect(url)
    with _standing_clock():
        await client.flushall()
    try:
        yield StoresInValkey(client)
    finally:
        with _standing_clock():
            await client.aclose()


class _InRealTime:
    """A store or its journal on a real server: no time of the story passes until it answers."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._part, name)

        async def call(*args: Any) -> Any:
            with _standing_clock():
                answer = await method(*args)
            return (
                replace(answer, journal=cast("Journal", _InRealTime(answer.journal)))
                if isinstance(answer, TakenUp)
                else answer
            )

        return call


def _standing_clock() -> AbstractContextManager[None]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop.awaiting_something_real()
