"""Whatever is done to a session, the store in memory and the one in Redis say the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from launcher.valkey import ValkeyServer
from services.sessions.errors import SessionError
from services.sessions.listing import Filter
from services.sessions.memory_store import MemorySessionStore
from services.sessions.redis_store import RedisSessionStore
from services.sessions.session import Commit, DataChange, NewSession, ScopedChanges, SessionType
from services.sessions.store import SessionStore
from storage.connection import connect

HOUR_MS = 3_600_000
LIVES_MS = st.sampled_from([HOUR_MS, 5 * HOUR_MS, 20 * HOUR_MS])
"""Far enough from each other that the run time of a test makes no difference, and none runs out."""

Operation = Callable[[SessionStore, str], Awaitable[Any]]

session_ids = st.sampled_from(["a", "b"])
msisdns = st.sampled_from(["+254711000001", "+254722000002"])
flows = st.sampled_from(["flow1", "flow2"])
texts = st.sampled_from(["1", "null", "[]", "{}", '"é"', "12345678901234567890", '"' + "x" * 100_000 + '"'])
values = st.dictionaries(st.sampled_from(["", "k", "type", "ключ"]), texts, max_size=3)
changes = st.builds(DataChange, clear=st.booleans(), set_if_absent=values, set=values, ttl_ms=st.none() | LIVES_MS)
several = st.lists(changes, max_size=3)


@st.composite
def openings(draw: st.DrawFn) -> Operation:
    session_id, session_type = draw(session_ids), draw(st.none() | st.sampled_from(SessionType))
    msisdn, ttl_ms, data = draw(st.none() | msisdns), draw(LIVES_MS), draw(values)
    return lambda store, run: store.open(NewSession(run + session_id, session_type, _own(msisdn, run), ttl_ms, data))


@st.composite
def updates(draw: st.DrawFn) -> Operation:
    session_id, change, expected = draw(session_ids), draw(changes), draw(st.none() | st.integers(1, 4))
    return lambda store, run: store.update(run + session_id, change, expected)


@st.composite
def commits(draw: st.DrawFn) -> Operation:
    session_id = draw(session_ids)
    commit = draw(
        st.builds(
            Commit,
            commit_id=st.sampled_from(["c1", "c2", "c3"]),
            expected_version=st.integers(1, 4),
            changes=several,
            ttl_ms=st.none() | LIVES_MS,
            end=st.sampled_from([False, False, False, True]),
            scoped=st.builds(ScopedChanges, workflow_id=flows, in_workflow=several, in_all=several),
        )
    )
    return lambda store, run: store.commit(run + session_id, commit)


@st.composite
def smaller(draw: st.DrawFn) -> Operation:
    session_id, ttl_ms = draw(session_ids), draw(st.none() | LIVES_MS)
    msisdn, flow, session_type = draw(msisdns), draw(flows), draw(st.sampled_from(SessionType))
    active = draw(st.none() | st.booleans())
    operations: Sequence[Operation] = [
        lambda store, run: store.touch(run + session_id, ttl_ms),
        lambda store, run: store.end(run + session_id),
        lambda store, run: store.delete(run + session_id),
        lambda store, run: store.get(run + session_id),
        lambda store, run: store.find(_number(msisdn, run), session_type),
        lambda store, run: store.scoped(_number(msisdn, run), flow),
        lambda store, run: store.page(Filter(_number(msisdn, run), active=active), 1, None),
    ]
    return draw(st.sampled_from(operations))


def _number(msisdn: str, run: str) -> str:
    """Makes the number one that no other run has used."""
    return f"{msisdn}{run}"


def _own(msisdn: str | None, run: str) -> str | None:
    return None if msisdn is None else _number(msisdn, run)


async def outcome(operation: Operation, store: SessionStore, run: str) -> object:
    """What an operation came to; times as what is left, in hours."""
    try:
        result = await operation(store, run)
    except SessionError as error:
        return type(error), str(error), vars(error)
    return plain(result)


def plain(value: Any) -> object:
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if "expires_at_ms" in fields:
        hours = round((fields.pop("expires_at_ms") - fields.pop("last_activity_at_ms")) / HOUR_MS)
        return {**fields, "hours": hours, "created_at_ms": 0}
    if "created_at_ms" in fields:
        fields["created_at_ms"] = 0
    return {name: plain(each) for name, each in fields.items()}


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@asynccontextmanager
async def redis_store(url: str) -> AsyncIterator[RedisSessionStore]:
    client = connect(url)
    yield RedisSessionStore(client, HOUR_MS)
    await client.aclose()


runs = count()


@settings(max_examples=120)
@given(operations=st.lists(openings() | updates() | commits() | commits() | smaller(), min_size=3, max_size=25))
def test_random_operations_have_the_same_outcome(
    operations: Sequence[Operation], valkey_server: ValkeyServer, runner: asyncio.Runner
) -> None:
    run = f"{next(runs)}-"

    async def compare() -> None:
        memory = MemorySessionStore(HOUR_MS)
        async with redis_store(valkey_server.url) as redis:
            for operation in operations:
                expected = await outcome(operation, memory, run)
                assert await outcome(operation, redis, run) == expected
                # Creation times order a listing; both stores see the same order.
                await asyncio.sleep(0.001)

    runner.run(compare())


async def test_a_commit_in_memory_reads_the_clock_once() -> None:
    store = MemorySessionStore(retention_ms=0, now_ms=count(1).__next__)
    await store.open(NewSession("s", SessionType.USSD, None, 60_000, {}))

    session = (await store.commit("s", Commit("c1", 1, ttl_ms=40_000))).session

    assert session.expires_at_ms == session.last_activity_at_ms + 40_000
