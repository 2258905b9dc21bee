"""
Which nodes of a flow come one after the other, which exclude each other, and which can be due at the same time.

Cycles are cut: an edge that leads back starts a new round, it does not run beside the round before.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from services.validator.flow import Flow, FlowEdge, FlowNode
from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT
from workflow.topology import Arc


class Branches:
    """Answers for one flow that has a trigger. Sets of nodes are integers with one bit a node, in execution order."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._order = [node for node in flow.topology.order if node in flow.topology.reachable]
        self._bits = {node: 1 << place for place, node in enumerate(self._order)}
        self._places = {node: place for place, node in enumerate(self._order)}

    @cached_property
    def surely_before(self) -> Mapping[str, int]:
        """The nodes that each node waits for: whether they run or not is settled before it runs."""
        found: dict[str, int] = {}
        for node in self._order:
            sets = [found[arc.source] | self._bits[arc.source] for arc in self._arcs_in[node]]
            if not sets:
                found[node] = 0
            elif self._flow.nodes[node].waits_for_all:
                found[node] = _union(sets)
            else:
                found[node] = _intersection(sets)
        return found

    def bit(self, node: str) -> int:
        """The set of this node alone; the empty set for one that the trigger does not lead to."""
        return self._bits.get(node, 0)

    def set_of(self, nodes: Iterable[str]) -> int:
        """The set of these nodes, those left out that the trigger does not lead to."""
        return _union(self.bit(node) for node in nodes)

    def parallel(self, partners: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
        """
        Yields nodes that can be due beside an earlier partner of theirs, each once: partner, node, where ways part.

        Two nodes are parallel when two ways that share no node lead to them from a node that can take both, and
        neither waits for the other. Ways that part by different handles exclude each other. Two edges with different
        conditions may exclude each other, so they count as if they did.
        """
        # What is set before a bit in execution order are the bits below it.
        pending = {
            node: partners[node] & (self._bits[node] - 1) & ~self.surely_before[node]
            for node in self._order
            if node in partners
        }
        for fork, targets in self._forks:
            ahead = _union(self._reach[target] for target in targets)
            due = [node for node, others in pending.items() if self._bits[node] & ahead and others & ahead]
            if not due:
                continue
            ways = self._ways(fork, targets)
            members = self._members(ways)
            for node in due:
                beside = pending[node] & ahead & ~members[ways[node]]
                if beside:
                    del pending[node]
                    yield self._order[(beside & -beside).bit_length() - 1], node, fork

    def side_by_side(self, one: str, other: str) -> bool:
        """Whether both can be due at the same time, as `parallel` has it."""
        return bool(self._beside.get(one, 0) & self.bit(other))

    @cached_property
    def _beside(self) -> Mapping[str, int]:
        """The nodes that can be due at the same time as each node."""
        found = dict.fromkeys(self._order, 0)
        for fork, targets in self._forks:
            ways = self._ways(fork, targets)
            members = self._members(ways)
            ahead = _union(members.values())
            for node, way in ways.items():
                found[node] |= ahead & ~members[way] & ~self.surely_before[node]
        for node in self._order:
            for later in self._order[self._places[node] + 1 :]:
                if self.surely_before[later] & self._bits[node]:
                    found[node] &= ~self._bits[later]
        return found

    def _members(self, ways: Mapping[str, str]) -> dict[str, int]:
        members: dict[str, int] = {}
        for node, way in ways.items():
            members[way] = members.get(way, 0) | self._bits[node]
        return members

    @cached_property
    def _forks(self) -> list[tuple[str, frozenset[str]]]:
        """Nodes of which one outcome takes several edges, with the targets of those."""
        return [(node, targets) for node in self._order for targets in self._taken_together(node)]

    @cached_property
    def _reach(self) -> Mapping[str, int]:
        """Each node with all that it leads to, cycles cut."""
        found: dict[str, int] = {}
        for node in reversed(self._order):
            found[node] = self._bits[node] | _union(found[arc.target] for arc in self._arcs_out[node])
        return found

    def _ways(self, fork: str, targets: frozenset[str]) -> Mapping[str, str]:
        """
        Names the way by which each node hangs on the fork: the first node behind it that all ways to the node pass.

        Two nodes of different ways can be reached by ways that share nothing (the dominators of Menger's theorem).
        """
        ways: dict[str, str] = {}
        for node in self._order[self._places[fork] + 1 :]:
            before = {ways[arc.source] for arc in self._arcs_in[node] if arc.source in ways}
            if node in targets or len(before) > 1:
                ways[node] = node
            elif before:
                ways[node] = before.pop()
        return ways

    def _taken_together(self, node: str) -> Iterator[frozenset[str]]:
        """Yields the targets of each set of edges that one outcome of the node can take, where there are several."""
        edges = [edge for edge in self._flow.outgoing[node] if edge.index in self._forward]
        if len(edges) < 2:
            return
        for taken in _outcomes(self._flow.nodes[node], edges):
            always = [edge for edge in taken if edge.way is None or edge.way.expression is None]
            conditions = {edge.way.expression for edge in taken if edge.way is not None} - {None}
            for condition in conditions or {None}:
                also = [edge for edge in taken if edge.way is not None and edge.way.expression == condition]
                targets = frozenset(edge.target.id for edge in (*always, *also) if edge.target is not None)
                if len(targets) > 1:
                    yield targets

    @cached_property
    def _forward(self) -> frozenset[int]:
        """Indexes of the edges that lead on."""
        topology = self._flow.topology
        return frozenset(
            arc.index
            for arc in topology.arcs
            if arc.index not in topology.closing_arcs and arc.source in self._bits and arc.target in self._bits
        )

    @cached_property
    def _arcs_in(self) -> Mapping[str, list[Arc]]:
        return {
            node: [arc for arc in self._flow.topology.incoming[node] if arc.index in self._forward]
            for node in self._order
        }

    @cached_property
    def _arcs_out(self) -> Mapping[str, list[Arc]]:
        return {
            node: [arc for arc in self._flow.topology.outgoing[node] if arc.index in self._forward]
            for node in self._order
        }


def _outcomes(node: FlowNode, edges: Iterable[FlowEdge]) -> Iterator[list[FlowEdge]]:
    """Yields the edges that each outcome of a node takes, conditions aside. Nothing is known of an unclear node."""
    if node.outputs is None:
        return
    known = [(edge, edge.way.handle) for edge in edges if edge.way is not None]
    if node.draft.disabled:
        yield [edge for edge, handle in known if handle in (None, DEFAULT, SUCCESS)]
        return
    for output in node.outputs:
        if output not in (ERROR, TIMEOUT):
            if SUCCESS not in node.outputs:
                fitting = {None, output, SUCCESS}
            else:
                fitting = {None, output} if output == SUCCESS else {output}
            yield [edge for edge, handle in known if handle in fitting]
    for failure in (ERROR, TIMEOUT):
        yield [edge for edge, handle in known if handle == failure]


def _union(sets: Iterable[int]) -> int:
    result = 0
    for one in sets:
        result |= one
    return result


def _intersection(sets: Iterable[int]) -> int:
    result = -1
    for one in sets:
        result &= one
    return result
