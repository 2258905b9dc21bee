"""Several replicas write to one session at once: no update is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.sessions.errors import VersionConflict
from services.sessions.redis_store import RedisSessionStore
from services.sessions.session import Commit, DataChange, NewSession, ScopedChanges, SessionType
from storage.connection import connect

pytestmark = pytest.mark.also_on_a_cluster

WRITERS = 12
WRITES = 15


@pytest.fixture
async def replicas(redis_url: str) -> AsyncIterator[list[RedisSessionStore]]:
    clients = [connect(redis_url) for _ in range(3)]
    stores = [RedisSessionStore(client, 60_000) for client in clients]
    await stores[0].open(NewSession("s", SessionType.USSD, "+254711000001", 60_000, {"count": "0"}))
    yield stores
    for client in clients:
        await client.aclose()


async def test_writers_that_compare_versions_count_right(replicas: list[RedisSessionStore]) -> None:
    conflicts = 0

    async def write(writer: int) -> None:
        nonlocal conflicts
        store = replicas[writer % len(replicas)]
        for _ in range(WRITES):
            while True:
                session = await store.get("s")
                change = DataChange(set={"count": str(int(session.data["count"]) + 1)})
                try:
                    await store.update("s", change, session.version)
                    break
                except VersionConflict:
                    conflicts += 1

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))

    session = await replicas[0].get("s")
    assert int(session.data["count"]) == WRITERS * WRITES == session.version - 1
    assert conflicts > 0


async def test_merges_of_different_keys_all_stay(replicas: list[RedisSessionStore]) -> None:
    async def write(writer: int) -> None:
        for n in range(WRITES):
            await replicas[writer % len(replicas)].update("s", DataChange(set={f"{writer}.{n}": str(n)}), None)

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))

    session = await replicas[0].get("s")
    expected = {f"{writer}.{n}": str(n) for writer in range(WRITERS) for n in range(WRITES)}
    assert session.data == {"count": "0"} | expected
    assert session.version == 1 + WRITERS * WRITES


async def test_commits_that_are_repeated_from_everywhere_count_once(replicas: list[RedisSessionStore]) -> None:
    """Each commit is sent by all replicas at once, and again on a conflict, as engines that take over do."""

    async def commit(store: RedisSessionStore, name: str) -> None:
        while True:
            session = await store.get("s")
            change = [DataChange(set={"count": str(int(session.data["count"]) + 1)})]
            in_all = [DataChange(set={name: str(session.version)})]
            try:
                await store.commit("s", Commit(name, session.version, change, scoped=ScopedChanges(in_all=in_all)))
                return
            except VersionConflict:
                pass

    names = [f"c{n}" for n in range(20)]
    await asyncio.gather(*(commit(store, name) for name in names for store in replicas))

    session = await replicas[0].get("s")
    assert (session.data["count"], session.version) == ("20", 21)
    assert set((await replicas[0].scoped("+254711000001", "flow")).in_all) == set(names)


async def test_one_of_many_replicas_creates_a_session(replicas: list[RedisSessionStore]) -> None:
    for n in range(10):
        new = NewSession(f"new{n}", SessionType.USSD, None, 60_000, {})
        opened = await asyncio.gather(*(store.open(new) for store in replicas * 3))

        assert sum(each.created for each in opened) == 1
