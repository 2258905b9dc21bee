"""The connection to Redis: one server, a cluster, and what happens when it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvloop
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from launcher import valkey
from rpc.config import ConfigError, Environment
from storage.batches import run_in_order
from storage.connection import Client, StoreUnavailable, connect, disconnect, look, store_errors
from storage.scripts import Script, ScriptCall
from storage.settings import redis_url as read_redis_url

ECHO = Script("return {KEYS[1], ARGV[1]}")
APPEND = Script("return redis.call('RPUSH', KEYS[1], ARGV[1])")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose()


async def calls_of(client: Client, command: str) -> int:
    stats = await client.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def wait_in_vain(client: Client) -> None:
    await client.execute_command("BLPOP", "nothing", 1)


@pytest.mark.also_on_a_cluster
async def test_a_script_runs_where_the_server_does_not_know_it(client: Client) -> None:
    await client.script_flush()

    assert await ECHO.run(client, ["key"], ["value"]) == [b"key", b"value"]


async def test_a_known_script_is_one_command(client: Client) -> None:
    await ECHO.run(client, ["key"], ["value"])
    await client.config_resetstat()

    await ECHO.run(client, ["key"], ["value"])

    assert (await calls_of(client, "evalsha"), await calls_of(client, "eval")) == (1, 0)


@pytest.mark.also_on_a_cluster
async def test_scripts_in_order_all_run_when_some_are_unknown(client: Client) -> None:
    await client.script_flush()
    await APPEND.run(client, ["list"], ["first"])

    answers = await run_in_order(
        client,
        [ScriptCall(ECHO, ["key"], ["a"]), ScriptCall(APPEND, ["list"], ["b"]), ScriptCall(ECHO, ["key"], ["c"])],
    )

    assert answers == [[b"key", b"a"], 2, [b"key", b"c"]]


@pytest.mark.also_on_a_cluster
async def test_a_failed_script_among_several_raises_its_error(client: Client) -> None:
    await client.set("list", "no list")

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await run_in_order(client, [ScriptCall(ECHO, ["key"], ["a"]), ScriptCall(APPEND, ["list"], ["b"])])


@pytest.mark.also_on_a_cluster
async def test_a_cancelled_command_leaves_no_answer_behind(client: Client) -> None:
    """The next command on the same connection gets its own answer."""
    for _ in range(20):
        call = asyncio.create_task(wait_in_vain(client))
        await asyncio.sleep(0.005)
        call.cancel()
        # Up to Python 3.11 the library may take a cancellation for the end of a wait of its own.
        await asyncio.wait([call])
        assert await ECHO.run(client, ["key"], ["mine"]) == [b"key", b"mine"]


@pytest.mark.also_on_a_cluster
async def test_more_calls_than_connections_wait_for_their_turn(redis_url: str) -> None:
    async with connect(redis_url) as client:
        answers = await asyncio.gather(*(ECHO.run(client, ["key"], [str(n)]) for n in range(300)))

    assert [[b"key", str(n).encode()] for n in range(300)] == answers


async def test_nothing_listens() -> None:
    client = connect(f"redis://127.0.0.1:{valkey.free_port()}/0")

    with pytest.raises(StoreUnavailable), store_errors():
        await client.get("key")
    with pytest.raises(StoreUnavailable):
        await look(client)
    await client.aclose()


async def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    """Connections that died while idle are not noticed by the caller."""
    port = valkey.free_port()
    server = await valkey.start(tmp_path, port, fsync="no")
    client = connect(server.url)
    await look(client)
    await asyncio.gather(*(ECHO.run(client, ["key"], ["value"]) for _ in range(5)))
    server.stop()
    with pytest.raises(StoreUnavailable), store_errors():
        await ECHO.run(client, ["key"], ["value"])

    server = await valkey.start(tmp_path, port, fsync="no")

    try:
        assert await ECHO.run(client, ["key"], ["value"]) == [b"key", b"value"]
        await look(client)
        await disconnect(client)
    finally:
        server.stop()


@pytest.mark.usefixtures("impatient_store")
async def test_a_server_that_hangs_is_not_waited_for() -> None:
    connected = asyncio.Event()
    over = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await over.wait()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    client = connect(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0")

    async def read() -> None:
        with store_errors():
            await client.get("key")

    look_result, read_result = await asyncio.gather(look(client), read(), return_exceptions=True)

    assert connected.is_set()
    assert isinstance(look_result, StoreUnavailable)
    assert isinstance(read_result, StoreUnavailable)
    over.set()
    await client.aclose()
    silent.close()
    await silent.wait_closed()


async def test_a_server_that_refuses_writes_is_unavailable(client: Client) -> None:
    await client.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable), store_errors():
            await client.set("key", "value")
    finally:
        await client.config_set("maxmemory", "0")


def test_a_connection_that_is_gone_when_it_is_written_to_is_lost_under_uvloop_too(
    valkey_server: valkey.ValkeyServer,
) -> None:
    """The services run on uvloop, which has an error of its own for this."""

    async def write_to_a_closed_connection() -> None:
        client = connect(valkey_server.url)
        assert isinstance(client, Redis)
        connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        connection._writer.transport.abort()
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable), store_errors():
            await connection.send_command("PING", check_health=False)
        await client.connection_pool.release(connection)
        await client.aclose()

    with ThreadPoolExecutor(1) as other_loop:
        other_loop.submit(uvloop.run, write_to_a_closed_connection()).result()


@pytest.mark.also_on_a_cluster
async def test_a_mistake_of_ours_is_not_unavailability(client: Client) -> None:
    await client.set("text", "value")

    with pytest.raises(ResponseError), store_errors():
        await client.lpush("text", "value")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://localhost:6379", "must begin with redis://"),
        ("redis://:secret@localhost:port/0", "port"),
        ("redis://:secret@localhost:6379/zero", "database"),
        ("redis://:secret@localhost:6379/0?protocol=3", "no options"),
        ("redis://:secret@one:6379,two:6379/0", "several are a cluster"),
        ("redis+cluster://:secret@localhost:6379/1", "a cluster has only 0"),
        ("redis+cluster://:secret@one:6379,two:port", "port"),
        ("redis+cluster://:secret@one:6379,", "host"),
        ("rediss+cluster://:secret@one:6379?ssl=no", "no options"),
        ("unix://", "socket"),
    ],
)
def test_an_unusable_address_is_a_problem_that_does_not_tell_it(url: str, problem: str) -> None:
    environment = Environment({"NJIA_REDIS_URL": url})

    read_redis_url(environment)

    with pytest.raises(ConfigError, match=problem) as refused:
        environment.check()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *("", "redis://h", "rediss://u:p@h:1/2", "unix:///run/redis"),
        *("redis+cluster://h:1", "redis+cluster://u:p@h:1,[::1]:2/0", "rediss+cluster://h,i"),
    ],
)
def test_a_usable_address_is_taken(url: str) -> None:
    environment = Environment({"NJIA_REDIS_URL": url})

    assert read_redis_url(environment) == (url or "redis://127.0.0.1:6379/0")
    environment.check()
