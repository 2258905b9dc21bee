"""Executions in the memory of this process, for tests. One suite runs on this store and on the one in Redis."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.engine.core.state import ExecutionState, Signal
from services.engine.store import lifetimes, records
from services.engine.store.execution_store import (
    Answered,
    Begun,
    Cursor,
    Interrupted,
    NoExecution,
    Occupied,
    Offered,
    Queued,
    TakenUp,
)
from services.engine.store.lifetimes import CLOSED_LEDGER_LIFE_MS, IDEMPOTENCY_LIFE_MS, LEDGER_LIFE_MS, Retention
from services.engine.store.memory.contents import Expiring, KeptExecution, Ledger, Memory
from services.engine.store.memory.journal import MemoryJournal, turns_of
from services.engine.store.memory.ledgers import MemoryLedgers
from services.engine.store.memory.reading import MemoryReading
from services.engine.store.typed_text import TextMarks

MOST_WAITING = 16
"""Turns of one session that are recorded and not taken, as in lua/begin_turn.lua."""


class MemoryStore(MemoryReading, MemoryLedgers):
    """
    See ExecutionStore. Nothing here waits, so every method is atomic.

    Args:
        memory: What all engines share.
        owner: Names one engine.
        now_ms: Unix time; the one clock of all engines.
    """

    def __init__(
        self, memory: Memory, owner: str, lease_ms: int, retention: Retention, now_ms: Callable[[], int]
    ) -> None:
        self._memory = memory
        self._owner = owner
        self._lease_ms = lease_ms
        self._retention = retention
        self._now_ms = now_ms
        self._held: dict[str, int] = {}
        self._not_running: set[str] = set()

    async def begin_turn(
        self,
        session_id: str,
        marks: TextMarks,
        turn: Mapping[str, Any],
        fresh: ExecutionState | None,
        placed_by: str | None = None,
        declined: Interrupted | None = None,
    ) -> Begun:
        """See ExecutionStore.begin_turn."""
        now = self._now_ms()
        ledger = self._memory.ledger(session_id, now)
        execution_id = ledger.execution_id
        if marks.own in ledger.answers:
            return Answered(records.reply_from_bytes(ledger.answers[marks.own]), execution_id or "")
        if ledger.continued is not None:
            return records.continued_from_bytes(ledger.continued)
        if ledger.offered is not None:
            offered = records.interrupted_from_bytes(ledger.offered)
            if offered != declined:
                return Offered(offered)
        if execution_id is None and placed_by is not None:
            # A call that an execution placed: its session is known by its first callback only.
            placing = self._memory.execution(placed_by, now)
            if placing is None or not placing.runs:
                return NoExecution()
            execution_id = ledger.execution_id = placed_by
        if execution_id is None:
            if fresh is None:
                return NoExecution()
            ledger.offered = None
            ledger.execution_id, ledger.last, ledger.gone_at_ms = fresh.execution_id, marks.own, now + LEDGER_LIFE_MS
            return self._create_on(ledger, turn, fresh)
        return self._continue(ledger, execution_id, marks, turn)

    async def begin_on_session(self, turn: Mapping[str, Any], fresh: ExecutionState) -> Begun:
        """See ExecutionStore.begin_on_session."""
        assert fresh.session_id is not None
        now = self._now_ms()
        ledger = self._memory.ledger(fresh.session_id, now)
        execution_id = ledger.execution_id
        repeated = self._resumed_by(fresh.execution_id)
        if repeated is None and self._memory.execution(fresh.execution_id, now) is not None:
            repeated = fresh.execution_id
        if repeated is not None:
            before = self._memory.execution(repeated, now)
            return Queued(repeated, before is not None and before.leased_by(now) == self._owner, None)
        if execution_id is None:
            ledger.execution_id, ledger.gone_at_ms = fresh.execution_id, now + LEDGER_LIFE_MS
            return self._create(turn, fresh)
        kept = self._memory.execution(execution_id, now)
        is_over = kept is None or not kept.runs
        if kept is None or (is_over and ledger.closed):
            # The phone's session is over; its answers are kept for a while.
            return NoExecution()
        # What has ended and is not committed yet would overwrite what comes after it.
        if is_over or kept.workflow_id != fresh.workflow_id or kept.leased_by(now) is not None:
            return Occupied(execution_id, kept.workflow_id)
        self._memory.resumed[fresh.execution_id] = Expiring(execution_id, now + IDEMPOTENCY_LIFE_MS)
        kept.turns.append(records.turn_to_bytes(turn))
        ledger.gone_at_ms = now + LEDGER_LIFE_MS
        return self._take(execution_id)

    async def create(self, turn: Mapping[str, Any], fresh: ExecutionState) -> TakenUp | None:
        """See ExecutionStore.create."""
        if self._memory.execution(fresh.execution_id, self._now_ms()) is not None:
            return None
        return self._create(turn, fresh)

    async def take_up(self, execution_id: str) -> TakenUp | None:
        """See ExecutionStore.take_up."""
        now = self._now_ms()
        kept = self._memory.execution(execution_id, now)
        if kept is None:
            self._memory.due.pop(execution_id, None)
            return None
        return None if kept.leased_by(now) else self._take(execution_id)

    async def hand_over(self, execution_id: str) -> None:
        """See ExecutionStore.hand_over."""
        now, fence = self._now_ms(), self._held.pop(execution_id, None)
        kept = self._memory.execution(execution_id, now)
        if kept is not None and kept.fence == fence:
            kept.owner, kept.lease_until_ms = None, 0
            self._memory.due[execution_id] = now

    async def renew(self, execution_ids: Sequence[str]) -> None:
        """See ExecutionStore.renew."""
        now = self._now_ms()
        # A lease that was taken a moment ago may have no run yet; one without a run twice has a broken one.
        not_running = self._held.keys() - set(execution_ids)
        for execution_id in not_running & self._not_running:
            del self._held[execution_id]
        self._not_running = not_running
        for execution_id in execution_ids:
            kept = self._memory.execution(execution_id, now)
            if kept is not None and kept.owner == self._owner and kept.fence == self._held.get(execution_id):
                kept.lease_until_ms = self._memory.due[execution_id] = now + self._lease_ms

    async def end_session(self, session_id: str, turn: Mapping[str, Any]) -> Begun:
        """See ExecutionStore.end_session."""
        now = self._now_ms()
        ledger = self._memory.ledger(session_id, now)
        if ledger.is_new:
            # Its first callback may still be on the way.
            ledger.ended_early, ledger.gone_at_ms = records.turn_to_bytes(turn), now + CLOSED_LEDGER_LIFE_MS
        if ledger.execution_id is None or ledger.closed or ledger.hung_up:
            return NoExecution()
        kept = self._memory.execution(ledger.execution_id, self._now_ms())
        if kept is None or not kept.runs:
            return NoExecution()
        ledger.hung_up = True
        return self._record(ledger.execution_id, turn)

    async def signal(self, execution_id: str, turn: Mapping[str, Any]) -> Begun:
        """See ExecutionStore.signal."""
        kept = self._memory.execution(execution_id, self._now_ms())
        return self._record(execution_id, turn) if kept is not None and kept.runs else NoExecution()

    async def claimed(self, key: str) -> tuple[str, str] | None:
        """See ExecutionStore.claimed."""
        bound = self._memory.keys.get(key)
        if bound is None or bound.gone_at_ms <= self._now_ms():
            return None
        digest, _, execution_id = bound.value.partition(" ")
        return digest, execution_id

    async def claim_key(self, key: str, digest: str, execution_id: str) -> tuple[str, str]:
        """See ExecutionStore.claim_key."""
        now = self._now_ms()
        bound = self._memory.keys.get(key)
        if bound is None or bound.gone_at_ms <= now:
            bound = self._memory.keys[key] = Expiring(f"{digest} {execution_id}", now + IDEMPOTENCY_LIFE_MS)
        found_digest, _, found_id = bound.value.partition(" ")
        return found_digest, found_id

    def _continue(self, ledger: Ledger, execution_id: str, marks: TextMarks, turn: Mapping[str, Any]) -> Begun:
        """Takes a callback of a session that has an execution."""
        now = self._now_ms()
        kept = self._memory.executions[execution_id]
        owner = kept.leased_by(now)
        if marks.own == ledger.last and (owner is not None or not ledger.closed or ledger.reply is None):
            # The same callback again while its turn is under way; if its engine died, this one goes on.
            return self._take(execution_id) if owner is None else Queued(execution_id, owner == self._owner, None)
        # An execution that a call began has seen no callback yet: whatever comes first follows.
        follows = ledger.last is None or ledger.last in marks.behind
        if ledger.closed or not follows:
            if ledger.reply is not None:
                return Answered(records.reply_from_bytes(ledger.reply), execution_id)
            return Queued(execution_id, owner == self._owner, None)
        if len(kept.turns) - kept.taken >= MOST_WAITING:
            # The execution hangs and the session goes on typing: treated like a text out of order.
            if ledger.reply is not None:
                return Answered(records.reply_from_bytes(ledger.reply), execution_id)
            return Queued(execution_id, owner == self._owner, None)
        if ledger.busy:
            # The person was told that the answer takes longer: what was typed asks for it again.
            ledger.busy, turn = False, {**turn, "signal": Signal.CHECK}
        ledger.last, ledger.gone_at_ms = marks.own, now + LEDGER_LIFE_MS
        return self._record(execution_id, turn)

    def _create_on(self, ledger: Ledger, turn: Mapping[str, Any], fresh: ExecutionState) -> TakenUp:
        """Begins the execution of a session, which may have ended before this turn told of it."""
        if ledger.ended_early is None:
            return self._create(turn, fresh)
        ended, ledger.ended_early, ledger.hung_up = ledger.ended_early, None, True
        return self._create(turn, fresh, ended)

    def _create(self, turn: Mapping[str, Any], fresh: ExecutionState, *behind: bytes) -> TakenUp:
        turns = [records.turn_to_bytes(turn), *behind]
        kept = KeptExecution(records.state_to_bytes(fresh), fresh.workflow_id, turns=turns)
        self._memory.executions[fresh.execution_id] = kept
        self._memory.started.append((Cursor(self._now_ms(), fresh.execution_id), fresh.workflow_id))
        return self._take(fresh.execution_id)

    def _record(self, execution_id: str, turn: Mapping[str, Any]) -> Begun:
        kept = self._memory.executions[execution_id]
        kept.turns.append(records.turn_to_bytes(turn))
        owner = kept.leased_by(self._now_ms())
        if owner is None:
            return self._take(execution_id)
        return Queued(execution_id, owner == self._owner, turns_of(kept, len(kept.turns) - 1)[0])

    def _take(self, execution_id: str) -> TakenUp:
        kept = self._memory.executions[execution_id]
        broken_off = kept.owner is not None
        kept.fence += 1
        kept.owner = self._owner
        kept.lease_until_ms = self._memory.due[execution_id] = self._now_ms() + self._lease_ms
        self._held[execution_id] = kept.fence
        state = records.state_from_bytes(kept.state)
        state.broken_off |= broken_off
        if kept.confirmed is not None:
            lifetimes.note_confirmed(state, kept.confirmed)
        journal = MemoryJournal(
            self._memory, execution_id, kept.fence, self._held, self.expect, self._retention, self._now_ms
        )
        return TakenUp(state, turns_of(kept, kept.taken), journal)
