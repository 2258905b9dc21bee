"""Everything here runs on a cluster."""

from collections.abc import AsyncIterator

import pytest

from storage.connection import Client, connect


@pytest.fixture
def store_kind() -> str:
    return "cluster"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    """A client of an empty cluster."""
    async with connect(redis_url) as client:
        yield client
