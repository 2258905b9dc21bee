"""What is read of executions in Redis."""

from collections.abc import Mapping, Sequence

from services.engine import ids
from services.engine.core.state import ExecutionState, NodeResult, Turn
from services.engine.store import keys, records
from services.engine.store.execution_store import Cursor, Filter, Stored
from services.engine.store.redis import clock
from services.engine.store.redis.calls import redis_calls
from services.engine.store.redis.leases import partition_of
from services.engine.store.redis.listing import list_executions
from storage.batches import answers_of
from storage.connection import Client


class RedisReading:
    """A part of RedisStore."""

    _client: Client

    async def turns_behind(self, seen: Mapping[str, int]) -> Mapping[str, Sequence[Turn]]:
        with redis_calls():
            pipeline = self._client.pipeline(transaction=False)
            for execution_id, count in seen.items():
                pipeline.lrange(keys.turns(partition_of(execution_id), execution_id), count, -1)
            found = await answers_of(pipeline)
        return {
            execution_id: [records.turn_from_bytes(turn, count + index) for index, turn in enumerate(turns, start=1)]
            for (execution_id, count), turns in zip(seen.items(), found, strict=True)
        }

    async def due(self, limit: int) -> Sequence[str]:
        now = clock.now_ms()
        with redis_calls():
            pipeline = self._client.pipeline(transaction=False)
            for partition in range(ids.PARTITIONS):
                pipeline.zrangebyscore(keys.due(partition), "-inf", now, start=0, num=limit, withscores=True)
            found = await answers_of(pipeline)
        by_time = sorted((time_ms, execution_id) for group in found for execution_id, time_ms in group)
        return [execution_id.decode() for _, execution_id in by_time[:limit]]

    async def read(self, execution_id: str) -> Stored | None:
        partition = ids.partition_of_execution(execution_id)
        if partition is None:
            return None
        with redis_calls():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(keys.execution(partition, execution_id), "state")
            pipeline.lrange(keys.results(partition, execution_id), 0, -1)
            pipeline.lrange(keys.correlations(partition, execution_id), 0, -1)
            pipeline.get(keys.resumed(partition, execution_id))
            state, results, names, resumed = await answers_of(pipeline)
            if state is None:
                return None if resumed is None else await self.read(resumed.decode())
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.lrange(keys.reports(name.decode()), 0, -1)
            reports = [report for group in await answers_of(pipeline) for report in group]
        return Stored(
            records.state_from_bytes(state),
            [records.result_from_bytes(result) for result in results],
            [records.report_from_bytes(report) for report in reports],
        )

    async def results_behind(self, execution_id: str, seen: int) -> tuple[ExecutionState, Sequence[NodeResult]] | None:
        partition = ids.partition_of_execution(execution_id)
        if partition is None:
            return None
        with redis_calls():
            # The state first: whatever it counts as done is among the results that are read behind it.
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(keys.execution(partition, execution_id), "state")
            pipeline.lrange(keys.results(partition, execution_id), seen, -1)
            state, results = await answers_of(pipeline)
        if state is None:
            return None
        return records.state_from_bytes(state), [records.result_from_bytes(result) for result in results]

    async def page(
        self, wanted: Filter, limit: int, after: Cursor | None
    ) -> tuple[Sequence[ExecutionState], Cursor | None]:
        with redis_calls():
            return await list_executions(self._client, wanted, limit, after)
