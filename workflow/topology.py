"""
The shape of a flow: who leads to whom, which edges close a cycle, in which order nodes come.

Deterministic: nodes and edges are walked in the order in which the author wrote them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Arc:
    """An edge without its meaning; `index` is its place in the flow's list of edges."""

    index: int
    source: str
    target: str


class Topology:
    """
    Attributes:
        trigger: Node where everything starts.
        nodes: Ids of all nodes, the trigger first.
        arcs: Edges between known nodes.
    """

    def __init__(self, trigger: str, nodes: Sequence[str], arcs: Sequence[Arc]) -> None:
        self.trigger = trigger
        self.nodes = tuple(dict.fromkeys([trigger, *nodes]))
        known = set(self.nodes)
        self.arcs = tuple(arc for arc in arcs if arc.source in known and arc.target in known)

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[Arc, ...]]:
        """Edges that leave each node, in the author's order."""
        return self._grouped("source")

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Arc, ...]]:
        """Edges that enter each node, in the author's order."""
        return self._grouped("target")

    @cached_property
    def closing_arcs(self) -> frozenset[int]:
        """Indexes of the edges that close a cycle: those that lead back to a node on the way from the trigger."""
        return self._walked.closing

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every node after all that lead to it, edges that close a cycle aside; unreachable nodes come last."""
        return _reachable_first(self._walked.reverse_finishing, self.trigger)

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Nodes that the trigger leads to, itself included."""
        return frozenset({self.trigger}) | self.downstream(self.trigger)

    @cached_property
    def depth(self) -> int:
        """Nodes on the longest way from the trigger, cycles cut."""
        depths: dict[str, int] = {}
        for node in self.order:
            if node in self.reachable:
                before = [
                    depths[arc.source]
                    for arc in self.incoming[node]
                    if arc.index not in self.closing_arcs and arc.source in depths
                ]
                depths[node] = 1 + max(before, default=0)
        return max(depths.values())

    def downstream(self, node: str) -> frozenset[str]:
        """Nodes that a node leads to; itself only where it stands in a cycle."""
        found: set[str] = set()
        pending = [node]
        while pending:
            for arc in self.outgoing[pending.pop()]:
                if arc.target not in found:
                    found.add(arc.target)
                    pending.append(arc.target)
        return frozenset(found)

    def cycles(self) -> Iterator[tuple[str, ...]]:
        """Yields the nodes of each group that can reach one another, in walking order. Takes linear time (Kosaraju)."""
        grouped: set[str] = set()
        places = {node: place for place, node in enumerate(self.order)}
        for root in self._walked.reverse_finishing:
            if root in grouped:
                continue
            grouped.add(root)
            group = [root]
            for node in group:
                for arc in self.incoming[node]:
                    if arc.source not in grouped:
                        grouped.add(arc.source)
                        group.append(arc.source)
            if len(group) > 1 or any(arc.target == root for arc in self.outgoing[root]):
                yield tuple(sorted(group, key=places.__getitem__))

    def without(self, removed: frozenset[str]) -> "Topology":
        """Returns the shape that is left when nodes are taken out; the trigger stays."""
        nodes = [node for node in self.nodes if node not in removed or node == self.trigger]
        arcs = [arc for arc in self.arcs if arc.source not in removed and arc.target not in removed]
        return Topology(self.trigger, nodes, arcs)

    def _grouped(self, end: str) -> Mapping[str, tuple[Arc, ...]]:
        groups: dict[str, list[Arc]] = {node: [] for node in self.nodes}
        for arc in self.arcs:
            groups[getattr(arc, end)].append(arc)
        return {node: tuple(arcs) for node, arcs in groups.items()}

    @cached_property
    def _walked(self) -> "_Walk":
        """Walks depth first without recursion."""
        closing: set[int] = set()
        finished: list[str] = []
        opened: set[str] = set()
        entered: set[str] = set()
        # Later edges are walked first, so that the reversed finishing order keeps the author's order of branches.
        for root in (self.trigger, *reversed(self.nodes[1:])):
            if root in entered:
                continue
            entered.add(root)
            opened.add(root)
            stack = [(root, iter(reversed(self.outgoing[root])))]
            while stack:
                node, arcs = stack[-1]
                arc = next(arcs, None)
                if arc is None:
                    stack.pop()
                    opened.discard(node)
                    finished.append(node)
                elif arc.target in opened:
                    closing.add(arc.index)
                elif arc.target not in entered:
                    entered.add(arc.target)
                    opened.add(arc.target)
                    stack.append((arc.target, iter(reversed(self.outgoing[arc.target]))))
        return _Walk(tuple(reversed(finished)), frozenset(closing))


@dataclass(frozen=True, slots=True)
class _Walk:
    """
    What a depth-first walk found.

    Attributes:
        reverse_finishing: Nodes, those that were left last first.
        closing: Indexes of the edges that led back to a node that was still open.
    """

    reverse_finishing: tuple[str, ...]
    closing: frozenset[int]


def _reachable_first(order: Sequence[str], trigger: str) -> tuple[str, ...]:
    """Unreachable roots finish last in a reversed walk, so they would stand before the trigger; they go behind."""
    start = order.index(trigger)
    return (*order[start:], *order[:start])
