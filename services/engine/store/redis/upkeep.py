"""
What keeps Redis from growing, and what waits from losing anything.

Executions expire by themselves, their entries in the indexes do not: `forget` takes them out. Graphs, correlations and
reports lie in other slots than the executions that need them, so they cannot expire with them: they live for a while
after their last use, and `prolong` counts waiting as use. Any number of engines may do both at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from services.engine import ids
from services.engine.store import keys, records
from services.engine.store.lifetimes import Retention
from services.engine.store.scripts import script
from storage.batches import answers_of, run_in_stages
from storage.connection import Client, StoreUnavailable, store_errors
from storage.scripts import ScriptCall

FORGET_SECONDS = 60.0
"""How often the indexes are looked at: one trip to Redis where nothing is due."""

BATCH = 200
"""Entries of one partition that are looked at in one go; a round goes on until fewer are due."""

_FORGET = script("prelude", "forget")

_log = structlog.get_logger()


class Upkeep:
    """See above. `forget` and `prolong` raise StoreUnavailable."""

    def __init__(self, client: Client, retention: Retention) -> None:
        self._client = client
        self._retention = retention

    async def keep_forgetting(self) -> None:
        """Forgets from time to time until it is cancelled."""
        await _every(min(FORGET_SECONDS, self._retention.prolonged_every_ms / 1000), self.forget)

    async def keep_prolonging(self) -> None:
        """Prolongs from time to time until it is cancelled."""
        await _every(self._retention.prolonged_every_ms / 1000, self.prolong)

    async def forget(self) -> None:
        """Takes executions whose retention is over out of the indexes."""
        partitions: Sequence[int] = range(ids.PARTITIONS)
        while partitions:
            calls = [ScriptCall(_FORGET, [keys.ended(it)], [keys.prefix(it), BATCH]) for it in partitions]
            with store_errors():
                [looked_at] = await run_in_stages(self._client, calls)
            partitions = [it for it, count in zip(partitions, looked_at, strict=True) if count == BATCH]

    async def prolong(self) -> None:
        """Prolongs the lives of what executions need that have not ended, once an interval over all engines."""
        with store_errors():
            ours = await self._client.set(keys.PROLONGED, "1", px=self._retention.prolonged_every_ms, nx=True)
            if not ours:
                return
            for partition in range(ids.PARTITIONS):
                cursor: int | None = None
                while cursor != 0:
                    # Whatever has not ended is due at some time: at the end of its wait, or of its lease.
                    scanned: Any = await self._client.zscan(keys.due(partition), cursor or 0, count=BATCH)
                    cursor, entries = scanned
                    await self._prolong(partition, [execution_id.decode() for execution_id, _ in entries])

    async def _prolong(self, partition: int, execution_ids: Sequence[str]) -> None:
        if not execution_ids:
            return
        pipeline = self._client.pipeline(transaction=False)
        for execution_id in execution_ids:
            pipeline.hget(keys.execution(partition, execution_id), "state")
            pipeline.lrange(keys.correlations(partition, execution_id), 0, -1)
        found = await answers_of(pipeline)
        needed = {keys.graph(records.state_from_bytes(state).graph_digest) for state in found[::2] if state is not None}
        for name in {name.decode() for names in found[1::2] for name in names}:
            needed |= {keys.correlation(name), keys.reports(name)}
        pipeline = self._client.pipeline(transaction=False)
        for key in needed:
            # A graph that is kept for good stays so: GT knows no longer life.
            pipeline.pexpire(key, self._retention.shared_ms, gt=True)
        if needed:
            await answers_of(pipeline)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except StoreUnavailable as problem:
            _log.warning("the upkeep of executions has to wait", why=problem.why)
        except Exception:  # noqa: BLE001 - what grows must be told of, and must not end the engine
            _log.exception("the upkeep of executions failed")
        await asyncio.sleep(seconds)
