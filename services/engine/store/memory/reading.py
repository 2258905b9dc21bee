"""What is read of executions in memory."""

from collections.abc import Mapping, Sequence

from services.engine.core.state import ExecutionState, NodeResult, Turn
from services.engine.store import records
from services.engine.store.execution_store import MAX_SCANNED, Cursor, Filter, Stored
from services.engine.store.memory.journal import turns_of
from services.engine.store.memory.reports import MemoryReports


class MemoryReading(MemoryReports):
    """A part of MemoryStore. The log shows reports as well."""

    async def turns_behind(self, seen: Mapping[str, int]) -> Mapping[str, Sequence[Turn]]:
        """See ExecutionStore.turns_behind."""
        now = self._now_ms()
        found = {execution_id: self._memory.execution(execution_id, now) for execution_id in seen}
        return {
            execution_id: [] if kept is None else turns_of(kept, seen[execution_id])
            for execution_id, kept in found.items()
        }

    async def due(self, limit: int) -> Sequence[str]:
        """See ExecutionStore.due."""
        now = self._now_ms()
        by_time = sorted(
            (time_ms, execution_id) for execution_id, time_ms in self._memory.due.items() if time_ms <= now
        )
        return [execution_id for _, execution_id in by_time[:limit]]

    async def read(self, execution_id: str) -> Stored | None:
        """See ExecutionStore.read."""
        now = self._now_ms()
        kept = self._memory.execution(execution_id, now)
        if kept is None:
            resumed = self._resumed_by(execution_id)
            return None if resumed is None else await self.read(resumed)
        return Stored(
            records.state_from_bytes(kept.state),
            [records.result_from_bytes(result) for result in kept.results],
            self._reports_of(kept.correlations),
        )

    async def results_behind(self, execution_id: str, seen: int) -> tuple[ExecutionState, Sequence[NodeResult]] | None:
        """See ExecutionStore.results_behind."""
        kept = self._memory.execution(execution_id, self._now_ms())
        if kept is None:
            return None
        results = [records.result_from_bytes(result) for result in kept.results[seen:]]
        return records.state_from_bytes(kept.state), results

    async def page(
        self, wanted: Filter, limit: int, after: Cursor | None
    ) -> tuple[Sequence[ExecutionState], Cursor | None]:
        """See ExecutionStore.page."""
        places = sorted(self._places(wanted, after), reverse=True)
        found: list[ExecutionState] = []
        for scanned, place in enumerate(places, start=1):
            kept = self._memory.execution(place.id, self._now_ms())
            state = None if kept is None else records.state_from_bytes(kept.state)
            if state is not None and wanted.status in (None, state.status):
                found.append(state)
            if scanned < len(places) and (len(found) == limit or scanned == MAX_SCANNED):
                return found, place
        return found, None

    def _resumed_by(self, execution_id: str) -> str | None:
        """Returns the execution that took the turn which would otherwise have begun the one of this id."""
        resumed = self._memory.resumed.get(execution_id)
        return resumed.value if resumed is not None and resumed.gone_at_ms > self._now_ms() else None

    def _places(self, wanted: Filter, after: Cursor | None) -> Sequence[Cursor]:
        return [
            place
            for place, workflow_id in self._memory.started
            if wanted.workflow_id in (None, workflow_id)
            and (wanted.from_ms is None or place.at_ms >= wanted.from_ms)
            and (wanted.until_ms is None or place.at_ms < wanted.until_ms)
            and (after is None or place < after)
        ]
