"""Turns that come back from a write of the journal, while the run that writes goes on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.engine import ids
from services.engine.core.ports import Entry
from services.engine.core.state import ExecutionState, Options
from services.engine.executions.beginnings import turn_record
from services.engine.store import keys, records
from services.engine.store.lifetimes import Retention
from services.engine.store.redis.store import RedisStore
from storage.connection import Client, connect

LONG_MS = 60_000


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose()


async def test_a_turn_that_the_run_takes_during_a_write_does_not_come_back_under_another_number(client: Client) -> None:
    """Under another number it would be taken again, in place of the turn that has the number."""
    store = RedisStore(client, "engine", LONG_MS, Retention(LONG_MS, LONG_MS))
    partition = 1
    state = ExecutionState(
        ids.new_execution_id(partition),
        "flow",
        1,
        "digest",
        started_at_ms=1,
        options=Options(LONG_MS, False, False),
        payload={},
    )
    taken = await store.create(turn_record(None, {}), state)
    assert taken is not None
    state = taken.state
    state.turns = 1
    second = records.turn_to_bytes(turn_record("mark", {"input": "1"}))
    await client.rpush(keys.turns(partition, state.execution_id), second)

    writing = asyncio.create_task(taken.journal.write(Entry(state, [], None, [], [], released=False)))
    await asyncio.sleep(0)
    state.turns = 2

    assert [(turn.number, turn.payload) for turn in await writing] == [(2, {"input": "1"})]
