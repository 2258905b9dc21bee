"""
Starts flows at their times. Every engine looks; a time is named in the id of its execution, so it counts once.

The next time of a published flow stands in one sorted set. It moves on only once the execution is recorded, so a time
is never lost: what cannot be started now (a flow that is full, a store that is away) is started at a later look.
"""

import asyncio
from collections.abc import Callable

import structlog

from services.engine import ids
from services.engine.core.ports import StoreUnavailable
from services.engine.core.timestamps import timestamp
from services.engine.errors import EngineError, WorkflowNotFound
from services.engine.executions.executions import Executions
from services.engine.flows.registry import Registry
from services.engine.store import keys
from services.engine.store.redis.calls import answer_of
from services.engine.store.scripts import script
from storage.connection import Client
from storage.outages import Outage

_ADVANCE = script("advance_schedule")

_log = structlog.get_logger()


class Schedules:
    """`now_ms` is Unix time."""

    def __init__(self, client: Client, registry: Registry, executions: Executions, now_ms: Callable[[], int]) -> None:
        self._client = client
        self._registry = registry
        self._executions = executions
        self._now_ms = now_ms
        self._held_up: dict[str, Outage] = {}

    async def watch(self, interval_seconds: float) -> None:
        """Starts what is due, until it is cancelled."""
        outage = Outage("cannot look for scheduled flows")
        while True:
            try:
                await self.look()
                outage.is_over()
            except StoreUnavailable as problem:
                outage.goes_on(why=str(problem))
            except Exception:  # noqa: BLE001 - this loop must go on whatever one look meets
                _log.exception("looking for scheduled flows failed")
            await asyncio.sleep(interval_seconds)

    async def look(self) -> None:
        """Starts every flow whose time has come. Raises StoreUnavailable."""
        # All of them, which are never more than there are published flows: those that are held up stay the first ones,
        # and would keep the others out of a part.
        due = await answer_of(
            self._client.zrange(keys.SCHEDULES, "-inf", self._now_ms(), byscore=True, withscores=True)
        )
        held_up, self._held_up = self._held_up, {}
        for name, planned_ms in due:
            workflow_id = name.decode()
            try:
                await self._run(workflow_id, int(planned_ms))
            except EngineError as refusal:
                outage = held_up.get(workflow_id) or Outage("a scheduled flow cannot be started now")
                outage.goes_on(workflow_id=workflow_id, why=str(refusal))
                self._held_up[workflow_id] = outage
            except StoreUnavailable:
                raise
            except Exception:  # noqa: BLE001 - one flow must not keep the others waiting
                _log.exception("starting a scheduled flow failed", workflow_id=workflow_id)

    async def _run(self, workflow_id: str, planned_ms: int) -> None:
        try:
            flow = await self._registry.get(workflow_id, 0)
        except WorkflowNotFound:
            return
        program = await self._registry.program_of(flow)
        schedule = program.trigger_type.schedule(program.trigger_config)
        if flow.published_version != flow.version or schedule is None:
            # Unpublished, or published anew, since it was looked for.
            return
        now = self._now_ms()
        time_ms = schedule.to_run(planned_ms, now)
        if time_ms is None:
            _log.warning("a scheduled time was missed", workflow_id=workflow_id, scheduled_at=timestamp(planned_ms))
        else:
            cause = f"schedule:{workflow_id}:{time_ms}"
            payload = {"scheduledAt": timestamp(time_ms), "cronExpression": schedule.cron}
            await self._executions.start(program, payload, ids.execution_id_for(cause, ids.partition_of(cause)))
        following = schedule.after(now if time_ms is None else time_ms)
        await answer_of(
            _ADVANCE.run(
                self._client,
                [keys.SCHEDULES, keys.registered(workflow_id)],
                [
                    workflow_id,
                    planned_ms,
                    "" if following is None else following,
                    0 if time_ms is None else 1,
                    "" if schedule.most is None else schedule.most,
                ],
            )
        )
