"""
Branches that are tried again: which nodes one covers, and what becomes of a failure in there.

A failure that no edge catches makes the branch wait, once nothing of it runs any more; then what was decided in it is
forgotten and it begins anew. What a node did that must not be done twice stands: it keeps its visit, its output and
its idempotency key, and is passed through.
"""

from collections.abc import Callable

from services.engine.core import flow
from services.engine.core.program import Program, RunnableNode
from services.engine.core.retry import next_delay_ms
from services.engine.core.state import ExecutionState, Stage, Waiting
from workflow.errors import NodeError
from workflow.outcome import WaitKind


class Branches:
    """The branches of one execution that are tried again. `now_ms` is Unix time, `random` gives numbers from 0 to 1."""

    def __init__(
        self, program: Program, state: ExecutionState, now_ms: Callable[[], int], random: Callable[[], float]
    ) -> None:
        self._program = program
        self._state = state
        self._now_ms = now_ms
        self._random = random

    def take(self, node_id: str, error: NodeError) -> bool:
        """Takes a failure that nothing else catches; returns whether its branch is tried again, or given up."""
        for head in self._program.nodes[node_id].covered_by:
            if self._takes(head, error):
                failed = self._state.node(node_id)
                failed.stage, failed.config = Stage.DONE, None
                return True
        return False

    def began(self, node_id: str) -> None:
        """Notes when a branch was tried first."""
        own = self._state.node(node_id)
        if self._program.nodes[node_id].branch and own.attempt == 1:
            own.tried_since_ms = self._now_ms()

    def settle(self) -> None:
        """Lets branches wait for their next try once nothing of them runs any more."""
        for head in self._program.branch_heads:
            own = self._state.node(head)
            if own.tries_again is None or any(
                self._state.node(node_id).stage in flow.BUSY for node_id in self._program.nodes[head].branch
            ):
                continue
            now = self._now_ms()
            memory = {"again": own.tries_again}
            self._state.waits[head] = Waiting(WaitKind.RETRY, now + (own.retry_delay_ms or 0), memory, now)
            own.stage, own.tries_again = Stage.WAITING, None

    def forget(self, node_id: str) -> None:
        """Makes the branch of a node ready to be tried again."""
        flow.forget_branch(self._state, self._program, self._program.nodes[node_id])

    def _takes(self, head: str, error: NodeError) -> bool:
        node, own = self._program.nodes[head], self._state.node(head)
        if own.stage is Stage.WAITING or own.tries_again is not None:
            # It is tried again already, for another failure.
            return True
        delay_ms = self._delay_ms(node, error)
        if delay_ms is None and not _is_caught(node):
            return False
        own.tries_again, own.retry_delay_ms = delay_ms is not None, delay_ms
        return True

    def _delay_ms(self, node: RunnableNode, error: NodeError) -> int | None:
        assert node.fixed is not None, "how often a branch is tried is no template"
        own = self._state.node(node.node.id)
        policy = node.type.branch_policy(node.fixed)
        delay_ms = next_delay_ms(policy, error, own.attempt, None, self._random)
        until_ms = own.tried_since_ms + node.node.timeout_ms
        if delay_ms is None or (node.node.timeout_ms and self._now_ms() + delay_ms > until_ms):
            return None
        return delay_ms


def _is_caught(node: RunnableNode) -> bool:
    """Whether an edge says what happens when the branch is given up."""
    assert node.fixed is not None
    handle = node.type.gives_up_by(node.fixed)
    return any(edge.edge.source_handle == handle for edge in node.outgoing)
