"""A store that is away is told of, without a flood."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from launcher.valkey import free_port
from storage import outages
from storage.connection import connect


@pytest.fixture
def events() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


async def test_a_redis_that_is_away_is_named_once_and_without_its_password(events: list[Any]) -> None:
    port = free_port()
    client = connect(f"redis://:secret@127.0.0.1:{port}/0")
    store = outages.Store(client, f"redis://:secret@127.0.0.1:{port}/0")
    for _ in range(5):
        assert not await store.answers()
    await client.aclose()
    (event,) = events
    assert event["event"] == "Redis does not answer: start it or set NJIA_REDIS_URL"
    assert event["address"] == f"127.0.0.1:{port}"
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
    assert [event["log_level"] for event in events] == ["warning"] * 4 + ["info"]
