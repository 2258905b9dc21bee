"""Ids of edges that their author gave none."""

from collections.abc import Collection, Sequence

from workflow.spec import Edge


def free_edge_id(source: str | None, target: str | None, taken: Collection[str]) -> str:
    """Returns `e-<source>-<target>`, with a number behind it when that is taken."""
    wanted = free = f"e-{source or 'nowhere'}-{target or 'nowhere'}"
    number = 2
    while free in taken:
        free, number = f"{wanted}-{number}", number + 1
    return free


def assigned_edge_ids(edges: Sequence[Edge]) -> list[str]:
    """Returns the id of every edge, in order."""
    taken = {edge.id for edge in edges if edge.id}
    ids = []
    for edge in edges:
        edge_id = edge.id or free_edge_id(edge.source, edge.target, taken)
        taken.add(edge_id)
        ids.append(edge_id)
    return ids
