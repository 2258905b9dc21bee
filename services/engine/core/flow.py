"""
Which node runs next: edges are decided, nodes become ready or are skipped, loops start new visits.

A node runs once all of its awaited edges are decided and at least one is taken; edges that close a cycle are not
awaited. A node that runs again starts a new visit: every decision that lies downstream of it is forgotten, decisions
that were made elsewhere stay. Pure functions over the state; the clock is handed in.
"""

from collections.abc import Callable, Iterable
from typing import Any

from services.engine.core.program import Program, RunnableEdge, RunnableNode
from services.engine.core.state import Asked, Decision, ExecutionState, NodeResult, NodeStatus, Stage
from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT
from workflow.outcome import Done

Taken = Callable[[RunnableEdge], bool]
Log = Callable[[NodeResult], None]
Texts = Callable[[str], dict[str, Any] | None]
"""Renders the config of a node as of now; None where that is done when its visit begins."""

BUSY = (Stage.READY, Stage.WAITING)
"""Stages in which a visit has begun and not ended."""


def start(state: ExecutionState, program: Program) -> None:
    """Makes the trigger ready."""
    _begin_visit(state, program.trigger)


def leave(
    state: ExecutionState,
    program: Program,
    node_id: str,
    taken: Iterable[str],
    now_ms: int,
    log: Log,
    texts: Texts,
) -> None:
    """
    Ends the visit of a node and decides its edges: those in `taken` are taken, the others are not.

    Nodes that no taken edge can reach any more are skipped. The log says so once until they run, however often a loop
    passes them.
    """
    left = state.node(node_id)
    left.stage, left.config = Stage.DONE, None
    pending = [(node_id, frozenset(taken))]
    for current, taken_now in pending:
        outgoing = program.nodes[current].outgoing
        for edge in outgoing:
            state.edges[edge.edge.id] = Decision.TAKEN if edge.edge.id in taken_now else Decision.SKIPPED
        for target in dict.fromkeys(edge.edge.target for edge in outgoing if not edge.edge.closes_cycle):
            if _consider(state, program.nodes[target], texts):
                node = state.node(target)
                node.stage = Stage.SKIPPED
                if not node.skip_told:
                    node.skip_told = True
                    log(NodeResult(target, NodeStatus.SKIPPED, now_ms, visit=node.visit + 1))
                pending.append((target, frozenset()))
    # A new round of a loop forgets decisions downstream, so it begins when all of this round are made.
    for edge in program.nodes[node_id].outgoing:
        if edge.edge.closes_cycle and state.edges.get(edge.edge.id) is Decision.TAKEN:
            _consider(state, program.nodes[edge.edge.target], texts)
    # An edge that was taken while this node still ran begins its next visit now.
    _consider(state, program.nodes[node_id], texts)


def forget_branch(state: ExecutionState, program: Program, head: RunnableNode) -> None:
    """Forgets what was decided behind a node whose branch is tried again; successes that must stand are kept."""
    for node_id in head.branch:
        own = state.node(node_id)
        own.kept = own.stage is Stage.DONE and own.succeeded and program.nodes[node_id].keeps_success
    _forget_downstream(state, head)


def handle_of(node: RunnableNode, outcome: Done) -> str | None:
    """The handle that a success leaves by; None where the node has none."""
    return node.usual_handle if outcome.handle is None else outcome.handle


def success_edges(node: RunnableNode, left_by: str | None, holds: Taken) -> list[str]:
    """Ids of the edges that a success by this handle takes."""
    # `success` names a handle where the type has one of that name, else any success. A type that has one leaves by it
    # where an edge names nothing, and not by whatever else it may come to.
    if node.usual_handle != SUCCESS:
        fitting = {None, SUCCESS, left_by}
    else:
        fitting = {None, SUCCESS} if left_by == SUCCESS else {left_by}
    return [edge.edge.id for edge in node.outgoing if edge.edge.source_handle in fitting and holds(edge)]


