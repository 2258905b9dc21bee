"""Every test of the contract runs on the store in memory and on those in a real Valkey and in a cluster."""

import time
from collections.abc import AsyncIterator

import pytest

from storage.connection import connect
from tests.engine.stores.engines import Engines, in_memory, in_redis


@pytest.fixture(params=["memory", "one server", "cluster"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def engines(store_kind: str, redis_url: str) -> AsyncIterator[Engines]:
    """Engines that share an empty store, of each kind in turn."""
    if store_kind == "memory":
        yield in_memory()
        return
    client = connect(redis_url)
    yield in_redis(client, lambda: time.time_ns() // 1_000_000)
    await client.aclose()
