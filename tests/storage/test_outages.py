"""A store that is away is told of, without a flood."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

from launcher.valkey import free_port
from storage import outages
from storage.connection import Client, connect


@pytest.fixture
def events() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    async with connect(redis_url) as connected:
        yield connected


async def test_a_redis_that_is_away_is_named_once_and_without_its_password(events: list[Any]) -> None:
    port = free_port()
    client = connect(f"redis://:secret@127.0.0.1:{port}/0")
    store = outages.Store(client, f"redis://:secret@127.0.0.1:{port}/0")
    for _ in range(5):
        assert not await store.answers()
    await client.aclose()
    (event,) = events
    assert event["event"] == "Redis does not do its work"
    assert event["address"] == f"127.0.0.1:{port}"
    assert event["what_to_do"] == "start it or set NJIA_REDIS_URL"
    assert "secret" not in str(event)


async def test_a_redis_that_is_full_is_told_of_though_it_answers(
    client: Client, redis_url: str, events: list[Any]
) -> None:
    store = outages.Store(client, redis_url)
    assert await store.answers()
    await client.config_set("maxmemory", "1")
    try:
        assert not await store.answers()
    finally:
        await client.config_set("maxmemory", "0")
    assert await store.answers()
    full, over = events
    assert "maxmemory" in full["why"]
    assert full["what_to_do"].startswith("give it memory or disk")
    assert over["event"] == "this is over"


async def test_a_replica_is_no_store(client: Client, redis_url: str, events: list[Any]) -> None:
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert not await outages.Store(client, redis_url).answers()
    finally:
        await client.execute_command("REPLICAOF", "NO", "ONE")
    (event,) = events
    assert "replica" in event["why"]
    assert "name its primary" in event["what_to_do"]


async def test_a_refused_password_is_told_of_as_that(redis_url: str, events: list[Any]) -> None:
    url = redis_url.replace("redis://", "redis://someone:secret@")
    client = connect(url)
    assert not await outages.Store(client, url).answers()
    await client.aclose()
    (event,) = events
    assert event["what_to_do"].startswith("set the user and the password")
    assert "secret" not in str(event)


def test_an_outage_is_told_ever_more_rarely_and_once_when_it_is_over(
    events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("storage.outages.time.monotonic", lambda: now)
    outage = outages.Outage("gone")
    told_at = []
    for _ in range(100):
        before = len(events)
        outage.goes_on()
        if len(events) > before:
            told_at.append(now - 1000)
        now += 1
    outage.is_over()
    outage.is_over()
    assert told_at == [0, 10, 30, 70]
    assert [event.get("untold") for event in events] == [None, 9, 19, 39, None]
    assert [event["log_level"] for event in events] == ["warning"] * 4 + ["info"]


def test_what_was_quiet_for_long_is_told_of_as_often_as_at_first(
    events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("storage.outages.time.monotonic", lambda: now)
    outage = outages.Outage("gone")
    for now in (1000.0, 1010.0, 1030.0, 5000.0, 5001.0, 5010.0):
        outage.goes_on(at=now)
    assert [event["at"] for event in events] == [1000, 1010, 1030, 5000, 5010]
