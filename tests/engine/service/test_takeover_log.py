"""What the log says of executions that are due while Redis takes no writes."""

import asyncio
from contextlib import suppress
from typing import Any, cast

import structlog

from services.engine.core.ports import StoreUnavailable
from services.engine.executions.live_runs import LiveRuns
from services.engine.executions.takeover import watch_due
from services.engine.store.execution_store import ExecutionStore

LOOKS = 5


class Due:
    """A store that answers and takes no writes: a thousand executions are due, look after look."""

    room = 1000

    def __init__(self) -> None:
        self.looks = 0
        self.enough = asyncio.Event()

    async def due(self, limit: int) -> list[str]:
        self.looks += 1
        if self.looks > LOOKS:
            self.enough.set()
        return [f"exe_{number}" for number in range(limit)]

    async def take_over(self, _execution_id: str) -> None:
        raise StoreUnavailable("used memory > 'maxmemory'")


async def test_executions_that_cannot_be_taken_up_are_not_told_of_one_by_one() -> None:
    store = Due()
    with structlog.testing.capture_logs() as logs:
        watching = asyncio.create_task(watch_due(cast(LiveRuns, store), cast(ExecutionStore, store), 0.0))
        async with asyncio.timeout(30):
            await store.enough.wait()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    told: list[Any] = [entry for entry in logs if entry["event"] == "cannot take up due executions"]
    assert 1 <= len(told) <= LOOKS
    assert told[0]["why"] == "used memory > 'maxmemory'"
    assert told[0]["execution_id"] == "exe_0"
