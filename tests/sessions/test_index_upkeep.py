"""The index in Redis: what it holds in the long run, and what crashes leave in it."""

import asyncio

import pytest

from services.sessions import keys
from services.sessions.index_upkeep import BATCH, IndexUpkeep
from services.sessions.listing import Entry, Filter
from services.sessions.redis_index import SessionIndex
from services.sessions.redis_store import RedisSessionStore
from services.sessions.session import NewSession, SessionType
from storage.batches import run_in_order
from storage.connection import Client, StoreUnavailable, connect

pytestmark = pytest.mark.also_on_a_cluster

MSISDN = "+254711000001"
INDEXES = (*keys.index(None), *keys.index(MSISDN))


@pytest.fixture
def store(client: Client) -> RedisSessionStore:
    return RedisSessionStore(client, retention_ms=0)


@pytest.fixture
def upkeep(client: Client) -> IndexUpkeep:
    return IndexUpkeep(client, retention_ms=0)


def new(session_id: str, ttl_ms: int, msisdn: str | None = MSISDN) -> NewSession:
    return NewSession(session_id, SessionType.USSD, msisdn, ttl_ms, {})


async def sizes(client: Client) -> list[int]:
    return [await client.zcard(key) for key in INDEXES]


async def is_due(client: Client, count: int) -> None:
    """Waits until so many entries are due."""
    async with asyncio.timeout(30):
        while True:
            seconds, micros = await client.time()
            if await client.zcount(keys.index(None)[1], "-inf", seconds * 1000 + micros // 1000) >= count:
                return
            await asyncio.sleep(0.005)


async def test_expired_sessions_leave_no_trace(client: Client, store: RedisSessionStore, upkeep: IndexUpkeep) -> None:
    await store.open(new("mine", 10))
    await store.open(new("nobody's", 10, msisdn=None))
    await store.open(new("live", 60_000))
    await is_due(client, 2)

    assert await upkeep.look() == 2

    assert await sizes(client) == [1, 1, 1, 1]
    assert await upkeep.look() == 0
    assert (await store.find(MSISDN, SessionType.USSD)).session_id == "live"
    await store.delete("live")
    assert sorted([key async for key in client.scan_iter("*")]) == sorted(key.encode() for key in INDEXES)


async def test_a_session_whose_expiry_moved_stays_known(
    client: Client, store: RedisSessionStore, upkeep: IndexUpkeep
) -> None:
    await store.open(new("s", 60_000))
    await store.touch("s", 120_000)
    # The entry is due as of the first expiry, which is over now.
    await client.zadd(keys.index(None)[1], {str(Entry("s", SessionType.USSD, MSISDN)): 1})

    assert await upkeep.look() == 1

    assert await upkeep.look() == 0
    assert await sizes(client) == [1, 1, 1, 1]
    assert [session.session_id for session in (await store.page(Filter(MSISDN), 10, None)).sessions] == ["s"]


async def test_an_ended_session_stays_known_for_the_retention(client: Client) -> None:
    store = RedisSessionStore(client, retention_ms=60_000)
    upkeep = IndexUpkeep(client, retention_ms=60_000)
    await store.open(new("s", 60_000))
    await store.end("s")
    # The entry looks due at once, as one would whose session was touched.
    await client.zadd(keys.index(None)[1], {str(Entry("s", SessionType.USSD, MSISDN)): 1})

    assert await upkeep.look() == 1

    assert await upkeep.look() == 0
    assert len((await store.page(Filter(MSISDN, active=False), 10, None)).sessions) == 1


async def test_an_id_that_is_used_again_while_its_old_entry_goes_stays_known(
    client: Client, store: RedisSessionStore, upkeep: IndexUpkeep
) -> None:
    """Sessions of one id expire and are opened again, with the upkeep at work all the time."""
    stop = asyncio.Event()

    async def keep_looking() -> None:
        while not stop.is_set():
            await upkeep.look()

    looking = [asyncio.create_task(keep_looking()) for _ in range(3)]
    for n in range(30):
        await store.open(new(f"s{n}", 3))
        await asyncio.sleep(0.004)
        opened = await store.open(new(f"s{n}", 60_000))
        await asyncio.sleep(0.001)
        assert (await store.find(MSISDN, SessionType.USSD)) == opened.session
        await store.delete(f"s{n}")
    stop.set()
    await asyncio.gather(*looking)


async def test_an_entry_without_its_session_is_ignored(client: Client, store: RedisSessionStore) -> None:
    """As after a crash between the index and the session, or an opening that was refused."""
    index = SessionIndex(client)
    await store.open(new("s", 60_000))
    for entry in (Entry("never", SessionType.USSD, MSISDN), Entry("s", SessionType.SMS, MSISDN)):
        await run_in_order(client, index.additions(entry, 60_000))

    assert len((await store.page(Filter(), 10, None)).sessions) == 1
    assert len((await store.page(Filter(MSISDN, SessionType.SMS), 10, None)).sessions) == 0


async def test_more_than_one_batch_is_looked_at(client: Client, store: RedisSessionStore, upkeep: IndexUpkeep) -> None:
    await asyncio.gather(*(store.open(new(f"s{n}", 5)) for n in range(BATCH + 1)))
    await is_due(client, BATCH + 1)

    assert [await upkeep.look(), await upkeep.look()] == [BATCH, 1]
    assert await sizes(client) == [0, 0, 0, 0]


async def test_the_upkeep_says_that_redis_does_not_answer() -> None:
    client = connect("redis://127.0.0.1:1/0")

    with pytest.raises(StoreUnavailable):
        await IndexUpkeep(client, 0).look()
    await client.aclose()
