"""What the outside reports of effects, in memory."""

from collections.abc import Callable, Sequence

from services.engine.core.ports import Entry
from services.engine.store import records
from services.engine.store.execution_store import OpenEffect, Report
from services.engine.store.lifetimes import MAX_REPORTS, MAX_UNMATCHED, UNSETTLED_GRACE_MS, Retention
from services.engine.store.memory.contents import Expiring, Memory, Reports, Timed


class MemoryReports:
    """A part of MemoryStore."""

    _memory: Memory
    _retention: Retention
    _now_ms: Callable[[], int]

    def expect(self, entry: Entry) -> None:
        """Notes the names under which the outside reports on what an entry of the journal says."""
        execution_id, now = entry.state.execution_id, self._now_ms()
        for name in entry.correlations:
            self._memory.correlations[name] = Expiring(execution_id, now + self._retention.shared_ms)
        for unsettled in entry.unsettled:
            effects = _living(self._memory.unsettled, unsettled.name, now)
            until_ms = entry.state.waits[unsettled.node_id].expires_at_ms
            effects.times[f"{execution_id} {unsettled.node_id}"] = until_ms
            effects.gone_at_ms = until_ms + UNSETTLED_GRACE_MS

    async def report(self, report: Report) -> str | None:
        """See ExecutionStore.report."""
        name, now = report.name, self._now_ms()
        reports = self._reports(name)
        reports.written.append(records.report_to_bytes(report))
        del reports.written[:-MAX_REPORTS]
        reports.gone_at_ms = now + self._retention.shared_ms
        execution_id = self._correlated(name)
        if execution_id is None and report.about is not None:
            unmatched = _living(self._memory.unmatched, report.about, now)
            unmatched.times[report.message_id] = report.received_at_ms
            for surplus in unmatched.since(0)[:-MAX_UNMATCHED]:
                del unmatched.times[surplus]
            unmatched.gone_at_ms = now + self._retention.unmatched_ms
        return execution_id

    async def correlated(self, name: str) -> str | None:
        """See ExecutionStore.correlated."""
        return self._correlated(name)

    async def unmatched(self, name: str) -> Sequence[Report]:
        """See ExecutionStore.unmatched."""
        now = self._now_ms()
        channel = name.partition(":")[0]
        found = _living(self._memory.unmatched, name, now).since(now - self._retention.unmatched_ms)
        newest = [
            self._reports(f"{channel}:{message_id}").written[-1:]
            for message_id in found
            if self._correlated(f"{channel}:{message_id}") is None
        ]
        return [records.report_from_bytes(report) for reports in newest for report in reports]

    async def unsettled(self, name: str, since_ms: int) -> Sequence[OpenEffect]:
        """See ExecutionStore.unsettled."""
        effects = _living(self._memory.unsettled, name, self._now_ms())
        return [OpenEffect(*effect.split(" ")) for effect in effects.since(since_ms)[:2]]

    async def settled(self, name: str, effect: OpenEffect) -> None:
        """See ExecutionStore.settled."""
        effects = _living(self._memory.unsettled, name, self._now_ms())
        effects.times.pop(f"{effect.execution_id} {effect.node_id}", None)

    def _reports_of(self, names: Sequence[str]) -> Sequence[Report]:
        return [records.report_from_bytes(report) for name in names for report in self._reports(name).written]

    def _correlated(self, name: str) -> str | None:
        found = self._memory.correlations.get(name)
        return found.value if found is not None and found.gone_at_ms > self._now_ms() else None

    def _reports(self, name: str) -> Reports:
        reports = self._memory.reports.get(name)
        if reports is None or reports.gone_at_ms <= self._now_ms():
            reports = self._memory.reports[name] = Reports()
        return reports


def _living(kept: dict[str, Timed], name: str, now: int) -> Timed:
    things = kept.get(name)
    if things is None or things.gone_at_ms <= now:
        # One that is new lives on once somebody sets its end.
        things = kept[name] = Timed()
    return things
