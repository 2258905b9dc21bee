"""Calls of the engine that outlive an engine which ends."""

import asyncio
from typing import Any

import grpc
import pytest

from services.at_adapter.callbacks import engine
from services.at_adapter.callbacks.engine import call_engine

REPEATS = 0.2


class Engines:
    """Engines that end one after the other; the last one answers."""

    def __init__(self, *seconds_until_each_ends: float) -> None:
        self.left = [*seconds_until_each_ends]

    async def call(self, request: str, timeout: float) -> str:
        if not self.left:
            return f"answer to {request}"
        await asyncio.sleep(self.left.pop(0))
        no_metadata: Any = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, no_metadata, no_metadata)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "REPEAT_WITHIN_SECONDS", REPEATS)


async def test_who_waited_for_an_engine_that_ends_is_answered_by_the_next_one() -> None:
    assert await call_engine(Engines(2 * REPEATS).call, "dial", 10 * REPEATS) == "answer to dial"


async def test_engines_that_stay_away_are_asked_only_for_so_long() -> None:
    engines = Engines(*[0.0] * 100)
    with pytest.raises(grpc.aio.AioRpcError):
        await call_engine(engines.call, "dial", 10 * REPEATS)
    assert len(engines.left) > 90
