"""What the nodes cover that try the branch behind them again."""

from collections.abc import Collection, Iterable, Mapping

from workflow.catalogue import CATALOGUE
from workflow.fields import NodeConfig
from workflow.graph import ExecutionGraph
from workflow.node_type import SUCCESS

Branches = Mapping[str, frozenset[str]]
"""By node that tries its branch again: the nodes in it."""


def covered(graph: ExecutionGraph, configs: Mapping[str, NodeConfig]) -> Branches:
    """
    Finds the branches of a flow that are tried again.

    One holds the nodes that only the success edges of its head lead to, up to the next node that waits for the outside.
    """
    waiting = {node.id for node in graph.nodes.values() if CATALOGUE[node.type].waits(configs[node.id])}
    found = {}
    for node in graph.nodes.values():
        if not node.disabled and CATALOGUE[node.type].branch_policy(configs[node.id]) is not None:
            own = {edge.id for edge in node.outgoing if edge.source_handle in (None, SUCCESS)}
            behind = _led_to(graph, (edge.target for edge in node.outgoing if edge.id in own), stops=waiting)
            elsewhere = _led_to(graph, [graph.trigger], leaving_out=own)
            found[node.id] = behind - elsewhere
    return found


def heads_of(branches: Branches, node_id: str) -> tuple[str, ...]:
    """Names the heads of the branches that a node is in, the innermost first."""
    heads = (head for head, branch in branches.items() if node_id in branch)
    return tuple(sorted(heads, key=lambda head: len(branches[head])))


def _led_to(
    graph: ExecutionGraph,
    starts: Iterable[str],
    *,
    leaving_out: Collection[str] = (),
    stops: Collection[str] = (),
) -> frozenset[str]:
    """Returns the starts and what they lead to, without some edges, and not beyond some nodes."""
    pending = list(starts)
    found = set(pending)
    while pending:
        current = pending.pop()
        if current in stops:
            continue
        for edge in graph.nodes[current].outgoing:
            if edge.id not in leaving_out and edge.target not in found:
                found.add(edge.target)
                pending.append(edge.target)
    return frozenset(found)
