"""What the phone of a session is shown, in memory, beside what its execution writes."""

from collections.abc import Callable

from services.engine.core.state import Reply
from services.engine.store import records
from services.engine.store.execution_store import Continued, Interrupted, Newest
from services.engine.store.lifetimes import CLOSED_LEDGER_LIFE_MS, LEDGER_LIFE_MS
from services.engine.store.memory.contents import Memory


class MemoryLedgers:
    """A part of MemoryStore."""

    _memory: Memory
    _now_ms: Callable[[], int]

    async def live_on(self, session_id: str) -> str | None:
        """See ExecutionStore.live_on."""
        return self._memory.ledger(session_id, self._now_ms()).execution_id

    async def answer_of(self, session_id: str, mark: str) -> Reply | None:
        """See ExecutionStore.answer_of."""
        answer = self._memory.ledger(session_id, self._now_ms()).answers.get(mark)
        return None if answer is None else records.reply_from_bytes(answer)

    async def newest_of(self, session_id: str) -> Newest | None:
        """See ExecutionStore.newest_of."""
        ledger = self._memory.ledger(session_id, self._now_ms())
        if ledger.last is None:
            return None
        answered = ledger.reply is not None and records.reply_from_bytes(ledger.reply).turn == ledger.last
        return Newest(ledger.last, answered)

    async def answer_late(self, session_id: str, mark: str, reply: Reply) -> Reply:
        """See ExecutionStore.answer_late."""
        now = self._now_ms()
        ledger = self._memory.ledger(session_id, now)
        if mark not in ledger.answers:
            ledger.answers[mark] = records.reply_to_bytes(reply)
            if reply.kind == "end":
                ledger.reply, ledger.closed = ledger.answers[mark], True
                ledger.gone_at_ms = now + CLOSED_LEDGER_LIFE_MS
            else:
                ledger.busy = True
        return records.reply_from_bytes(ledger.answers[mark])

    async def offer(self, session_id: str, mark: str, interrupted: Interrupted, prompt: Reply) -> Reply:
        """See ExecutionStore.offer."""
        now = self._now_ms()
        ledger = self._memory.ledger(session_id, now)
        if ledger.execution_id is None and ledger.continued is None and mark not in ledger.answers:
            ledger.offered, ledger.gone_at_ms = records.interrupted_to_bytes(interrupted), now + LEDGER_LIFE_MS
            ledger.answers[mark] = records.reply_to_bytes(prompt)
        answer = ledger.answers.get(mark)
        return prompt if answer is None else records.reply_from_bytes(answer)

    async def continue_with(self, session_id: str, mark: str, continued: Continued, screen: Reply) -> None:
        """See ExecutionStore.continue_with."""
        now = self._now_ms()
        earlier = self._memory.ledger(continued.interrupted.session_id, now)
        # The phone of the earlier session may have been told that it is over.
        earlier.closed = earlier.hung_up = False
        ledger = self._memory.ledger(session_id, now)
        if ledger.offered is not None:
            ledger.offered, ledger.continued = None, records.continued_to_bytes(continued)
            ledger.answers[mark], ledger.gone_at_ms = records.reply_to_bytes(screen), now + LEDGER_LIFE_MS
