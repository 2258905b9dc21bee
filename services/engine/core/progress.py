"""Carries what nodes came to into the state: waits begin and end, edges are decided, the execution ends."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.engine.core import flow
from services.engine.core.branches import Branches
from services.engine.core.ports import Unsettled
from services.engine.core.program import Program
from services.engine.core.settling import Settling
from services.engine.core.state import Call, ExecutionState, ExecutionStatus, Stage, Waiting
from services.engine.core.surroundings import Surroundings
from services.engine.core.visit import Ended, Failed, Outcomes, Suspended, Visit
from workflow.errors import NodeError, permanent
from workflow.node_type import Resumption
from workflow.outcome import Settlement, WaitKind
from workflow.voice import ANSWERED, Action

MAX_VISITS_PER_TURN = 1000
MAX_VISITS = 10_000


def resumption_name(workflow_id: str, msisdn: str) -> str:
    """Names the newest execution of a flow for a phone, for a new dial to find it."""
    return f"ussd:{workflow_id}:{msisdn}"


class Progress:
    """The state of one run as it goes on."""

    def __init__(self, program: Program, state: ExecutionState, settling: Settling, around: Surroundings) -> None:
        self._program = program
        self._state = state
        self._settling = settling
        self._around = around
        self._branches = Branches(program, state, around.now_ms, around.random)
        self._visits_before_turn = state.visits
        # What is ready as the run begins was ready in an engine that has handed over, which may have begun it.
        self._inherited = set(state.ready())

    def new_turn(self) -> None:
        """A turn begins; the bound on visits counts from here."""
        self._visits_before_turn = self._state.visits

    def due(self, running: set[str]) -> str | None:
        """Returns a node whose visit has begun and is not run yet; None when there is none or the flow loops."""
        due = next((node_id for node_id in self._state.ready() if node_id not in running), None)
        return None if due is None or self._loops() else due

    def begin(self, node_id: str) -> Visit | None:
        """Runs a visit that is due to its end where the node has no effect; returns it where it has one."""
        node = self._program.nodes[node_id]
        may_have_begun = self._state.broken_off or node_id in self._inherited
        visit = Visit(self._program, self._state, node_id, self._around, may_have_begun=may_have_begun)
        self._inherited.discard(node_id)
        if self._state.node(node_id).kept:
            self.conclude(node_id, visit.kept())
        elif node.node.disabled:
            self.conclude(node_id, visit.passed(self._settling.note))
        elif node.type.has_effect:
            failed = visit.settle_texts(self._settling.note)
            if failed is None:
                return visit
            self.conclude(node_id, failed)
        else:
            self.conclude(node_id, visit.run_at_once(self._settling.note))
        return None

    def conclude(self, node_id: str, outcome: Outcomes) -> None:
        """Carries what a visit came to into the state."""
        self._carry(node_id, outcome)
        self._branches.settle()

    def _carry(self, node_id: str, outcome: Outcomes) -> None:
        match outcome:
            case Suspended(wait, text, names, actions, correlations):
                self._state.node(node_id).stage = Stage.WAITING
                self._state.waits[node_id] = wait
                self._say(text, actions)
                self._settling.correlate(correlations)
                self._settling.watch([Unsettled(name, node_id) for name in names])
            case Ended(taken, output, text, correlations, actions, opens_call):
                if output is not None:
                    self._state.output = output
                    self._state.node(node_id).succeeded = True
                    self._branches.began(node_id)
                if opens_call is not None:
                    self._state.call = Call(opens_call)
                self._say(text, actions)
                self._settling.correlate(correlations)
                self._leave(node_id, taken)
            case Failed(error) if _is_uncaught(outcome) and self._branches.take(node_id, error):
                # A second try may send under a new key: that the first one failed must be durable before.
                self._settling.has_unsaved_effect = True
            case Failed(error, None, wait_expired=wait_expired):
                self.end(ExecutionStatus.TIMEOUT if wait_expired else ExecutionStatus.FAILED, error)
            case Failed(error, list(taken)):
                if not (outcome.passed_over and self._has_too_many_errors(node_id, error)):
                    self._leave(node_id, taken)

    def answer(self, node_id: str, typed: str) -> None:
        """Goes on with a node that waited for what a person typed."""
        self._resume(node_id, typed)

    def settle(self, node_id: str, settlement: Settlement) -> None:
        """Goes on with a node whose effect is known to have taken place; nothing happens unless it waits for that."""
        wait = self._state.waits.get(node_id)
        if wait is not None and wait.kind is WaitKind.SETTLEMENT:
            del self._state.waits[node_id]
            self.conclude(node_id, self._visit(node_id).settled(settlement, self._settling.note_attempt))

    def resumable_by(self, msisdn: object) -> None:
        """Makes the execution one that a new dial from this phone finds, where the flow may be continued."""
        graph = self._program.graph
        if graph.settings.resume_within_ms and isinstance(msisdn, str) and not self._state.options.dry_run:
            self._settling.correlate([resumption_name(graph.workflow_id, msisdn)])

    def message_came(self, node_id: str, visit: int, message: Mapping[str, Any]) -> None:
        """Goes on with a node that waited for an SMS; nothing happens where this visit of it waits no more."""
        wait = self._state.waits.get(node_id)
        if wait is not None and wait.kind is WaitKind.SMS and self._state.node(node_id).visit == visit:
            self._state.payload.update(message, input=message["message"])
            self._resume(node_id, None, message)

    def picked_up(self, node_id: str | None, payload: Mapping[str, Any]) -> None:
        """Goes on with a node that called a person who answers now; nothing happens where it waits no more."""
        call = str(payload["callSessionId"])
        calling = self._calling(call, node_id, payload)
        if calling is not None:
            self._resume(calling, None, {"answered": True, "callSessionId": call})
        elif node_id is not None and self._is_visit(node_id, payload):
            self.settle(node_id, Settlement(f"call:{call}", call, ANSWERED))

    def call_ended(self, node_id: str | None, payload: Mapping[str, Any]) -> None:
        """Goes on with what waits for a call that has ended, or for what is said in it."""
        call, cause = str(payload["callSessionId"]), str(payload["cause"])
        calling = self._calling(call, node_id, payload)
        if calling is not None:
            self._resume(calling, None, {"answered": False, "cause": cause, "callSessionId": call})
        elif node_id is not None and self._is_visit(node_id, payload):
            self.settle(node_id, Settlement(f"call:{call}", call, cause))
        under_way = self._state.call
        if under_way is not None and under_way.session_id == call and not under_way.is_over:
            under_way.is_over = True
            self.hang_up(str(payload["reason"]))

    def _calling(self, call: str, node_id: str | None, payload: Mapping[str, Any]) -> str | None:
        """
        The node that waits for somebody to answer this call.

        What we gave the call when we placed it counts more than its id: the network may call under another id than the
        one that it answered with.
        """
        if node_id is not None and self._is_visit(node_id, payload):
            wait = self._state.waits.get(node_id)
            return node_id if wait is not None and wait.kind is WaitKind.CALL else None
        for waiting, wait in self._state.waits.items():
            if wait.kind is WaitKind.CALL and wait.memory.get("callSessionId") == call:
                return waiting
        return None

    def _is_visit(self, node_id: str, payload: Mapping[str, Any]) -> bool:
        """Whether word of a call is of the one that the node placed last."""
        return self._state.node(node_id).visit == payload.get("visit")

    def hang_up(self, why: str) -> None:
        """Ends the waits for a person: nobody can answer any more."""
        for node_id, wait in list(self._state.waits.items()):
            if wait.kind is WaitKind.INPUT and not self._state.ended:
                self._give_up_on_person(node_id, wait, why)

    def end_waits(self, *, expects_turn: bool) -> None:
        """
        Ends the waits that are due.

        Args:
            expects_turn: Whether something has come in that may answer; then waits for a person go on.
        """
        now = self._around.now_ms()
        for node_id, wait in list(self._state.waits.items()):
            if wait.expires_at_ms > now or self._state.ended:
                continue
            match wait.kind:
                case WaitKind.TIMER:
                    self._resume(node_id, None)
                case WaitKind.CALL if not expects_turn:
                    self._resume(node_id, None)
                case WaitKind.SMS if not expects_turn:
                    why = f"no SMS came within {wait.expires_at_ms - wait.since_ms} ms"
                    self._give_up_on_person(node_id, wait, why)
                case WaitKind.RETRY if self._program.nodes[node_id].branch:
                    self._branches.forget(node_id)
                    self._resume(node_id, None)
                case WaitKind.RETRY:
                    del self._state.waits[node_id]
                    self._state.node(node_id).stage = Stage.READY
                case WaitKind.SETTLEMENT:
                    del self._state.waits[node_id]
                    self._unsettled(node_id)
                case WaitKind.INPUT if not expects_turn:
                    why = f"nobody answered within {wait.expires_at_ms - wait.since_ms} ms"
                    self._give_up_on_person(node_id, wait, why)

    def end(self, status: ExecutionStatus, error: NodeError | None) -> None:
        """Ends the execution."""
        self._state.status = status
        self._state.error = error
        self._state.completed_at_ms = self._around.now_ms()
        self._state.waits.clear()
        for node in self._state.nodes.values():
            node.config = None

    def _give_up_on_person(self, node_id: str, wait: Waiting, why: str) -> None:
        del self._state.waits[node_id]
        # The screen is gone from the phone; what comes now is said to whoever asks later.
        self._state.say_nothing()
        self._state.reply = None
        self.conclude(node_id, self._visit(node_id).expired(wait, why, self._settling.note))
        # After a crash an answer could come first, so no effect may build on this before it is durable.
        self._settling.has_unsaved_effect = True

    def _unsettled(self, node_id: str) -> None:
        """Nobody reported the effect: it is repeated, or given up."""
        outcome = self._visit(node_id).unsettled()
        if outcome is None:
            self._state.node(node_id).stage = Stage.READY
            # The new key must be durable before it is used, else a report of the first send could settle nothing.
            self._settling.has_unsaved_effect = True
        else:
            self.conclude(node_id, outcome)

    def _resume(self, node_id: str, typed: str | None, event: Mapping[str, Any] | None = None) -> None:
        wait = self._state.waits.pop(node_id)
        resumption = Resumption(memory=wait.memory, input=typed, payload=self._state.payload, event=event)
        self.conclude(node_id, self._visit(node_id).resume_at_once(wait, resumption, self._settling.note))

    def _visit(self, node_id: str) -> Visit:
        return Visit(self._program, self._state, node_id, self._around)

    def _leave(self, node_id: str, taken: list[str]) -> None:
        flow.leave(self._state, self._program, node_id, taken, self._around.now_ms(), self._settling.note, self._texts)

    def _texts(self, node_id: str) -> dict[str, Any] | None:
        return self._visit(node_id).texts()

    def _say(self, text: str | None, actions: Sequence[Action]) -> None:
        if text is not None:
            self._state.texts.append(text)
        self._state.actions.extend(actions)

    def _has_too_many_errors(self, node_id: str, error: NodeError) -> bool:
        """Counts a failure that is passed over; ends the execution when they are as many as the flow allows."""
        self._state.passed_over += 1
        limit = self._program.graph.error_handling.max_errors
        if limit is None or self._state.passed_over < limit:
            return False
        message = f"{limit} nodes failed, as many as errorHandling.maxErrors says; the last was {node_id}: {error.code}"
        self.end(ExecutionStatus.FAILED, permanent("TOO_MANY_ERRORS", message))
        return True

    def _loops(self) -> bool:
        if self._state.visits - self._visits_before_turn > MAX_VISITS_PER_TURN:
            limit = f"{MAX_VISITS_PER_TURN} nodes in one turn"
        elif self._state.visits > MAX_VISITS:
            limit = f"{MAX_VISITS} nodes"
        else:
            return False
        self.end(ExecutionStatus.FAILED, permanent("LOOP_LIMIT", f"the execution ran more than {limit}"))
        return True


def _is_uncaught(failed: Failed) -> bool:
    """Whether no edge catches a failure of the platform or the outside; a person who does not answer is none."""
    return (failed.taken is None or failed.passed_over) and not failed.wait_expired
