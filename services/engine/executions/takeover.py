"""Looks after leases and timers: keeps those of this engine, takes up what is due."""

import asyncio

import structlog

from services.engine.core.ports import StoreUnavailable
from services.engine.executions.live_runs import LiveRuns
from services.engine.store.execution_store import ExecutionStore
from storage.outages import Outage

BATCH = 100
"""Executions that are taken up in one look."""

RENEWALS_PER_LEASE = 3

TURNS_INTERVAL_SECONDS = 0.1
"""How often turns that another engine recorded are looked for."""

_log = structlog.get_logger()


async def watch_due(runs: LiveRuns, store: ExecutionStore, interval_seconds: float) -> None:
    """Takes up executions whose timer is due or whose engine died, until it is cancelled."""
    outage = Outage("cannot look for due executions")
    # One for all of them: what is due is due again with the next look, and there may be thousands.
    refused = Outage("cannot take up due executions")
    while True:
        limit = min(BATCH, runs.room)
        try:
            due = await store.due(limit) if limit else ()
            outage.is_over()
        except StoreUnavailable as problem:
            outage.goes_on(why=str(problem))
            due = ()
        except Exception:  # noqa: BLE001 - this loop must go on whatever one look meets
            _log.exception("looking for due executions failed")
            due = ()
        for execution_id in due:
            await _take_over(runs, execution_id, refused)
        await asyncio.sleep(interval_seconds)


async def _take_over(runs: LiveRuns, execution_id: str, refused: Outage) -> None:
    """One execution that cannot be taken up must not keep the others waiting."""
    try:
        # Finished even when this loop is cancelled: a lease that was taken would be held by nobody.
        await asyncio.shield(runs.take_over(execution_id))
        refused.is_over()
    except StoreUnavailable as problem:
        refused.goes_on(execution_id=execution_id, why=str(problem))
    except Exception:  # noqa: BLE001 - see above
        _log.exception("taking up a due execution failed", execution_id=execution_id)


async def watch_turns(runs: LiveRuns, store: ExecutionStore) -> None:
    """
    Hands in what came in through another engine for an execution whose nodes still run here, until it is cancelled.

    Such a node (an SMS behind a screen) must not delay the next screen. Nothing is read while there is none.
    """
    outage = Outage("cannot look for new turns")
    while True:
        await asyncio.sleep(TURNS_INTERVAL_SECONDS)
        listening = runs.listening()
        if not listening:
            continue
        try:
            behind = await store.turns_behind(listening)
            outage.is_over()
        except StoreUnavailable as problem:
            outage.goes_on(why=str(problem))
            continue
        except Exception:  # noqa: BLE001 - see above
            _log.exception("looking for new turns failed")
            continue
        for execution_id, turns in behind.items():
            runs.deliver(execution_id, turns)


async def keep_leases(runs: LiveRuns, store: ExecutionStore, lease_ms: int) -> None:
    """Prolongs the leases of what runs here, until it is cancelled."""
    outage = Outage("cannot prolong leases")
    while True:
        await asyncio.sleep(lease_ms / 1000 / RENEWALS_PER_LEASE)
        try:
            await store.renew(runs.ids())
            outage.is_over()
        except StoreUnavailable as problem:
            outage.goes_on(why=str(problem))
        except Exception:  # noqa: BLE001 - see above
            _log.exception("prolonging leases failed")
