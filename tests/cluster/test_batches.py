"""Batches on a cluster: several nodes, slots that move, and more callers than connections."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import uvloop
from redis.exceptions import ResponseError

from storage.batches import answers_of, run_in_order, run_in_stages
from storage.connection import MAX_CONNECTIONS, Client, StoreUnavailable, connect, look, store_errors
from storage.scripts import Script, ScriptCall
from tests.valkey_cluster import ValkeyCluster

TAGS = "abcdefghijklmnopqrstuvwxyz"
"""Hash tags that lie on all nodes."""

APPEND = Script("return redis.call('RPUSH', KEYS[1], ARGV[1])")
TOUCH_ANOTHER = Script("redis.call('INCR', KEYS[1]) redis.call('SET', ARGV[1], '') return 1")


async def owner_of(cluster: ValkeyCluster, key: str) -> tuple[int, int]:
    """The slot of a key and the index of the node that has it."""
    async with cluster.node(0) as node:
        slot = int(await node.execute_command("CLUSTER KEYSLOT", key))
    async with asyncio.timeout(60):
        while True:
            for index in range(len(cluster.ports)):
                if any(first <= slot <= last for first, last in await slots_of(cluster, index)):
                    return slot, index
            # It is on the move: who had it has let go of it, and who gets it has not heard of that.
            await asyncio.sleep(0.02)


async def slots_of(cluster: ValkeyCluster, index: int) -> list[tuple[int, int]]:
    """The ranges of slots that a node says are its own."""
    async with cluster.node(index) as node:
        lines = (await node.execute_command("CLUSTER NODES")).values()
    [own] = [line["slots"] for line in lines if "myself" in line["flags"]]
    return [(int(words[0]), int(words[-1])) for words in own]


async def name_of(cluster: ValkeyCluster, index: int) -> str:
    async with cluster.node(index) as node:
        name: bytes = await node.execute_command("CLUSTER MYID")
    return name.decode()


async def test_the_tags_of_these_tests_lie_on_all_nodes(client: Client, valkey_cluster: ValkeyCluster) -> None:
    for tag in TAGS:
        await client.set(f"{{{tag}}}", "here")

    for index in range(len(valkey_cluster.ports)):
        async with valkey_cluster.node(index) as node:
            assert await node.dbsize() > 0


async def test_a_batch_over_all_nodes_answers_in_the_order_of_its_calls(client: Client) -> None:
    steps = [("SET", f"{{{tag}}}", tag) for tag in TAGS]
    scripts = [ScriptCall(APPEND, [f"{{{tag}}}list"], [tag]) for tag in TAGS]
    reads = [("GET", f"{{{tag}}}") for tag in TAGS]

    written, ran, read = await run_in_stages(client, steps, scripts, reads)

    assert written == [True] * len(TAGS)
    assert ran == [1] * len(TAGS)
    assert read == [tag.encode() for tag in TAGS]


async def test_commands_on_one_key_run_as_they_are_listed(client: Client) -> None:
    calls = [("RPUSH", "{a}list", *range(10)), ("LTRIM", "{a}list", -3, -1), ("LRANGE", "{a}list", 0, -1)]

    [answers] = await run_in_stages(client, calls)

    assert answers[-1] == [b"7", b"8", b"9"]


async def test_a_stage_that_fails_keeps_the_later_ones_from_running(client: Client) -> None:
    await client.set("{a}text", "no list")

    with pytest.raises(ResponseError, match=r"^WRONGTYPE"):
        await run_in_stages(client, [("RPUSH", "{a}text", "x"), ("SET", "{b}", "beside")], [("SET", "{c}", "later")])

    assert await client.get("{b}") == b"beside"
    assert await client.get("{c}") is None


async def test_more_batches_than_connections_wait_for_their_turn(redis_url: str) -> None:
    async def append(client: Client, number: int) -> None:
        await run_in_order(client, [ScriptCall(APPEND, [f"{{{tag}}}all"], [number]) for tag in TAGS[:3]])

    async with connect(redis_url) as client:
        await asyncio.gather(*(append(client, number) for number in range(4 * MAX_CONNECTIONS)))

        assert [await client.llen(f"{{{tag}}}all") for tag in TAGS[:3]] == [4 * MAX_CONNECTIONS] * 3


async def test_slots_that_move_with_their_data_are_followed(client: Client, valkey_cluster: ValkeyCluster) -> None:
    """Every way to issue commands goes on, with a map of slots that is out of date."""
    tags = list(TAGS[:4])
    await run_in_order(client, [ScriptCall(APPEND, [f"{{{tag}}}moved"], ["before"]) for tag in tags])
    for tag in tags:
        slot, source = await owner_of(valkey_cluster, f"{{{tag}}}")
        target = (source + 1) % len(valkey_cluster.ports)
        async with valkey_cluster.node(source) as node:
            await node.execute_command(
                "CLUSTER MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", await name_of(valkey_cluster, target)
            )
        async with asyncio.timeout(60):
            while (await owner_of(valkey_cluster, f"{{{tag}}}"))[1] != target:
                await asyncio.sleep(0.02)

    by_itself, in_a_pipeline, in_stages, in_order = tags
    await APPEND.run(client, [f"{{{by_itself}}}moved"], ["after"])
    pipeline = client.pipeline(transaction=False)
    pipeline.rpush(f"{{{in_a_pipeline}}}moved", "after")
    await answers_of(pipeline)
    await run_in_stages(client, [("RPUSH", f"{{{in_stages}}}moved", "after")])
    await run_in_order(client, [ScriptCall(APPEND, [f"{{{in_order}}}moved"], ["after"])])

    for tag in tags:
        assert await client.lrange(f"{{{tag}}}moved", 0, -1) == [b"before", b"after"]


async def test_a_script_that_meets_a_slot_on_the_move_is_to_be_repeated(
    client: Client, valkey_cluster: ValkeyCluster
) -> None:
    await client.set("{z}here", 0)
    slot, source = await owner_of(valkey_cluster, "{z}")
    target = await name_of(valkey_cluster, (source + 1) % len(valkey_cluster.ports))
    async with valkey_cluster.node(source) as node:
        await node.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", target)
        try:
            with pytest.raises(StoreUnavailable), store_errors():
                await TOUCH_ANOTHER.run(client, ["{z}here"], ["{z}gone"])
        finally:
            await node.execute_command("CLUSTER SETSLOT", slot, "STABLE")

    assert await TOUCH_ANOTHER.run(client, ["{z}here"], ["{z}gone"]) == 1


async def test_a_node_that_takes_no_writes_is_a_store_that_does_not_do_its_work(
    client: Client, valkey_cluster: ValkeyCluster
) -> None:
    async with valkey_cluster.node(1) as node:
        await node.config_set("maxmemory", "1")
        try:
            with pytest.raises(StoreUnavailable, match="maxmemory"):
                await look(client)
        finally:
            await node.config_set("maxmemory", "0")
    await look(client)


async def test_one_node_of_the_address_is_enough(valkey_cluster: ValkeyCluster) -> None:
    async with connect(f"redis+cluster://127.0.0.1:1,127.0.0.1:{valkey_cluster.ports[-1]}") as client:
        await look(client)
        assert await client.set("{a}", "there")


@pytest.mark.parametrize("run_in", [uvloop.run, asyncio.run])
def test_connections_that_died_while_idle_are_not_noticed_by_the_caller(
    valkey_cluster: ValkeyCluster, run_in: Callable[..., None]
) -> None:
    """The services run on uvloop, which names some losses in a way of its own."""

    async def lose_connections() -> None:
        async with connect(valkey_cluster.url) as client:
            calls = [ScriptCall(APPEND, [f"{{{tag}}}idle"], ["x"]) for tag in TAGS]
            await asyncio.gather(*(run_in_stages(client, calls) for _ in range(5)))
            for index in range(len(valkey_cluster.ports)):
                async with valkey_cluster.node(index) as node:
                    await node.execute_command("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")
            for call in calls:
                await call.script.run(client, call.keys, call.arguments)
            await asyncio.gather(*(run_in_stages(client, calls) for _ in range(5)))

    with ThreadPoolExecutor(1) as other_loop:
        other_loop.submit(run_in, lose_connections()).result()


async def test_a_node_that_goes_is_told_of_and_one_that_comes_back_is_found(
    client: Client, valkey_cluster: ValkeyCluster
) -> None:
    async def pipeline() -> None:
        reading = client.pipeline(transaction=False)
        for tag in TAGS:
            reading.get(f"{{{tag}}}")
        await answers_of(reading)

    ways: list[Callable[[], Awaitable[object]]] = [
        pipeline,
        lambda: run_in_stages(client, [("SET", f"{{{tag}}}", tag) for tag in TAGS]),
        lambda: run_in_order(client, [ScriptCall(APPEND, [f"{{{tag}}}list"], [tag]) for tag in TAGS]),
    ]
    for way in ways:
        await way()

    valkey_cluster.kill(1)
    try:
        for _ in range(3):
            for way in ways:
                with pytest.raises(StoreUnavailable), store_errors():
                    await way()
        with pytest.raises(StoreUnavailable):
            await look(client)
    finally:
        valkey_cluster.start(1)
        async with asyncio.timeout(60):
            await valkey_cluster.whole()

    for way in ways:
        await _in_the_end(way)
    await look(client)


async def _in_the_end(way: Callable[[], Awaitable[object]]) -> None:
    """Repeats what a node refuses that does not know yet that the cluster is whole again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(StoreUnavailable), store_errors():
                await way()
                return
            await asyncio.sleep(0.02)
