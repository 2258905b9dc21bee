"""Connections of one server: who waits for one, and what a broken one leaves behind."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from launcher import valkey
from storage.connection import ANSWER_SECONDS, StoreUnavailable, connect, store_errors
from storage.pool import LeanConnection, WaitingPool


def pool_of_one(url: str) -> WaitingPool:
    return WaitingPool.from_url(url, connection_class=LeanConnection, max_connections=1, wait_seconds=0.05)


async def test_a_caller_waits_for_a_connection_that_is_given_back(redis_url: str) -> None:
    pool = WaitingPool.from_url(redis_url, connection_class=LeanConnection, max_connections=1, wait_seconds=5)
    first = await pool.get_connection()
    waiting = asyncio.create_task(pool.get_connection())
    await asyncio.sleep(0)
    assert not waiting.done()

    await pool.release(first)

    assert await waiting is first
    await pool.release(first)
    await pool.aclose()


async def test_a_caller_does_not_wait_for_ever(redis_url: str) -> None:
    pool = pool_of_one(redis_url)
    only = await pool.get_connection()

    with pytest.raises(RedisConnectionError, match="No connection available"):
        await pool.get_connection()

    await pool.release(only)
    assert await pool.get_connection() is only
    await pool.release(only)
    await pool.aclose()


async def test_a_caller_that_goes_away_takes_no_place(redis_url: str) -> None:
    pool = pool_of_one(redis_url)
    only = await pool.get_connection()
    for _ in range(5):
        waiting = asyncio.create_task(pool.get_connection())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    await pool.release(only)

    assert await pool.get_connection() is only
    await pool.release(only)
    await pool.aclose()


async def test_failed_connects_do_not_use_up_the_pool() -> None:
    pool = pool_of_one(f"redis://127.0.0.1:{valkey.free_port()}/0")

    for _ in range(5):
        with pytest.raises(RedisConnectionError, match="connecting"):
            await pool.get_connection()

    await pool.aclose()


async def test_a_server_that_does_not_read_is_not_waited_for() -> None:
    over = asyncio.Event()

    async def read_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    deaf = await asyncio.start_server(read_nothing, "127.0.0.1", 0)
    client = connect(f"redis://127.0.0.1:{deaf.sockets[0].getsockname()[1]}/0")

    with pytest.raises(StoreUnavailable, match="writing"), store_errors():
        async with asyncio.timeout(ANSWER_SECONDS + 5):
            await client.set("key", bytes(32 * 1024 * 1024))

    over.set()
    await client.aclose()
    deaf.close()
    await deaf.wait_closed()


async def test_arguments_of_every_kind_arrive(redis_url: str) -> None:
    client = connect(redis_url)
    written = ("text", "Größe ✓", b"\x00\r\n$5", "7", "")

    await client.rpush("kinds", "text", "Größe ✓", b"\x00\r\n$5", 7, "")

    assert await client.lrange("kinds", 0, -1) == [
        word if isinstance(word, bytes) else word.encode() for word in written
    ]
    await client.aclose()
