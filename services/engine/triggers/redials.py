"""A person whose USSD session was interrupted dials again and is asked whether to go on where they were."""

from collections.abc import Callable, Collection
from dataclasses import replace

from services.engine.core.entries import behind_empty
from services.engine.core.program import Program
from services.engine.core.progress import resumption_name
from services.engine.core.state import ExecutionState, Reply
from services.engine.store.execution_store import Continued, ExecutionStore, Interrupted
from services.engine.store.typed_text import TypedText
from services.engine.triggers.timely_turns import TimelyAnswer
from services.engine.triggers.ussd_callbacks import UssdCallback
from workflow.entry import as_meant
from workflow.menu_options import chosen, options_in
from workflow.outcome import WaitKind

CONTINUE = "1"
"""
What is typed to go on. The question itself is the flow's, settings.ussd.resumePrompt: where it offers two options or
more, whatever is none of them is asked for again, else it starts again.
"""


class Redials:
    """Finds what a new dial may continue, and goes on with it. `now_ms` is Unix time."""

    def __init__(self, store: ExecutionStore, typed: TypedText, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._typed = typed
        self._now_ms = now_ms

    async def question(self, program: Program, callback: UssdCallback) -> TimelyAnswer | None:
        """Returns what a new session is asked first; None where it just begins."""
        settings = program.graph.settings
        if settings.resume_within_ms == 0:
            return None
        name = resumption_name(program.graph.workflow_id, callback.msisdn)
        execution_id = await self._store.correlated(name)
        stored = None if execution_id is None else await self._store.read(execution_id)
        if stored is None or not self._waits_for(stored.state, callback.session_id, settings.resume_within_ms):
            return None
        state = stored.state
        assert state.session_id is not None
        text = state.payload.get("text", "")
        interrupted = Interrupted(state.execution_id, state.session_id, text, len(callback.text))
        prompt = Reply("con", settings.ussd.resume_prompt)
        asked = await self._store.offer(callback.session_id, self._mark(callback), interrupted, prompt)
        return TimelyAnswer(asked, state.execution_id, repeated=False)

    async def continued(self, interrupted: Interrupted, callback: UssdCallback) -> TimelyAnswer | None:
        """Returns the screen that the person goes on from; None where they start again, or it is too late to go on."""
        stored = await self._store.read(interrupted.execution_id)
        screen = None if stored is None or stored.state.ended else stored.state.reply
        if _choice(interrupted, callback, [CONTINUE]) != CONTINUE or screen is None or screen.kind != "con":
            return None
        continued = Continued(interrupted, len(callback.text))
        await self._store.continue_with(callback.session_id, self._mark(callback), continued, screen)
        return TimelyAnswer(screen, interrupted.execution_id, repeated=False)

    async def asked_again(
        self, program: Program, interrupted: Interrupted, callback: UssdCallback
    ) -> TimelyAnswer | None:
        """Returns the question once more where what was typed is none of its options; None where it is, or has none."""
        prompt = program.graph.settings.ussd.resume_prompt
        offered = options_in(prompt)
        if len(offered) < 2 or _choice(interrupted, callback, offered) in offered:
            return None
        offer = replace(interrupted, dialled=len(callback.text))
        asked = await self._store.offer(callback.session_id, self._mark(callback), offer, Reply("con", prompt))
        return TimelyAnswer(asked, interrupted.execution_id, repeated=False)

    def as_before(self, continued: Continued, callback: UssdCallback) -> UssdCallback:
        """Returns a callback of a continued session as the earlier session would have had it."""
        before, typed = self._typed.clear(continued.interrupted.text), callback.text[continued.skip + 1 :]
        text = f"{before}*{typed}" if before else typed
        return replace(callback, session_id=continued.interrupted.session_id, text=text)

    def _mark(self, callback: UssdCallback) -> str:
        return self._typed.marks(callback.session_id, callback.text).own

    def _waits_for(self, state: ExecutionState, session_id: str, window_ms: int) -> bool:
        """Whether an execution waits for the person on another session, and not for too long yet."""
        if state.ended or state.session_id in (None, session_id):
            return False
        return any(
            wait.kind is WaitKind.INPUT and self._now_ms() - wait.since_ms <= window_ms for wait in state.waits.values()
        )


def _choice(interrupted: Interrupted, callback: UssdCallback, offered: Collection[str]) -> str:
    """What the person wants of what is offered, or what they typed."""
    text = callback.text
    return chosen(as_meant(text[interrupted.dialled + 1 :] if interrupted.dialled else behind_empty(text)), offered)
