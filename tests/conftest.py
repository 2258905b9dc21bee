"""What every layer of tests shares: one real Valkey server a test run, empty for each test."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from launcher import valkey

# gRPC's fork handlers run in a child before it becomes its own program, and sometimes abort it there. The processes
# that tests start never use gRPC between fork and exec. gRPC reads this with its first use, so it stands here.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[valkey.ValkeyServer]:
    """A real Valkey process that lives as long as the test run."""
    directory: Path = tmp_path_factory.mktemp("valkey")
    server = asyncio.run(valkey.start(directory, valkey.free_port(), fsync="no"))
    yield server
    server.stop()


@pytest.fixture
async def redis_url(valkey_server: valkey.ValkeyServer) -> str:
    """The address of an empty Redis."""
    client = Redis.from_url(valkey_server.url)
    await client.flushall()
    await client.aclose()
    return valkey_server.url
