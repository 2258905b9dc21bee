"""
One execution in memory: from its start, or from the moment it is taken up, until it waits or ends.

Nodes without effects run at once, one after the other; nodes with effects run side by side, each in a task. The
journal is written before an effect that may depend on another one, before an answer goes out, and at the end.
"""

import asyncio
from collections import deque

from services.engine.core import flow
from services.engine.core.conversation import Conversation
from services.engine.core.entries import dialled_entries, next_entry
from services.engine.core.ports import Entry, Journal
from services.engine.core.program import Program
from services.engine.core.settling import Settling
from services.engine.core.state import ExecutionState, ExecutionStatus, NodeResult, NodeStatus, Stage, Turn, permanent
from services.engine.core.surroundings import Surroundings
from services.engine.core.visit import Ended, Failed, Outcomes, Suspended, Visit
from workflow.errors import NodeError
from workflow.node_type import Resumption
from workflow.outcome import WaitKind
from workflow.sealing import SEALED, holds_sealed, unsealed

MAX_VISITS_PER_TURN = 1000
MAX_VISITS = 10_000


class Run:
    """
    Drives one execution; `drive` is called once.

    Attributes:
        conversation: Who waits for the answers of this run.
        broken: Whether the run stopped before it came to rest.
        results: What nodes answered since this run began, oldest first.
    """

    def __init__(self, program: Program, state: ExecutionState, journal: Journal, around: Surroundings) -> None:
        self.program = program
        self.state = state
        self.conversation = Conversation()
        self.broken = False
        self._around = around
        self._cipher = around.ports.cipher
        self._settling = Settling(program, state, journal, around.sessions)
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._turns: deque[Turn] = deque()
        self._woken = asyncio.Event()
        self._cancelled = False
        self._active_since_ms = around.now_ms()
        self._visits_before_turn = state.visits
        self.results: list[NodeResult] = []
        self._unsaved: list[NodeResult] = []
        self._correlations: list[str] = []
        self._unsaved_effect = False
        self._writing = asyncio.Lock()

    def deliver(self, turn: Turn) -> None:
        """Hands in what came in for the execution. A turn that was handed in before is ignored."""
        if turn.number > self.state.turns + len(self._turns):
            self._turns.append(turn)
            self._woken.set()

    @property
    def listens_from(self) -> int | None:
        """Number of the turn behind which new ones are wanted while nodes still run; None when none are."""
        waits_for_input = any(wait.kind is WaitKind.INPUT for wait in self.state.waits.values())
        return self.state.turns + len(self._turns) if self._tasks and waits_for_input else None

    def give_up(self, error: NodeError) -> None:
        """Fails the execution before anything more of it runs."""
        self._end(ExecutionStatus.FAILED, error)

    def cancel(self) -> None:
        """Stops the execution."""
        self._cancelled = True
        self._woken.set()

    async def drive(self) -> None:
        """
        Runs until there is nothing to do but to wait, or the execution has ended.

        Raises:
            LeaseLost: Another engine has taken over.
            StoreUnavailable: The journal could not be written; the execution is taken up again later.
        """
        try:
            await self._settling.commit()
            self._expire_waits()
            while not await self._step():
                await self._await_something()
        finally:
            await self._stop_tasks()

    def fail(self, problem: Exception) -> None:
        """Notes that the run stopped before it came to rest; whoever waits for an answer is told."""
        self.broken = True
        self.conversation.broken(problem)

    async def _step(self) -> bool:
        """Does all that can be done now. Returns whether the run is over."""
        while True:
            self._launch()
            if self._cancelled and not self.state.ended:
                self._end(ExecutionStatus.CANCELLED, permanent("CANCELLED", "the execution was cancelled"))
            if self.state.ended:
                await self._stop_tasks()
            if self._take_input():
                continue
            idle = not self._tasks
            if idle and not self.state.ended:
                self._finish()
            if idle:
                late = self._late_turns()
                over = await self._settle(idle=True)
                self._answer_late(late)
                if over:
                    return True
                continue
            if not self._can_answer():
                return False
            await self._settle(idle=False)

    def _finish(self) -> None:
        """Nothing runs: the execution has ended unless it waits. What came in while nobody asked is overlaid only."""
        if not self.state.waits:
            self._end(ExecutionStatus.COMPLETED, None)
        elif self._take_turn():
            self.state.inputs.clear()
            self.state.texts.clear()

    def _take_input(self) -> bool:
        """
        Feeds the next entry that was typed, or the first turn, to the flow. Returns whether there was one.

        Entries of one turn go to one screen after the other; only the last screen is shown.
        """
        if self.state.ended:
            return False
        if self.state.turns == 0:
            return self._take_turn()
        waiting = next((node for node, wait in self.state.waits.items() if wait.kind is WaitKind.INPUT), None)
        if waiting is None:
            return False
        if not self.state.inputs:
            return self._take_turn()
        typed = unsealed(self.state.inputs.pop(0), self._cipher)
        is_secret = self.program.nodes[waiting].is_sensitive
        self.state.payload["input"] = {SEALED: self._cipher.seal(typed)} if is_secret else typed
        self.state.texts.clear()
        self._resume(waiting, typed)
        return True

    def _take_turn(self) -> bool:
        is_answering = self.state.turn_key is not None and self.state.reply is None
        if not self._turns or is_answering:
            return False
        turn = self._turns.popleft()
        payload = unsealed(turn.payload, self._cipher)
        if self.state.turns == 0:
            entries = [] if turn.key is None else dialled_entries(payload)
            flow.start(self.state, self.program)
        else:
            entries = [next_entry(payload, str(unsealed(self.state.payload.get("text", ""), self._cipher)))]
        # Where a screen asks for a secret, what was typed stays as encrypted as it came in.
        is_secret = self.program.is_sensitive and holds_sealed(turn.payload)
        self.state.inputs = [{SEALED: self._cipher.seal(entry)} for entry in entries] if is_secret else [*entries]
        self.state.turns = turn.number
        self.state.payload.update(turn.payload if is_secret else payload)
        self.state.turn_key = turn.key
        self.state.reply = None
        self._visits_before_turn = self.state.visits
        return True

    def _late_turns(self) -> list[Turn]:
        """Takes what came in after the end, so that nothing waits for it."""
        if not self.state.ended:
            return []
        late = list(self._turns)
        self._turns.clear()
        if late:
            self.state.turns = late[-1].number
        return late

    def _answer_late(self, late: list[Turn]) -> None:
        for turn in late:
            if turn.key is not None and self.state.reply is not None:
                self.conversation.answered(turn.key, self.state.reply)

    def _launch(self) -> None:
        """Begins every visit that is due; those without effects end here too."""
        while not self.state.ended:
            running = set(self._tasks.values())
            due = next((node_id for node_id in self.state.ready() if node_id not in running), None)
            if due is None or self._loops():
                return
            node = self.program.nodes[due]
            visit = Visit(self.program, self.state, due, self._around)
            if node.node.disabled:
                self._conclude(due, visit.passed(self._note))
            elif node.type.has_effect:
                failed = visit.settle_texts(self._note)
                if failed is None:
                    self._tasks[asyncio.create_task(self._visit(visit))] = due
                else:
                    self._conclude(due, failed)
            else:
                self._conclude(due, visit.run_at_once(self._note))

    async def _visit(self, visit: Visit) -> None:
        """
        Runs a node with effects.

        What it came to is in the state as soon as it is in the log: another node may write the journal right behind it.
        """
        outcome = await visit.run(self._save_effects, self._note_attempt)
        self._unsaved_effect = True
        if not self.state.ended:
            self._conclude(visit.node_id, outcome)
        elif isinstance(outcome, Ended):
            self._correlations.extend(outcome.correlations)

    def _loops(self) -> bool:
        if self.state.visits - self._visits_before_turn > MAX_VISITS_PER_TURN:
            limit = f"{MAX_VISITS_PER_TURN} nodes in one turn"
        elif self.state.visits > MAX_VISITS:
            limit = f"{MAX_VISITS} nodes"
        else:
            return False
        self._end(ExecutionStatus.FAILED, permanent("LOOP_LIMIT", f"the execution ran more than {limit}"))
        return True

    def _resume(self, node_id: str, typed: str | None) -> None:
        wait = self.state.waits.pop(node_id)
        resumption = Resumption(memory=wait.memory, input=typed, payload=self.state.payload)
        visit = Visit(self.program, self.state, node_id, self._around)
        self._conclude(node_id, visit.resume_at_once(wait, resumption, self._note))

    def _expire_waits(self) -> None:
        """Ends the waits that are due: timers go on, waits for a person have timed out."""
        now = self._around.now_ms()
        for node_id, wait in list(self.state.waits.items()):
            if wait.expires_at_ms > now or self.state.ended:
                continue
            if wait.kind is WaitKind.TIMER:
                self._resume(node_id, None)
            elif not self._turns:
                del self.state.waits[node_id]
                # The screen is gone from the phone; what comes now is said to whoever asks later.
                self.state.texts.clear()
                self.state.reply = None
                visit = Visit(self.program, self.state, node_id, self._around)
                self._conclude(node_id, visit.expired(wait, self._note))
                # After a crash an answer could come first, so no effect may build on this before it is durable.
                self._unsaved_effect = True

    def _conclude(self, node_id: str, outcome: Outcomes) -> None:
        """Carries what a visit came to into the state."""
        match outcome:
            case Suspended(wait, text):
                self.state.node(node_id).stage = Stage.WAITING
                self.state.waits[node_id] = wait
                self._say(text)
            case Ended(taken, output, text, correlations):
                if output is not None:
                    self.state.output = output
                self._say(text)
                self._correlations.extend(correlations)
                flow.leave(self.state, self.program, node_id, taken, self._around.now_ms(), self._note)
            case Failed(error, None, wait_expired):
                self._end(ExecutionStatus.TIMEOUT if wait_expired else ExecutionStatus.FAILED, error)
            case Failed(_, list(taken), _):
                flow.leave(self.state, self.program, node_id, taken, self._around.now_ms(), self._note)

    def _say(self, text: str | None) -> None:
        if text is not None:
            self.state.texts.append(text)

    def _end(self, status: ExecutionStatus, error: NodeError | None) -> None:
        self.state.status = status
        self.state.error = error
        self.state.completed_at_ms = self._around.now_ms()
        self.state.waits.clear()
        for node in self.state.nodes.values():
            node.config = None

    async def _stop_tasks(self) -> None:
        """Stops the nodes that still run; what they began outside is settled by its idempotency key."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        async with self._writing:
            pass  # Writes that the tasks had begun are over now.
        for outcome, node_id in zip(outcomes, tasks.values(), strict=True):
            if outcome is not None:
                node = self.state.node(node_id)
                error = permanent("CANCELLED", "the execution ended while this node ran")
                self._note(
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
        """Waits until a node ends, something comes in, or the active time is used up."""
        limit_ms = self.state.options.max_active_ms
        left_ms = limit_ms - self.state.active_ms - self._active_ms()
        woken = asyncio.create_task(self._woken.wait())
        try:
            done, _ = await asyncio.wait(
                {*self._tasks, woken}, timeout=max(0.0, left_ms / 1000), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()
        self._woken.clear()
        if not done:
            message = f"the execution was active for more than {limit_ms} ms"
            self._end(ExecutionStatus.TIMEOUT, permanent("EXECUTION_TIMEOUT", message))
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            task.result()

    def _can_answer(self) -> bool:
        """Whether somebody waits for a screen that nothing can be added to any more."""
        return bool(self.state.turn_key is not None and self.state.reply is None) and not any(
            self.program.nodes[node_id].shows_ahead for node_id in self.state.ready()
        )

    async def _settle(self, *, idle: bool) -> bool:
        """Makes the state durable and answers. Returns whether the run is over."""
        key = None
        async with self._writing:
            if self.state.ended and self.state.reply is not None and self.state.reply.kind == "con":
                self.state.reply = None
            if self.state.reply is None:
                self.state.reply, key = self._settling.reply(), self.state.turn_key
                self.state.turn_key = None
            if idle:
                self.state.active_ms += self._active_ms()
                self._active_since_ms = self._around.now_ms()
            entry = self._entry(key, released=idle and not self._turns)
            for turn in await self._settling.settle(entry, idle):
                self.deliver(turn)
        if key is not None and self.state.reply is not None:
            self.conversation.answered(key, self.state.reply)
        return entry.released and not self._turns

    async def _save_effects(self) -> None:
        """Makes what other effects came to durable before a new effect may build on it."""
        if self._unsaved_effect or self._writing.locked():
            # The write goes on when the node is cancelled: what it carries would be lost.
            await asyncio.shield(self._write_effects())

    async def _write_effects(self) -> None:
        async with self._writing:
            if self._unsaved_effect:
                for turn in await self._settling.write(self._entry(None, released=False)):
                    self.deliver(turn)

    def _note_attempt(self, result: NodeResult) -> None:
        """An attempt that failed is durable before the next one begins."""
        self._note(result)
        self._unsaved_effect = True

    def _note(self, result: NodeResult) -> None:
        self.results.append(result)
        self._unsaved.append(result)

    def _entry(self, answered: str | None, *, released: bool) -> Entry:
        results, self._unsaved = self._unsaved, []
        correlations, self._correlations = self._correlations, []
        self._unsaved_effect = False
        return Entry(self.state, results, answered, correlations, released)

    def _active_ms(self) -> int:
        return self._around.now_ms() - self._active_since_ms
