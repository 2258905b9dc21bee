"""
What follows executions that failed, in Redis: noted before the end is written, forgotten once it is done.

An execution that is noted and turns out not to have ended is looked at again later: the engine that noted it died
before it could write the end, and another one goes on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.engine import ids
from services.engine.core import failing
from services.engine.core.ports import StoreUnavailable
from services.engine.core.program import Program
from services.engine.errors import EngineBusy, FlowBusy
from services.engine.executions.error_webhooks import ErrorWebhooks
from services.engine.executions.executions import Executions
from services.engine.executions.live_runs import LiveRuns
from services.engine.store import keys
from services.engine.store.execution_store import ExecutionStore, Stored
from services.engine.store.redis.calls import answer_of
from services.engine.store.scripts import script
from storage.batches import run_in_stages
from storage.connection import Client
from storage.outages import Outage

LOOK_SECONDS = 0.5
AT_ONCE = 20
"""So many are done at once in one process."""

LEASE_MS = 60_000
"""What an engine has taken and not done in this time, another one does. Longer than one delivery takes."""

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 5000, 1_800_000
"""Pause after the first try that failed; it doubles with each."""

MOST_TRIES = 12
"""Over some two hours; then it is given up, and the log says so."""

COUNTS_LIFE_MS = 24 * 3600 * 1000

_CLAIM = script("claim_follow_up")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Again:
    """It is to be tried once more. `why` has no phone number in it."""

    why: str


class FollowUps:
    """Does what follows; `serve` must run. `now_ms` is Unix time."""

    def __init__(
        self,
        client: Client,
        store: ExecutionStore,
        runs: LiveRuns,
        executions: Executions,
        error_webhooks: ErrorWebhooks,
        now_ms: Callable[[], int],
    ) -> None:
        self._client = client
        self._store = store
        self._runs = runs
        self._executions = executions
        self._error_webhooks = error_webhooks
        self._now_ms = now_ms

    async def serve(self) -> None:
        """Does what is due, until it is cancelled."""
        outage = Outage("cannot look for what must follow failed executions")
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                due = await self._due()
                outage.is_over()
            except StoreUnavailable as problem:
                outage.goes_on(why=str(problem))
                continue
            await asyncio.gather(*(self._take(execution_id) for execution_id in due))

    async def _take(self, execution_id: str) -> None:
        """One that cannot be done must not keep the others waiting; its lease brings it back."""
        try:
            tries = await self._claimed(execution_id)
            if tries:
                await self._settle(execution_id, tries, await self._followed(execution_id))
        except StoreUnavailable as problem:
            _log.warning("what follows a failed execution waits", execution_id=execution_id, why=str(problem))
        except Exception:  # noqa: BLE001 - see above
            _log.exception("what follows a failed execution met a defect", execution_id=execution_id)

    async def _followed(self, execution_id: str) -> Again | None:
        """A defect counts as a try, so that it is not met for ever."""
        try:
            return await self._follow(execution_id)
        except StoreUnavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - see above
            _log.exception("what follows a failed execution met a defect", execution_id=execution_id)
            return Again(f"it met a defect ({type(problem).__name__})")

    async def _follow(self, execution_id: str) -> Again | None:
        """Does what follows; returns why it is to be tried again, None once it is done."""
        stored = await self._store.read(execution_id)
        if stored is None:
            return None
        if not stored.state.ended:
            return Again("the execution has not ended")
        program = await self._runs.program_of(stored.state)
        if failing.restarts_left(program, stored.state):
            return await self._restart(program, stored)
        if failing.is_to_be_told(program, stored.state):
            why = await self._error_webhooks.tell(program, stored)
            return None if why is None else Again(why)
        return None

    async def _restart(self, program: Program, stored: Stored) -> Again | None:
        """Starts the flow again with what started it, once, however often this is called."""
        state = stored.state
        turns = (await self._store.turns_behind({state.execution_id: 0}))[state.execution_id]
        partition = ids.partition_of_execution(state.execution_id)
        if not turns or partition is None or state.restarted is None:
            return None
        execution_id = ids.execution_id_for(f"restart:{state.execution_id}", partition)
        try:
            await self._executions.start(program, turns[0].payload, execution_id, restarted=state.restarted + 1)
        except (EngineBusy, FlowBusy) as problem:
            return Again(str(problem))
        _log.info("a flow that failed is started again", execution_id=state.execution_id, as_execution=execution_id)
        return None

    async def _settle(self, execution_id: str, tries: int, again: Again | None) -> None:
        if again is not None and tries < MOST_TRIES:
            pause_ms = min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS)
            await answer_of(self._client.zadd(keys.FOLLOW_UPS, {execution_id: self._now_ms() + pause_ms}, xx=True))
            return
        if again is not None:
            _log.error("what follows a failed execution is given up", execution_id=execution_id, why=again.why)
        await answer_of(
            run_in_stages(
                self._client, [("ZREM", keys.FOLLOW_UPS, execution_id), ("HDEL", keys.FOLLOW_UP_TRIES, execution_id)]
            )
        )

    async def _due(self) -> list[str]:
        found = await answer_of(
            self._client.zrangebyscore(keys.FOLLOW_UPS, "-inf", self._now_ms(), start=0, num=AT_ONCE)
        )
        return [member.decode() for member in found]

    async def _claimed(self, execution_id: str) -> int:
        now = self._now_ms()
        tries: int = await answer_of(
            _CLAIM.run(
                self._client,
                [keys.FOLLOW_UPS, keys.FOLLOW_UP_TRIES],
                [execution_id, now, now + LEASE_MS, COUNTS_LIFE_MS],
            )
        )
        return tries
