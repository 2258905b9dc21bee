"""What the outside reports of effects, in Redis."""

from collections.abc import Sequence

from services.engine.core.ports import Entry
from services.engine.store import keys, records
from services.engine.store.execution_store import OpenEffect, Report
from services.engine.store.lifetimes import (
    MAX_REPORTED,
    MAX_REPORTS,
    MAX_UNMATCHED,
    MOST_FOLLOW_UPS,
    UNSETTLED_GRACE_MS,
    Retention,
)
from services.engine.store.redis import clock
from services.engine.store.redis.calls import redis_calls
from storage.batches import Call, answers_of, run_in_stages
from storage.connection import Client


class RedisReports:
    """A part of RedisStore."""

    _client: Client
    _retention: Retention

    async def report(self, report: Report) -> str | None:
        name = report.name
        with redis_calls():
            # The report stands there before we look for the execution: one of the two that note these sees the other.
            _, [found] = await run_in_stages(
                self._client,
                [
                    ("RPUSH", keys.reports(name), records.report_to_bytes(report)),
                    ("LTRIM", keys.reports(name), -MAX_REPORTS, -1),
                    ("PEXPIRE", keys.reports(name), self._retention.shared_ms),
                ],
                [("GET", keys.correlation(name))],
            )
            if isinstance(found, bytes):
                return found.decode()
            await self._keep_unknown(report)
        return None

    async def _keep_unknown(self, report: Report) -> None:
        """Keeps whom it was reported of: a send without an answer may wait for it, and the person may be erased."""
        calls: list[Call] = []
        if report.about is not None:
            key = keys.unmatched(report.about)
            calls += [
                ("ZADD", key, report.received_at_ms, report.message_id),
                ("ZREMRANGEBYRANK", key, 0, -1 - MAX_UNMATCHED),
                ("PEXPIRE", key, self._retention.unmatched_ms),
            ]
        if not report.number:
            await run_in_stages(self._client, calls)
            return
        key = keys.reported(f"{report.channel}:{report.number}")
        calls += [
            ("ZADD", key, report.received_at_ms, report.message_id),
            ("PEXPIRE", key, self._retention.shared_ms),
            ("ZREMRANGEBYSCORE", key, "-inf", clock.now_ms() - self._retention.shared_ms),
            ("ZRANGE", key, 0, -1 - MAX_REPORTED),
        ]
        [[*_, surplus]] = await run_in_stages(self._client, calls)
        if surplus:
            forgotten = [("UNLINK", keys.reports(f"{report.channel}:{old.decode()}")) for old in surplus]
            await run_in_stages(self._client, [*forgotten, ("ZREM", key, *surplus)])

    async def correlated(self, name: str) -> str | None:
        with redis_calls():
            found = await self._client.get(keys.correlation(name))
        return found.decode() if isinstance(found, bytes) else None

    async def unmatched(self, name: str) -> Sequence[Report]:
        with redis_calls():
            members = await self._client.zrangebyscore(
                keys.unmatched(name), clock.now_ms() - self._retention.unmatched_ms, "+inf"
            )
            message_ids = [bytes(member).decode() for member in members if isinstance(member, bytes)]
            channel = name.partition(":")[0]
            pipeline = self._client.pipeline(transaction=False)
            for message_id in message_ids:
                pipeline.get(keys.correlation(f"{channel}:{message_id}"))
                pipeline.lindex(keys.reports(f"{channel}:{message_id}"), -1)
            found = await answers_of(pipeline) if message_ids else []
        known, reports = found[::2], found[1::2]
        return [
            records.report_from_bytes(report)
            for execution, report in zip(known, reports, strict=True)
            if execution is None and report is not None
        ]

    async def unsettled(self, name: str, since_ms: int) -> Sequence[OpenEffect]:
        with redis_calls():
            members = await self._client.zrangebyscore(keys.unsettled(name), since_ms, "+inf", start=0, num=2)
        return [OpenEffect(*member.decode().split(" ")) for member in members if isinstance(member, bytes)]

    async def settled(self, name: str, effect: OpenEffect) -> None:
        with redis_calls():
            await self._client.zrem(keys.unsettled(name), _member(effect))


def expectations(entry: Entry, retention: Retention) -> Sequence[Call]:
    """Returns the commands that let an execution be found: by reports, by dials, by what follows its end."""
    execution_id = entry.state.execution_id
    found_by: list[Call] = [
        ("SET", keys.correlation(name), execution_id, "PX", retention.shared_ms) for name in entry.correlations
    ]
    for unsettled in entry.unsettled:
        key = keys.unsettled(unsettled.name)
        until = entry.state.waits[unsettled.node_id].expires_at_ms
        effect = OpenEffect(execution_id, unsettled.node_id)
        found_by += [
            ("ZREMRANGEBYSCORE", key, "-inf", clock.now_ms()),
            ("ZADD", key, until, _member(effect)),
            ("PEXPIREAT", key, until + UNSETTLED_GRACE_MS),
        ]
    if entry.follow_at_ms is not None:
        found_by += [
            ("ZADD", keys.FOLLOW_UPS, entry.follow_at_ms, execution_id),
            ("ZREMRANGEBYRANK", keys.FOLLOW_UPS, 0, -1 - MOST_FOLLOW_UPS),
        ]
    return found_by


def _member(effect: OpenEffect) -> str:
    return f"{effect.execution_id} {effect.node_id}"
