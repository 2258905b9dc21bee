"""Every test of the contract runs on the store in memory and on the one in a real Valkey."""

import time
from collections.abc import AsyncIterator

import pytest

from storage.connection import connect
from tests.engine.stores.engines import Engines, in_memory, in_redis


@pytest.fixture(params=["memory", "valkey"])
async def engines(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Engines]:
    """Engines that share an empty store, of each kind in turn."""
    if request.param == "memory":
        yield in_memory()
        return
    client = connect(redis_url)
    yield in_redis(client, lambda: time.time_ns() // 1_000_000)
    await client.aclose()