def failure_edges(node: RunnableNode, timed_out: bool, holds: Taken) -> list[str]:
    """Ids of the edges that a failure takes: the timeout edges of a time-out, else the error edges."""
    handles = (TIMEOUT, ERROR) if timed_out else (ERROR,)
    for handle in handles:
        taken = [edge.edge.id for edge in node.outgoing if edge.edge.source_handle == handle and holds(edge)]
        if taken:
            return taken
    return []


def plain_edges(node: RunnableNode, holds: Taken) -> list[str]:
    """Ids of the edges that name no outcome: what an uncaught failure takes when the flow goes on."""
    return [edge.edge.id for edge in node.outgoing if edge.edge.source_handle in (None, DEFAULT) and holds(edge)]


def passing_edges(node: RunnableNode, holds: Taken) -> list[str]:
    """Ids of the edges that a disabled node takes: those that name no outcome, and success."""
    handles = (None, DEFAULT, SUCCESS)
    return [edge.edge.id for edge in node.outgoing if edge.edge.source_handle in handles and holds(edge)]


def _consider(state: ExecutionState, node: RunnableNode, texts: Texts) -> bool:
    """Begins a visit of the node if it is due. Returns whether the node is to be skipped instead."""
    current = state.node(node.node.id)
    if current.stage in BUSY:
        if len(node.awaited) <= 1:
            # Every round of a loop gets its own visit, with the texts of that round, however long this one takes.
            current.asked.extend(Asked(edge_id, texts(node.node.id)) for edge_id in _use(state, node))
        return False
    if current.asked:
        _begin_asked(state, node)
        return False
    fresh = [edge for edge in node.incoming if state.edges.get(edge.id) is Decision.TAKEN]
    decided = all(edge in state.edges for edge in node.awaited)
    if not fresh:
        return decided and current.stage is Stage.PENDING
    if not node.waits_for_all:
        if current.stage is Stage.DONE and not any(edge.closes_cycle for edge in fresh):
            _use(state, node)
            return False
        _begin_visit(state, node)
    elif decided:
        _begin_visit(state, node)
    return False


def _begin_asked(state: ExecutionState, node: RunnableNode) -> None:
    current = state.node(node.node.id)
    asked = current.asked.pop(0)
    _begin(state, node, [asked.edge])
    current.config = asked.config


def _begin_visit(state: ExecutionState, node: RunnableNode) -> None:
    _begin(state, node, _use(state, node))


def _begin(state: ExecutionState, node: RunnableNode, arrived: list[str]) -> None:
    current = state.node(node.node.id)
    current.arrived = arrived
    state.visits += 1
    if current.kept:
        current.stage = Stage.READY
        return
    if current.stage is not Stage.PENDING:
        _forget_downstream(state, node)
    if _starts_anew(node, arrived):
        for node_id in node.branch:
            state.node(node_id).kept = False
    current.stage = Stage.READY
    current.succeeded = False
    current.tries_again = None
    current.skip_told = False
    current.visit += 1
    current.attempt = 0
    current.begun = 0
    current.error = None
    current.retry_delay_ms = None
    current.repetition = 0


def _starts_anew(node: RunnableNode, arrived: list[str]) -> bool:
    """Whether nothing behind the node stands from before: what a branch around it keeps stands in this visit too."""
    return not node.covered_by or any(edge.closes_cycle for edge in node.incoming if edge.id in arrived)


def _use(state: ExecutionState, node: RunnableNode) -> list[str]:
    used = [edge.id for edge in node.incoming if state.edges.get(edge.id) is Decision.TAKEN]
    for edge_id in used:
        state.edges[edge_id] = Decision.USED
    return used


def _forget_downstream(state: ExecutionState, node: RunnableNode) -> None:
    """
    Forgets what was decided downstream; nodes that still run keep running and decide anew when they end.

    What such a node was asked for while it ran is not forgotten: it runs for that when it is done.
    """
    for edge in node.downstream_edges:
        is_asked_for = state.edges.get(edge.id) is Decision.TAKEN and state.node(edge.target).stage in BUSY
        if not is_asked_for:
            state.edges.pop(edge.id, None)
    for node_id in node.downstream:
        other = state.node(node_id)
        if other.stage in (Stage.DONE, Stage.SKIPPED):
            other.stage = Stage.PENDING
