"""
What is usable of a flow document, faults and all.

One fault must not hide the others, so the parts of a document stand here one by one: what is wrong with a part is
already an issue, and the part holds None in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.spec import Edge, ErrorHandling, Metadata, Node, Settings, WorkflowSpec


@dataclass(frozen=True, slots=True)
class DraftNode:
    """
    A node as far as it can be read.

    Attributes:
        path: Where it stands, such as nodes[2].
        id: As written, even where it breaks the rules; None when there is none.
        type: None when there is none.
        config: None when it is no object.
        node: The whole node; None when anything about it is wrong.
    """

    path: str
    id: str | None
    type: str | None
    config: Mapping[str, Any] | None
    disabled: bool
    node: Node | None


@dataclass(frozen=True, slots=True)
class DraftEdge:
    """
    An edge as far as it can be read.

    Attributes:
        path: Where it stands, such as edges[0].
        id: As written, or made from its ends.
        source: None when it is missing or no text; the others likewise.
        edge: The whole edge, with its id; None when anything about it is wrong.
    """

    path: str
    id: str
    source: str | None
    target: str | None
    source_handle: str | None
    target_handle: str | None
    condition: str | None
    edge: Edge | None


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A flow as far as it can be read.

    Attributes:
        document: The document itself.
        nodes: All but the trigger, each id once.
        duplicates: Nodes whose id is taken by one before.
        trigger_is_in_nodes: Whether `nodes` holds the trigger as well.
        settings: Those that can be read; the others have their defaults.
    """

    document: Mapping[str, Any]
    metadata: Metadata | None
    trigger: DraftNode | None
    nodes: tuple[DraftNode, ...]
    duplicates: tuple[DraftNode, ...]
    trigger_is_in_nodes: bool
    edges: tuple[DraftEdge, ...]
    settings: Settings
    error_handling: ErrorHandling

    @property
    def all_nodes(self) -> tuple[DraftNode, ...]:
        """The trigger, where there is one, and then the others."""
        return self.nodes if self.trigger is None else (self.trigger, *self.nodes)

    @property
    def lists_nodes(self) -> bool:
        """Whether there is a list of nodes at all; without one nobody knows what edges lead to."""
        return isinstance(self.document.get("nodes"), list)

    @property
    def spec(self) -> WorkflowSpec | None:
        """The whole flow, None when any of its parts is not whole. Faults between parts do not count here."""
        if self.metadata is None or self.trigger is None or self.trigger.node is None:
            return None
        nodes = tuple(draft.node for draft in self.nodes if draft.node is not None)
        edges = tuple(draft.edge for draft in self.edges if draft.edge is not None)
        if len(nodes) < len(self.nodes) or len(edges) < len(self.edges):
            return None
        return WorkflowSpec(
            metadata=self.metadata,
            trigger=self.trigger.node,
            nodes=nodes,
            edges=edges,
            settings=self.settings,
            errorHandling=self.error_handling,
        )
