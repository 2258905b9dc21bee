"""What the outside reports of sends, and how it settles those whose answer was lost."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict

import structlog

from services.engine.core.ports import StoreUnavailable
from services.engine.core.state import Signal
from services.engine.errors import EngineBusy
from services.engine.executions.beginnings import signal_record
from services.engine.executions.live_runs import LiveRuns
from services.engine.store.execution_store import ExecutionStore, OpenEffect, Report
from workflow.outcome import Settlement

GRACE_MS = 1000
"""
A report of a message that nobody knows may be of one whose send is being written down at this moment: it settles
nothing until so much later.
"""

MOST_LOOKED_AT_LATER = 1000
"""Reports that wait for GRACE_MS at once; those beyond are looked at when a send is about to be repeated."""

_log = structlog.get_logger()


class EarlyReports:
    """See services.engine.core.ports.Reports. `now_ms` is Unix time."""

    def __init__(self, store: ExecutionStore, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms

    async def early(self, execution_id: str, node_id: str, names: Sequence[str]) -> Settlement | None:
        """Returns what was reported of a message that nobody knows to one of these, if exactly one fits."""
        own = OpenEffect(execution_id, node_id)
        until_ms = self._now_ms() - GRACE_MS
        reports = [(name, report) for name in names for report in await self._store.unmatched(name)]
        found = [(name, report) for name, report in reports if report.received_at_ms <= until_ms]
        if len(found) != 1:
            return None
        name, report = found[0]
        others = [effect for effect in await self._store.unsettled(name, report.received_at_ms) if effect != own]
        return None if others else _settlement(name, report)


class DeliveryReports:
    """Joins delivery reports to the executions that sent the messages; `serve` must run for those of unknown ones."""

    def __init__(self, store: ExecutionStore, runs: LiveRuns) -> None:
        self._store = store
        self._runs = runs
        self._unknown: asyncio.Queue[tuple[float, Report]] = asyncio.Queue(MOST_LOOKED_AT_LATER)

    async def take(self, report: Report) -> str | None:
        """
        Keeps a report; returns the execution that it is for, None when that is not known.

        A message that nobody knows may be one whose answer was lost: that is looked at a little later. It is kept for
        as long as such a send waits, so nothing is lost where this process ends before.
        """
        execution_id = await self._store.report(report)
        if execution_id is None and report.about is not None:
            with suppress(asyncio.QueueFull):
                self._unknown.put_nowait((time.monotonic() + GRACE_MS / 1000, report))
        return execution_id

    async def serve(self) -> None:
        """Settles sends whose answer was lost, until it is cancelled."""
        while True:
            due, report = await self._unknown.get()
            await asyncio.sleep(due - time.monotonic())
            try:
                await self._settle(report)
            except (StoreUnavailable, EngineBusy) as problem:
                _log.warning("a delivery report is looked at again before its send is repeated", why=str(problem))
            except Exception:  # noqa: BLE001 - one report must not keep the others waiting
                _log.exception("settling a send by its delivery report failed")

    async def _settle(self, report: Report) -> None:
        """Settles the send that a report is about, if it can be of one open send only and nobody knows its id."""
        name = report.about
        assert name is not None, "a report that is about nothing settles nothing"
        effects = await self._store.unsettled(name, report.received_at_ms)
        if len(effects) != 1 or await self._store.correlated(report.name) is not None:
            return
        effect = effects[0]
        record = signal_record(Signal.REPORT, asdict(_settlement(name, report)), effect.node_id)
        # A report that comes again meanwhile is ignored by the node: it waits no more.
        await self._runs.signal(effect.execution_id, record)
        await self._store.settled(name, effect)


def _settlement(name: str, report: Report) -> Settlement:
    return Settlement(name, report.message_id, report.status)
