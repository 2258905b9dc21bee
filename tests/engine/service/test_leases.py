"""Leases as two engines see them, on a real Valkey."""

from collections.abc import AsyncIterator, Callable

import pytest

from services.engine import ids
from services.engine.executions.beginnings import Overrides, first_state, turn_record
from services.engine.store import keys
from services.engine.store.lifetimes import Retention
from services.engine.store.redis.store import RedisStore
from storage.connection import connect
from tests.engine.core.flow_dicts import NUMBER, document, program_of, sms

pytestmark = pytest.mark.also_on_a_cluster

LEASE_MS = 60_000
PROGRAM = program_of(document("sms", {"send": sms(NUMBER, "hello")}, ["start > send"]))

MakeStore = Callable[[str], RedisStore]


@pytest.fixture
async def engine(redis_url: str) -> AsyncIterator[MakeStore]:
    """The store of an engine, by its name."""
    client = connect(redis_url)
    yield lambda owner: RedisStore(client, owner, LEASE_MS, Retention(1000, 1000))
    await client.aclose()


async def begun(store: RedisStore, partition: int) -> str:
    execution_id = ids.new_execution_id(partition)
    state = first_state(PROGRAM, execution_id, {}, None, Overrides(), 0)
    assert await store.create(turn_record(None, {}), state) is not None
    return execution_id


async def test_what_is_handed_over_is_due_at_once_and_may_be_taken(engine: MakeStore) -> None:
    one, other = engine("one"), engine("other")
    execution_id = await begun(one, 3)
    before = (await other.due(10), await other.take_up(execution_id))

    await one.hand_over(execution_id)

    assert before == ([], None)
    assert await other.due(10) == [execution_id]
    assert await other.take_up(execution_id) is not None


async def test_a_lease_that_another_engine_has_is_not_given_up(engine: MakeStore) -> None:
    one, other = engine("one"), engine("other")
    execution_id = await begun(one, 3)
    fence = one.leases.held[execution_id]
    await one.hand_over(execution_id)
    await other.take_up(execution_id)
    one.leases.held[execution_id] = fence

    await one.hand_over(execution_id)

    assert await one.take_up(execution_id) is None


async def test_what_waits_longest_is_due_first_whatever_its_partition(engine: MakeStore, redis_url: str) -> None:
    one = engine("one")
    last, second, first = [await begun(one, partition) for partition in (0, 7, 15)]
    async with connect(redis_url) as client:
        for since_ms, (partition, execution_id) in enumerate([(15, first), (7, second), (0, last)], start=1):
            await client.zadd(keys.due(partition), {execution_id: since_ms})

    assert await one.due(2) == [first, second]
    assert await one.due(10) == [first, second, last]


async def test_leases_of_runs_that_broke_are_forgotten_and_those_just_taken_are_not(engine: MakeStore) -> None:
    one = engine("one")
    runs, broke = await begun(one, 1), await begun(one, 2)
    await one.renew([runs])
    just_taken = await begun(one, 3)
    held_before = set(one.leases.held)
    await one.renew([runs])

    assert held_before == {runs, broke, just_taken}
    assert set(one.leases.held) == {runs, just_taken}
