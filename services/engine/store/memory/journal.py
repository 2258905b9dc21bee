"""Writes the journal of one execution in memory, as lua/write.lua and lua/confirm.lua do in Redis."""

from collections.abc import Callable, Sequence

from services.engine.core.ports import Entry, LeaseLost
from services.engine.core.state import ExecutionState, Turn
from services.engine.store import lifetimes, records
from services.engine.store.lifetimes import Retention
from services.engine.store.memory.contents import KeptExecution, Ledger, Memory


class MemoryJournal:
    """
    See Journal. Nothing here waits, so every method is atomic.

    Args:
        fence: Number of the lease that it writes under.
        held: Leases of the engine, by execution; the journal takes its own out when the lease ends.
        expect: Notes under which names the outside reports on what an entry says.
    """

    def __init__(
        self,
        memory: Memory,
        execution_id: str,
        fence: int,
        held: dict[str, int],
        expect: Callable[[Entry], None],
        retention: Retention,
        now_ms: Callable[[], int],
    ) -> None:
        self._memory = memory
        self._execution_id = execution_id
        self._fence = fence
        self._held = held
        self._expect = expect
        self._retention = retention
        self._now_ms = now_ms

    async def write(self, entry: Entry) -> Sequence[Turn]:
        """See Journal.write."""
        state, now = entry.state, self._now_ms()
        self._expect(entry)
        kept = self._own(now)
        if kept is None:
            self._let_go()
            raise LeaseLost(self._execution_id)
        kept.state, kept.taken, kept.confirmed = records.state_to_bytes(state), state.turns, None
        kept.runs = not state.ended
        kept.correlations += entry.correlations
        kept.results += [records.result_to_bytes(result) for result in entry.results]
        turns = turns_of(kept, kept.taken)
        if entry.released and not turns:
            self._let_go()
            kept.owner, kept.lease_until_ms = None, 0
            self._look_at(lifetimes.due_at(state, now))
            if state.ended:
                kept.gone_at_ms = now + self._retention.executions_ms
        if state.session_id is not None:
            self._write_ledgers(state.session_id, entry, now)
        return turns

    async def confirm(self, state: ExecutionState, version: int) -> None:
        """See Journal.confirm."""
        kept = self._own(self._now_ms())
        if kept is not None:
            kept.confirmed = version
            self._look_at(lifetimes.wake_at(state))
            if state.session_id is not None:
                self._make_room(self._memory.ledger(state.session_id, self._now_ms()), state)

    def _make_room(self, ledger: Ledger, state: ExecutionState) -> None:
        if lifetimes.makes_room(state) and not ledger.closed and ledger.execution_id == self._execution_id:
            ledger.execution_id = ledger.last = None

    def _let_go(self) -> None:
        if self._held.get(self._execution_id) == self._fence:
            del self._held[self._execution_id]

    def _own(self, now: int) -> KeptExecution | None:
        """The execution, None when another engine has taken it over."""
        kept = self._memory.execution(self._execution_id, now)
        return kept if kept is not None and kept.fence == self._fence else None

    def _look_at(self, time_ms: int | None) -> None:
        if time_ms is None:
            self._memory.due.pop(self._execution_id, None)
        else:
            self._memory.due[self._execution_id] = time_ms

    def _write_ledgers(self, session_id: str, entry: Entry, now: int) -> None:
        state, own = entry.state, self._memory.ledger(session_id, now)
        if own.execution_id not in (None, self._execution_id):
            # What has ended is written again for its commits. Its session may have another execution by then.
            return
        ledger = own if state.line is None else self._memory.ledger(state.line, now)
        if state.reply is not None:
            ledger.reply = records.reply_to_bytes(state.reply)
            if entry.answered is not None:
                ledger.answers.setdefault(entry.answered, ledger.reply)
        if lifetimes.closed(state):
            ledger.closed = True
        self._make_room(own, state)
        own.gone_at_ms = ledger.gone_at_ms = now + lifetimes.ledger_life_ms(state, now)


def turns_of(kept: KeptExecution, behind: int) -> Sequence[Turn]:
    """Returns the turns of an execution behind the given number."""
    return [records.turn_from_bytes(turn, number) for number, turn in enumerate(kept.turns[behind:], start=behind + 1)]
