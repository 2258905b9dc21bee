"""
Which outputs are surely there when a node runs.

A forward analysis over sets of nodes (integers with one bit a node): before a node, an output is surely there when it
is so on every edge that can lead to the node, or when a node that surely ran always leads to its maker and the node
waits for that one.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property

from services.validator.branches import Branches
from services.validator.flow import Flow, FlowEdge, FlowNode
from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT

EVERYTHING = -1


class Bindings:
    """Answers for one flow that has a trigger. `groups` are sets of nodes that are asked about as one."""

    def __init__(self, flow: Flow, groups: Iterable[frozenset[str]] = ()) -> None:
        self._flow = flow
        self._groups = {group: 1 << number for number, group in enumerate(dict.fromkeys(groups))}
        self._branches = Branches(flow)
        self._members = {group: self._branches.set_of(group) for group in self._groups}
        self._goes_on = flow.draft.error_handling.continue_on_error
        self._order = [node for node in flow.topology.order if node in flow.topology.reachable]
        self.may_precede = cache(self._may_precede)

    def surely_there(self, node: str, maker: str) -> bool:
        """Whether `maker` surely succeeded before `node` runs. True for a node that never runs: it has other faults."""
        return bool(self._before.get(node, EVERYTHING) & self._branches.bit(maker))

    def surely_there_on(self, edge: FlowEdge, maker: str) -> bool:
        """Whether `maker` surely succeeded before the condition of `edge` is evaluated."""
        return bool(self._carried(edge, self._before, self._own_bits) & self._branches.bit(maker))

    def surely_one_of(self, node: str, group: frozenset[str]) -> bool:
        """Whether one of a group surely succeeded before `node` runs, whichever way led there."""
        if self._groups_before.get(node, EVERYTHING) & self._groups[group]:
            return True
        return bool(self._before.get(node, EVERYTHING) & self._members[group])

    def surely_one_of_on(self, edge: FlowEdge, group: frozenset[str]) -> bool:
        """The same before the condition of `edge` is evaluated."""
        if self._carried(edge, self._groups_before, self._group_bits) & self._groups[group]:
            return True
        return bool(self._carried(edge, self._before, self._own_bits) & self._members[group])

    def side_by_side(self, one: str, other: str) -> bool:
        """Whether both can be due at the same time."""
        return self._branches.side_by_side(one, other)

    def _may_precede(self, maker: str) -> frozenset[str]:
        """The nodes that `maker` leads to."""
        return self._flow.topology.downstream(maker)

    @cached_property
    def _before(self) -> Mapping[str, int]:
        return self._surely_before(self._own_bits, self._with_implied)

    @cached_property
    def _groups_before(self) -> Mapping[str, int]:
        """The same with a bit a group. What surely comes of other branches alone is not in it."""
        return self._surely_before(self._group_bits, lambda _, sets: sets)

    @cached_property
    def _own_bits(self) -> Mapping[str, int]:
        return {node: self._branches.bit(node) for node in self._order}

    @cached_property
    def _group_bits(self) -> Mapping[str, int]:
        bits = dict.fromkeys(self._order, 0)
        for group, bit in self._groups.items():
            for node in group & bits.keys():
                bits[node] |= bit
        return bits

    def _surely_before(self, made: Mapping[str, int], closed: Callable[[str, int], int]) -> Mapping[str, int]:
        """What the nodes on every way to each node have made, where a success of a node makes its bits."""
        found = dict.fromkeys(self._order, EVERYTHING)
        found[self._order[0]] = 0
        changed = True
        while changed:
            changed = False
            for node in self._order[1:]:
                sets = EVERYTHING
                for edge in self._edges_in[node]:
                    sets &= EVERYTHING if edge.source is None else self._carried(edge, found, made)
                sets = closed(node, sets)
                if sets != found[node]:
                    found[node], changed = sets, True
        return found

    @cached_property
    def _edges_in(self) -> Mapping[str, list[FlowEdge]]:
        groups: dict[str, list[FlowEdge]] = {node: [] for node in self._order}
        for edge in self._flow.edges:
            is_from_nowhere = edge.source is None or edge.source.id in groups
            if edge.target is not None and edge.target.id in groups and is_from_nowhere:
                groups[edge.target.id].append(edge)
        return groups

    def _carried(self, edge: FlowEdge, before: Mapping[str, int], made: Mapping[str, int]) -> int:
        assert edge.source is not None
        carried = before.get(edge.source.id, EVERYTHING)
        return carried | made.get(edge.source.id, 0) if self._means_success(edge) else carried

    def _means_success(self, edge: FlowEdge) -> bool:
        """Whether the source has succeeded, and so has an output, when the edge is taken."""
        source = edge.source
        if source is None or source.is_unclear or edge.way is None or source is self._flow.trigger:
            return True
        if source.draft.disabled or edge.way.handle in (ERROR, TIMEOUT):
            return False
        return not (self._goes_on and edge.way.handle in (None, DEFAULT))

    def _with_implied(self, node: str, sets: int) -> int:
        """Adds the outputs of nodes that this one waits for and that are surely made by what is already in the set."""
        awaited = self._branches.surely_before[node]
        for maker, leaders in self._implied.items():
            bit = self._branches.bit(maker)
            if awaited & bit and not sets & bit and sets & leaders:
                sets |= bit
        return sets

    @cached_property
    def _implied(self) -> Mapping[str, int]:
        """The nodes whose failure ends the flow, in order, with the nodes whose every success leads to them."""
        found: dict[str, int] = {}
        for node in self._order:
            if self._may_fail_quietly(self._flow.nodes[node]):
                continue
            leaders = 0
            for edge in self._edges_in[node]:
                if edge.source is not None and _is_always_taken(edge):
                    leaders |= self._branches.bit(edge.source.id)
            if leaders:
                found[node] = leaders
        return found

    def _may_fail_quietly(self, node: FlowNode) -> bool:
        handles = {edge.way.handle for edge in self._flow.outgoing[node.id] if edge.way is not None}
        return node.draft.disabled or self._goes_on or bool(handles & {ERROR, TIMEOUT})


def _is_always_taken(edge: FlowEdge) -> bool:
    """Whether every success of the source takes the edge."""
    if edge.source is None or edge.source.outputs is None or edge.way is None or edge.way.expression is not None:
        return False
    outputs = [output for output in edge.source.outputs if output not in (ERROR, TIMEOUT)]
    has_other_ways = SUCCESS in outputs and len(outputs) > 1
    return (
        (edge.way.handle is None and not has_other_ways)
        or outputs == [edge.way.handle]
        or (edge.way.handle == SUCCESS and SUCCESS not in outputs)
    )
