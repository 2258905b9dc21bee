"""
One execution in memory: from its start, or from the moment it is taken up, until it waits or ends.

Nodes without effects run at once, one after the other; nodes with effects run side by side, each in a task. The
journal is written before an effect that may depend on another one, before an answer goes out, and at the end.
"""

import asyncio
from collections.abc import Sequence

from services.engine.core.conversation import Conversation
from services.engine.core.ports import HandedOver, Journal
from services.engine.core.program import Program
from services.engine.core.progress import Progress
from services.engine.core.settling import Settling, owes_answer
from services.engine.core.state import ExecutionState, ExecutionStatus, NodeResult, NodeStatus, Turn
from services.engine.core.surroundings import Surroundings
from services.engine.core.turns import Turns
from services.engine.core.visit import Ended, Visit
from workflow.errors import NodeError, permanent
from workflow.outcome import WaitKind

LONGEST_HOLD_MS = 10_000
"""While a person waits for a screen, a timer that is due so soon is waited for in memory: an answer must be in time."""

ENDS_BY_ITSELF = frozenset({WaitKind.TIMER, WaitKind.RETRY, WaitKind.SETTLEMENT})


class Run:
    """
    Drives one execution; `drive` is called once.

    Attributes:
        conversation: Who waits for the answers of this run.
        at_rest: Whether it has ended or waits; a run that broke off never is.
    """

    def __init__(self, program: Program, state: ExecutionState, journal: Journal, around: Surroundings) -> None:
        self.program = program
        self.state = state
        self.conversation = Conversation()
        self.at_rest = False
        self._around = around
        self._settling = Settling(program, state, journal, around.sessions)
        self._progress = Progress(program, state, self._settling, around)
        self._turns = Turns(program, state, self._progress, around.ports.cipher)
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._woken = asyncio.Event()
        self._cancelled = False
        self._hands_over = False
        self._active_since_ms = around.now_ms()

    @property
    def results(self) -> list[NodeResult]:
        """What nodes answered since this run began, oldest first."""
        return self._settling.results

    def deliver(self, turn: Turn) -> None:
        """Hands in what came in for the execution. A turn that was handed in before is ignored."""
        if self._turns.add(turn):
            self._woken.set()

    @property
    def listens_from(self) -> int | None:
        """Number of the turn behind which new ones are wanted while nodes still run; None when none are."""
        waits_for_person = any(
            wait.kind in (WaitKind.INPUT, WaitKind.CALL, WaitKind.SMS) for wait in self.state.waits.values()
        )
        return self._turns.last if self._tasks and waits_for_person else None

    def give_up(self, error: NodeError) -> None:
        """Fails the execution before anything more of it runs; one that has ended stays as it is."""
        if not self.state.ended:
            self._progress.end(ExecutionStatus.FAILED, error)

    def cancel(self) -> None:
        """Stops the execution."""
        self._cancelled = True
        self._woken.set()

    def hand_over(self) -> None:
        """Stops the run where it is, for another engine to go on with; `drive` then raises HandedOver."""
        self._hands_over = True
        self._woken.set()

    async def drive(self) -> None:
        """
        Runs until there is nothing to do but to wait, or the execution has ended.

        Raises:
            HandedOver: The run was asked to stop; what its nodes came to is in the journal.
            LeaseLost: Another engine has taken over.
            StoreUnavailable: The journal could not be written; the execution is taken up again later.
        """
        try:
            await self._settling.commit()
            while not self._hands_over or self._cancelled or self.state.ended:
                if await self._step():
                    self.at_rest = True
                    return
                await self._await_something()
            await self._leave_to_others()
        finally:
            await self._stop_tasks()

    async def _leave_to_others(self) -> None:
        """Stops the nodes, writes down what was done so far and raises HandedOver."""
        await self._stop_tasks()
        self.state.active_ms += self._active_ms()
        await self._settling.write()
        raise HandedOver(self.state.execution_id)

    async def _step(self) -> bool:
        """Does all that can be done now. Returns whether the run is over."""
        while True:
            self._progress.end_waits(expects_turn=bool(self._turns or self.state.inputs))
            self._launch()
            if self._cancelled and not self.state.ended:
                error = permanent("CANCELLED", "the execution was cancelled")
                self._progress.end(ExecutionStatus.CANCELLED, error)
            if self.state.ended:
                await self._stop_tasks()
            if self._turns.take_input():
                continue
            if self._tasks:
                if not self._can_answer():
                    return False
                await self._settle(idle=False)
            elif self._holds_on():
                self._hand_in(await self._settling.save_effects())
                return False
            else:
                self._finish()
                late = self._turns.take_late()
                over = await self._settle(idle=True)
                self._answer_late(late)
                if over:
                    return True

    def _finish(self) -> None:
        """Nothing runs: the execution has ended unless it waits. What came in while nobody asked is overlaid only."""
        if self.state.ended:
            return
        if not self.state.waits:
            self._progress.end(ExecutionStatus.COMPLETED, None)
        else:
            self._turns.take_unasked()

    def _holds_on(self) -> bool:
        """Whether somebody waits for a screen that comes behind a timer which is due soon, or that turns queue for."""
        if not owes_answer(self.state, self.program):
            return False
        next_ms = min(wait.expires_at_ms for wait in self.state.waits.values())
        return bool(self._turns) or next_ms - self._around.now_ms() <= LONGEST_HOLD_MS

    def _answer_late(self, late: list[Turn]) -> None:
        for turn in late:
            if turn.key is not None and self.state.reply is not None:
                self.conversation.answered(turn.key, self.state.reply)

    def _launch(self) -> None:
        """Begins every visit that is due; those without effects end here too."""
        while not self.state.ended:
            due = self._progress.due(set(self._tasks.values()))
            if due is None:
                return
            visit = self._progress.begin(due)
            if visit is not None:
                self._tasks[asyncio.create_task(self._visit(visit))] = due

    async def _visit(self, visit: Visit) -> None:
        """
        Runs a node with effects.

        What it came to is in the state as soon as it is in the log: another node may write the journal right behind it.
        """
        outcome = await visit.run(self._save_effects, self._save_beginning, self._settling.note_attempt)
        self._settling.has_unsaved_effect = True
        if not self.state.ended:
            self._progress.conclude(visit.node_id, outcome)
        elif isinstance(outcome, Ended):
            self._settling.correlate(outcome.correlations)

    async def _stop_tasks(self) -> None:
        """
        Stops the nodes that still run; what they began outside is settled by its idempotency key.

        The log says so only where the execution has ended: another run goes on with them otherwise.
        """
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await self._settling.written()
        for outcome, node_id in zip(outcomes, tasks.values(), strict=True):
            if outcome is not None and self.state.ended:
                node = self.state.node(node_id)
                error = permanent("CANCELLED", "the execution ended while this node ran")
                self._settling.note(
                    NodeResult(
                        node_id,
                        NodeStatus.ERROR,
                        self._around.now_ms(),
                        attempt=node.attempt + 1,
                        visit=node.visit,
                        error=error,
                    )
                )

    async def _await_something(self) -> None:
        """Waits until a node ends, something comes in, a wait is due, or the active time is used up."""
        limit_ms = self.state.options.max_active_ms
        left_ms = limit_ms - self.state.active_ms - self._active_ms()
        now = self._around.now_ms()
        # A wait for a person that is due and goes on all the same has a turn to answer it.
        due_ms = [
            wait.expires_at_ms - now
            for wait in self.state.waits.values()
            if wait.expires_at_ms > now or wait.kind in ENDS_BY_ITSELF
        ]
        pause_ms = min(left_ms, *due_ms) if due_ms else left_ms
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait(
                {*self._tasks, woken}, timeout=max(0.0, pause_ms / 1000), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()
        self._woken.clear()
        done = [task for task in self._tasks if task.done()]
        for task in done:
            del self._tasks[task]
            task.result()
        if not done and self.state.active_ms + self._active_ms() >= limit_ms:
            message = f"the execution was active for more than {limit_ms} ms"
            self._progress.end(ExecutionStatus.TIMEOUT, permanent("EXECUTION_TIMEOUT", message))

    def _can_answer(self) -> bool:
        """Whether somebody waits for a screen that nothing can be added to any more."""
        return (
            self.state.turn_key is not None
            and self.state.reply is None
            and not owes_answer(self.state, self.program)
            and not any(self.program.nodes[node_id].shows_ahead for node_id in self.state.ready())
        )

    async def _settle(self, *, idle: bool) -> bool:
        """Makes the state durable and answers. Returns whether the run is over."""
        if idle:
            self.state.active_ms += self._active_ms()
            self._active_since_ms = self._around.now_ms()
        turns, answered, released = await self._settling.settle(idle=idle, has_turns=bool(self._turns))
        self._hand_in(turns)
        if answered is not None and self.state.reply is not None:
            self.conversation.answered(answered, self.state.reply)
        return released and not self._turns

    async def _save_effects(self) -> None:
        self._hand_in(await self._settling.save_effects())

    async def _save_beginning(self) -> None:
        self._settling.has_unsaved_effect = True
        await self._save_effects()

    def _hand_in(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            self.deliver(turn)

    def _active_ms(self) -> int:
        return self._around.now_ms() - self._active_since_ms
