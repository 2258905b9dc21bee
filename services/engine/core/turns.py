"""Takes what came in for an execution, in the order in which it was recorded."""

from collections import deque

from services.engine.core import flow
from services.engine.core.entries import dialled_entries, next_entry
from services.engine.core.program import Program
from services.engine.core.progress import Progress
from services.engine.core.state import Call, ExecutionState, Signal, Stage, Turn
from workflow.outcome import Settlement, WaitKind
from workflow.sealing import SEALED, Cipher, holds_sealed, unsealed
from workflow.voice import VOICE


class Turns:
    """What came in and is not taken yet."""

    def __init__(self, program: Program, state: ExecutionState, progress: Progress, cipher: Cipher) -> None:
        self._program = program
        self._state = state
        self._progress = progress
        self._cipher = cipher
        self._waiting: deque[Turn] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def last(self) -> int:
        """Number of the newest turn that came in."""
        return self._state.turns + len(self._waiting)

    def add(self, turn: Turn) -> bool:
        """
        Hands in a turn; returns False for one that was handed in before.

        One that others lie before, recorded by another engine, is left to the journal, which has them in their order.
        """
        if turn.number != self.last + 1:
            return False
        self._waiting.append(turn)
        return True

    def take_input(self) -> bool:
        """
        Feeds the next entry that was typed, the first turn, or a signal to the flow. Returns whether there was one.

        Entries of one turn go to one screen after the other; only the last screen is shown.
        """
        if self._state.ended:
            return False
        if self._state.turns == 0:
            return self._take()
        if self._take_signal():
            return True
        waiting = next((node for node, wait in self._state.waits.items() if wait.kind is WaitKind.INPUT), None)
        if waiting is None:
            return False
        if not self._state.inputs:
            return self._take()
        asking = self._program.nodes[waiting]
        typed = asking.meant(unsealed(self._state.inputs.pop(0), self._cipher))
        is_secret = asking.is_sensitive
        self._state.payload["input"] = {SEALED: self._cipher.seal(typed)} if is_secret else typed
        self._state.say_nothing()
        self._progress.answer(waiting, typed)
        return True

    def take_unasked(self) -> bool:
        """Takes a turn that came in while nobody asked: it overlays the payload and does nothing else."""
        if not self._take():
            return False
        self._state.inputs.clear()
        self._state.say_nothing()
        return True

    def take_late(self) -> list[Turn]:
        """Takes what came in after the end, so that nothing waits for it."""
        if not self._state.ended:
            return []
        late = list(self._waiting)
        self._waiting.clear()
        if late:
            self._state.turns = late[-1].number
        return late

    def _take(self) -> bool:
        if not self._waiting or self._is_answering():
            return False
        turn = self._waiting.popleft()
        payload = unsealed(turn.payload, self._cipher)
        if self._state.turns == 0:
            entries = [] if turn.key is None else dialled_entries(payload, turn.skip)
            flow.start(self._state, self._program)
            self._progress.resumable_by(payload.get("msisdn"))
            if self._program.session_type == VOICE and self._state.session_id is not None:
                self._state.call = Call(self._state.session_id)
        else:
            entries = [next_entry(payload, str(unsealed(self._state.payload.get("text", ""), self._cipher)))]
        # Where a screen asks for a secret, what was typed stays as encrypted as it came in.
        is_secret = self._keeps_sealed(turn)
        self._state.inputs = [{SEALED: self._cipher.seal(entry)} for entry in entries] if is_secret else [*entries]
        self._state.turns = turn.number
        self._state.payload.update(turn.payload if is_secret else payload)
        self._answers(turn)
        self._progress.new_turn()
        return True

    def _take_signal(self) -> bool:
        turn = self._waiting[0] if self._waiting else None
        if turn is None or turn.signal is None or self._comes_later(turn):
            return False
        self._waiting.popleft()
        self._state.turns = turn.number
        match turn.signal:
            case Signal.HANG_UP if self._program.graph.settings.resume_within_ms == 0:
                self._progress.hang_up(str(turn.payload["reason"]))
            case Signal.ABANDON:
                self._progress.hang_up(str(turn.payload["reason"]))
            case Signal.CHECK:
                # The text is longer now by an entry that is not for the flow. The answer is that of the turn before.
                if "text" in turn.payload:
                    text = turn.payload["text"]
                    self._state.payload["text"] = text if self._keeps_sealed(turn) else unsealed(text, self._cipher)
                self._answers(turn)
            case Signal.NO_INPUT | Signal.ANSWERED | Signal.CALL_ENDED:
                self._take_word_of_call(turn, turn.signal)
            case Signal.SMS:
                assert turn.node_id is not None
                self._progress.message_came(turn.node_id, turn.payload["visit"], turn.payload["message"])
                self._progress.new_turn()
            case Signal.REPORT:
                assert turn.node_id is not None
                self._progress.settle(turn.node_id, Settlement(**turn.payload))
        return True

    def _take_word_of_call(self, turn: Turn, signal: Signal) -> None:
        if signal is Signal.CALL_ENDED:
            self._progress.call_ended(turn.node_id, turn.payload)
            return
        self._answers(turn)
        self._state.say_nothing()
        if signal is Signal.NO_INPUT:
            self._progress.hang_up(str(turn.payload["reason"]))
        else:
            self._progress.picked_up(turn.node_id, turn.payload)
        self._progress.new_turn()

    def _comes_later(self, turn: Turn) -> bool:
        """Whether the signal is for what has not come so far yet."""
        if turn.key is not None and self._is_answering():
            return True
        # A call can be answered before the node that placed it knows that it was taken.
        return turn.signal in (Signal.ANSWERED, Signal.CALL_ENDED) and self._is_calling(turn.node_id)

    def _is_calling(self, node_id: str | None) -> bool:
        return node_id is not None and self._state.node(node_id).stage is Stage.READY

    def _answers(self, turn: Turn) -> None:
        """The turn is under way from now on; whoever sent it waits for its answer."""
        self._state.turn_key = turn.key
        if turn.key is not None:
            self._state.line = turn.line
        self._state.reply = None

    def _keeps_sealed(self, turn: Turn) -> bool:
        return self._program.is_sensitive and holds_sealed(turn.payload)

    def _is_answering(self) -> bool:
        return self._state.turn_key is not None and self._state.reply is None
