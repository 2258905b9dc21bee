"""Lists executions over all partitions, newest first."""

import heapq
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from services.engine import ids
from services.engine.core.state import ExecutionState
from services.engine.store import keys, records
from services.engine.store.execution_store import MAX_SCANNED, Cursor, Filter
from storage.batches import answers_of
from storage.connection import Client

MOST_IN_ONE_MS = 100
"""Executions of one partition that may start in one millisecond without being missed where a page ends among them."""

_PLACE = attrgetter("at_ms", "id")
"""As cursors are ordered; of thousands of them quicker than they compare themselves."""


async def list_executions(
    client: Client, wanted: Filter, limit: int, after: Cursor | None
) -> tuple[Sequence[ExecutionState], Cursor | None]:
    """Returns a page and where the next one begins, None when there is none."""
    found: list[ExecutionState] = []
    scanned = 0
    while True:
        batch = await _newest(client, wanted, limit + 1, after)
        if not batch:
            return found, None
        states = await _states(client, [cursor.id for cursor in batch[:limit]])
        for cursor in batch[:limit]:
            state = states.get(cursor.id)
            if state is not None and (wanted.status is None or state.status == wanted.status):
                found.append(state)
            after = cursor
            scanned += 1
            if len(found) == limit:
                return found, after if len(batch) > limit or cursor != batch[-1] else None
        if len(batch) <= limit:
            return found, None
        if scanned >= MAX_SCANNED:
            return found, after


async def _newest(client: Client, wanted: Filter, limit: int, after: Cursor | None) -> list[Cursor]:
    """The newest executions behind the cursor, whatever their status."""
    highest: Any = "+inf" if wanted.until_ms is None else f"({wanted.until_ms}"
    if after is not None:
        highest = after.at_ms
    lowest: Any = "-inf" if wanted.from_ms is None else wanted.from_ms
    pipeline = client.pipeline(transaction=False)
    for partition in range(ids.PARTITIONS):
        key, most = keys.executions(partition, wanted.workflow_id), limit + MOST_IN_ONE_MS
        pipeline.zrevrangebyscore(key, highest, lowest, start=0, num=most, withscores=True)
    groups = await answers_of(pipeline)
    started = (Cursor(int(score), execution_id.decode()) for group in groups for execution_id, score in group)
    behind = (cursor for cursor in started if after is None or cursor < after)
    return heapq.nlargest(limit, behind, key=_PLACE)


async def _states(client: Client, execution_ids: Sequence[str]) -> dict[str, ExecutionState]:
    """States by id; executions whose retention is over are missing."""
    pipeline = client.pipeline(transaction=False)
    for execution_id in execution_ids:
        partition = ids.partition_of_execution(execution_id)
        assert partition is not None
        pipeline.hget(keys.execution(partition, execution_id), "state")
    found = await answers_of(pipeline)
    return {
        execution_id: records.state_from_bytes(state)
        for execution_id, state in zip(execution_ids, found, strict=True)
        if state is not None
    }
