"""What the outside reports of sends, and how it settles those whose answer was lost."""

from collections.abc import Sequence
from dataclasses import asdict

from services.engine.beginnings import signal_record
from services.engine.core.state import Signal
from services.engine.live_runs import LiveRuns
from services.engine.store import ExecutionStore, Report
from workflow.outcome import Settlement


class EarlyReports:
    """See services.engine.core.ports.Reports."""

    def __init__(self, store: ExecutionStore) -> None:
        self._store = store

    async def early(self, names: Sequence[str]) -> Settlement | None:
        """Returns what was reported of a message that nobody knows to one of these, if exactly one fits."""
        found = [(name, report) for name in names for report in await self._store.unmatched(name)]
        return _settlement(*found[0]) if len(found) == 1 else None


class DeliveryReports:
    """Joins delivery reports to the executions that sent the messages."""

    def __init__(self, store: ExecutionStore, runs: LiveRuns) -> None:
        self._store = store
        self._runs = runs

    async def take(self, report: Report) -> str | None:
        """
        Keeps a report; returns the execution that it is for, None when that is not known.

        A message that nobody knows may be one whose answer was lost: then it settles that send, provided that only one
        send to the number is open.
        """
        execution_id = await self._store.report(report)
        if execution_id is not None or not report.number:
            return execution_id
        name = f"sms:{report.number}"
        effects = await self._store.unsettled(name)
        if len(effects) != 1:
            return None
        effect = effects[0]
        record = signal_record(Signal.REPORT, asdict(_settlement(name, report)), effect.node_id)
        # A report that comes again meanwhile is ignored by the node: it waits no more.
        with self._runs.resuming():
            await self._runs.signal(await self._store.signal(effect.execution_id, record))
        await self._store.settled(name, effect)
        return effect.execution_id


def _settlement(name: str, report: Report) -> Settlement:
    return Settlement(name, report.message_id, report.status)
