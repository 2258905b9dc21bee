"""What came in for an execution, as the one that runs again gets it: in calls of its own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from services.engine import ids
from services.engine.core.state import ExecutionState, NodeResult, Signal, Turn
from services.engine.executions.beginnings import call_record, signal_record, turn_record
from workflow.outcome import WaitKind
from workflow.voice import ANSWERED

CALL, STATUS = "callSessionId", "status"


@dataclass(frozen=True, slots=True)
class MissedCall:
    """
    A call in which nobody could be talked to.

    Attributes:
        session_id: The network's id of it.
        place: Node and visit that placed it, written node:visit.
        why: Such as NO_ANSWER.
    """

    session_id: str
    place: str
    why: str


def missed_calls(results: Sequence[NodeResult]) -> Sequence[MissedCall]:
    """Returns the calls that nobody answered, as the log of an execution tells of them."""
    found = []
    for result in results:
        place = f"{result.node_id}:{result.visit}"
        if result.error is not None and CALL in result.error.details:
            found.append(MissedCall(str(result.error.details[CALL]), place, result.error.code))
        elif result.output is not None and {CALL, STATUS} <= result.output.keys() and result.output[STATUS] != ANSWERED:
            found.append(MissedCall(str(result.output[CALL]), place, str(result.output[STATUS])))
    return found


class ReplayedTurns:
    """
    Writes turns anew. Calls that the execution placed have other ids when it places them again: each id of before
    stands for the call that was under way when the replay came to it first.

    Args:
        missed: Ids of calls whose end the replay knows of without being told.
    """

    def __init__(self, missed: Collection[str]) -> None:
        self._missed = frozenset(missed)
        self._calls: dict[str, str] = {}

    def knows(self, turn: Turn) -> bool:
        """Whether a turn says nothing that the replay is not told otherwise."""
        return turn.signal is Signal.CALL_ENDED and turn.payload[CALL] in self._missed

    def record(self, turn: Turn, replay: ExecutionState) -> dict[str, Any]:
        """Returns what is recorded of a turn for the execution that runs again, as that stands now."""
        call = self._call_of(turn, replay)
        payload = {**turn.payload, CALL: call} if call is not None and CALL in turn.payload else turn.payload
        if turn.key is not None and turn.line is not None and call is not None:
            line = ids.line_of(replay.execution_id, call)
            return call_record(turn.key, payload, line, turn.signal, turn.node_id)
        if turn.signal is not None:
            return signal_record(turn.signal, payload, turn.node_id)
        return turn_record(turn.key, payload, turn.skip)

    def _call_of(self, turn: Turn, replay: ExecutionState) -> str | None:
        """The replay's call that a turn is about; None where it is about none, or the replay has placed none."""
        if turn.line is not None:
            before = turn.line.partition(":")[2]
        elif turn.signal is Signal.CALL_ENDED:
            before = str(turn.payload[CALL])
        else:
            return None
        if before not in self._calls:
            now = _under_way(replay)
            if now is None:
                return None
            self._calls[before] = now
        return self._calls[before]


def _under_way(state: ExecutionState) -> str | None:
    """The call that rings, else the one that is talked in."""
    for wait in state.waits.values():
        if wait.kind is WaitKind.CALL:
            return str(wait.memory[CALL])
    return None if state.call is None else state.call.session_id
