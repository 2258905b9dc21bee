"""CYCLE_DETECTED: a cycle that can go round without waiting for the outside would never end."""

from collections.abc import Iterator

from services.validator.flow import Flow
from workflow.issues import Issue
from workflow.topology import Topology


def check(flow: Flow) -> Iterator[Issue]:
    """Yields one issue for each group of nodes that form cycles without a wait."""
    if flow.trigger is None:
        return
    waiting = frozenset(node.id for node in flow.nodes.values() if node.waits or node.is_unclear)
    remaining = flow.topology.without(waiting)
    for group in remaining.cycles():
        way = _way_round(remaining, group)
        message = (
            f"{' → '.join(way)} goes round without waiting for anybody: "
            "put a node that waits into it, such as a screen that expects input, or take one of its edges away"
        )
        yield Issue("CYCLE_DETECTED", message, way[0], path=flow.nodes[way[0]].path)


def _way_round(topology: Topology, group: tuple[str, ...]) -> list[str]:
    """Returns a shortest way from the first node of the group back to it."""
    start, members = group[0], set(group)
    came_from: dict[str, str] = {}
    pending = [start]
    for node in pending:
        for arc in topology.outgoing[node]:
            if arc.target == start:
                way = [node]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return [*reversed(way), start]
            if arc.target in members and arc.target not in came_from:
                came_from[arc.target] = node
                pending.append(arc.target)
    return [start]
