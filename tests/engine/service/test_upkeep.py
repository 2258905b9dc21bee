"""The upkeep as two engines do it, on a real Valkey."""

import time
from collections.abc import AsyncIterator

import pytest

from services.engine import ids
from services.engine.core.ports import Entry
from services.engine.core.state import ExecutionStatus
from services.engine.executions.beginnings import Overrides, first_state, turn_record
from services.engine.store import keys
from services.engine.store.execution_store import Filter, NoExecution, Report, TakenUp
from services.engine.store.lifetimes import Retention
from services.engine.store.redis import reports, upkeep
from services.engine.store.redis.store import RedisStore
from services.engine.store.redis.upkeep import Upkeep
from services.engine.store.typed_text import TextMarks
from storage.connection import Client, connect
from tests.engine.core.flow_dicts import NUMBER, document, program_of, sms
from tests.engine.service.waiting import until

SHORT = Retention(executions_ms=1, unmatched_ms=1000, margin_ms=60_000)
LONG = Retention(executions_ms=60_000, unmatched_ms=1000, margin_ms=60_000)
PROGRAM = program_of(document("sms", {"send": sms(NUMBER, "hello")}, ["start > send"]))
EVERYTHING = Filter(workflow_id=None, status=None, from_ms=None, until_ms=None)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    connected = connect(redis_url)
    yield connected
    await connected.aclose()


async def begun(client: Client, retention: Retention, partition: int, *, ends: bool) -> str:
    """An execution that has begun, and, where it ends, has ended with its retention before it."""
    store = RedisStore(client, "engine", 60_000, retention)
    state = first_state(PROGRAM, ids.new_execution_id(partition), {}, None, Overrides(), 0)
    taken = await store.create(turn_record(None, {}), state)
    assert taken is not None
    if ends:
        taken.state.status = ExecutionStatus.COMPLETED
        taken.state.turns = len(taken.turns)
        await taken.journal.write(
            Entry(taken.state, results=[], answered=None, correlations=[], unsettled=[], released=True)
        )
    return state.execution_id


async def entries(client: Client, partition: int) -> list[int]:
    """How many executions each of the indexes of a partition has."""
    indexes = [keys.executions(partition, None), keys.executions(partition, PROGRAM.graph.workflow_id)]
    return [await client.zcard(index) for index in (*indexes, keys.ended(partition))]


async def is_gone(client: Client, execution_id: str) -> bool:
    partition = ids.partition_of_execution(execution_id)
    assert partition is not None
    return not await client.exists(keys.execution(partition, execution_id))


async def test_what_nobody_knows_is_kept_of_a_number_up_to_a_bound_and_findable_by_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_REPORTED", 2)
    store = RedisStore(client, "engine", 60_000, LONG)
    now_ms = time.time_ns() // 1_000_000
    for order, message_id in enumerate(("old", "one", "two")):
        await store.report(Report(message_id, "Success", NUMBER, "", "", now_ms + order))
    await store.report(Report("nameless", "Success", "", "", "", now_ms))

    index = keys.reported(f"sms:{NUMBER}")
    assert await client.zrange(index, 0, -1) == [b"one", b"two"]
    assert 0 < await client.pttl(index) <= LONG.shared_ms
    kept = [await client.exists(keys.reports(f"sms:{name}")) for name in ("old", "one", "two", "nameless")]
    assert kept == [0, 1, 1, 1]


async def test_only_executions_whose_retention_is_over_leave_the_indexes(client: Client) -> None:
    over = await begun(client, SHORT, 3, ends=True)
    kept = await begun(client, LONG, 3, ends=True)
    live = await begun(client, SHORT, 3, ends=False)
    await until(lambda: is_gone(client, over))

    await Upkeep(client, SHORT).forget()

    assert await entries(client, 3) == [2, 2, 1]
    page, _ = await RedisStore(client, "other", 60_000, SHORT).page(EVERYTHING, 10, None)
    assert {state.execution_id for state in page} == {kept, live}


async def test_a_round_goes_on_until_nothing_is_due_in_any_partition(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 2)
    ended = [await begun(client, SHORT, partition, ends=True) for partition in (0, 0, 0, 0, 0, 9, 15, 15, 15)]
    for execution_id in ended:
        await until(lambda it=execution_id: is_gone(client, it))  # type: ignore[misc]

    await Upkeep(client, SHORT).forget()

    assert [await entries(client, partition) for partition in (0, 9, 15)] == [[0, 0, 0]] * 3


async def test_an_entry_whose_execution_is_still_there_is_looked_at_again_later(client: Client) -> None:
    execution_id = await begun(client, LONG, 3, ends=True)
    entry = f"{execution_id} {PROGRAM.graph.workflow_id}"
    await client.zadd(keys.ended(3), {entry: 1})

    await Upkeep(client, LONG).forget()

    assert await entries(client, 3) == [1, 1, 1]
    score = await client.zscore(keys.ended(3), entry)
    assert score is not None
    assert score > 1


async def test_a_graph_that_a_waiting_execution_needs_is_prolonged_by_one_engine_a_round(client: Client) -> None:
    await begun(client, LONG, 3, ends=False)
    graph, unused = keys.graph(PROGRAM.digest), keys.graph("unused")
    await client.set(graph, b"graph", px=30_000)
    await client.set(unused, b"graph", px=30_000)

    await Upkeep(client, LONG).prolong()
    prolonged = await client.pttl(graph)
    await client.pexpire(graph, 30_000)
    await Upkeep(client, LONG).prolong()

    assert prolonged > 60_000
    assert await client.pttl(graph) <= 30_000
    assert await client.pttl(unused) <= 30_000


async def test_the_graph_of_a_saved_flow_is_kept_for_good_all_the_same(client: Client) -> None:
    await begun(client, LONG, 3, ends=False)
    await client.set(keys.graph(PROGRAM.digest), b"graph")

    await Upkeep(client, LONG).prolong()

    assert await client.pttl(keys.graph(PROGRAM.digest)) == -1


async def test_a_repeated_callback_of_an_execution_that_is_gone_brings_nothing_back(client: Client) -> None:
    store = RedisStore(client, "engine", 60_000, SHORT)
    partition = ids.partition_of_session("ATUid_1")
    state = first_state(PROGRAM, ids.new_execution_id(partition), {}, "ATUid_1", Overrides(), 0)
    marks, turn = TextMarks("mark", ()), turn_record(None, {})
    assert isinstance(await store.begin_turn("ATUid_1", marks, turn, state), TakenUp)
    await client.delete(keys.execution(partition, state.execution_id))

    again = await store.begin_turn("ATUid_1", marks, turn, None)

    assert isinstance(again, NoExecution)
    assert await is_gone(client, state.execution_id)
