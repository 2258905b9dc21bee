"""A flow as the checks see it: nodes with their types and configs, edges with their ends, texts parsed, its shape."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from services.validator.flow_text import FlowText, parsed_text
from workflow.catalogue import CATALOGUE
from workflow.draft import Draft, DraftEdge, DraftNode
from workflow.fields import COMPILING, ConfigText, NodeConfig, Role, config_texts
from workflow.handles import HandleError, Leaving, entering, leaving
from workflow.node_type import NodeType
from workflow.places import written
from workflow.topology import Arc, Topology
from workflow.trigger_type import TriggerType


@dataclass(frozen=True, slots=True, eq=False)
class FlowNode:
    """
    A node with what its type says about it. Where type or config have faults, facts are what causes no further fault.

    Attributes:
        id: Empty where it has none; such a node is in nobody's way.
        type: None when the type is not known.
        config: None when it has faults.
        problem: What the type's model has against the config.
    """

    draft: DraftNode
    id: str
    type: NodeType[Any] | None
    config: NodeConfig | None
    problem: ValidationError | None
    texts: tuple[FlowText, ...]

    @property
    def path(self) -> str:
        """Where it stands in the document."""
        return self.draft.path

    @property
    def facts(self) -> tuple[NodeType[Any], NodeConfig] | None:
        """Type and config of a node that runs; None when it is disabled or has faults."""
        if self.type is None or self.config is None or self.draft.disabled:
            return None
        return self.type, self.config

    @property
    def is_unclear(self) -> bool:
        """Whether its type or config has faults, so that nobody knows what it does."""
        return self.type is None or self.config is None

    @property
    def outputs(self) -> tuple[str, ...] | None:
        """Handles that edges leave by, `error` and `timeout` aside; None where type or config do not tell them."""
        if self.type is None:
            return None
        if self.config is None:
            return self.type.handles_despite_faults(self.draft.config or {})
        return self.type.output_handles(self.config)

    @property
    def waits(self) -> bool:
        """Whether every visit waits for the outside."""
        return self.facts is not None and self.facts[0].waits(self.facts[1])

    @property
    def shows(self) -> bool:
        """Whether it may add to what the person gets in a turn."""
        return self.facts is not None and self.facts[0].shows(self.facts[1])

    @property
    def ends_session(self) -> bool:
        """Whether it ends the session."""
        return self.facts is not None and self.facts[0].ends_session(self.facts[1])

    @property
    def waits_for_all(self) -> bool:
        """Whether it waits until all of its incoming edges are decided."""
        return self.facts is None or self.facts[0].waits_for_all(self.facts[1])


@dataclass(frozen=True, slots=True, eq=False)
class FlowEdge:
    """
    An edge with its ends.

    Attributes:
        index: Place in the list of edges.
        source: None when there is no such node; target likewise.
        way: What takes it; None when it has faults or nobody knows the handles of its source.
        faults: What is wrong with its handles.
        condition: The expression that must hold too; None when there is none.
    """

    draft: DraftEdge
    index: int
    source: FlowNode | None
    target: FlowNode | None
    way: Leaving | None
    faults: tuple[HandleError, ...]
    condition: FlowText | None

    @property
    def id(self) -> str:
        """The edge's own id, or the one that it gets."""
        return self.draft.id


class Flow:
    """
    Attributes:
        trigger: None when it cannot be told.
        nodes: Every node that can be told apart, the trigger first.
        loose: Nodes without an id of their own: their configs can be checked and nothing else.
    """

    def __init__(self, draft: Draft) -> None:
        ids = {node.id for node in draft.all_nodes if node.id is not None}
        told_apart = [_node(node, ids) for node in draft.all_nodes if node.id is not None]
        self.draft = draft
        self.nodes: Mapping[str, FlowNode] = {node.id: node for node in told_apart}
        self.trigger = next((node for node in told_apart if node.draft is draft.trigger), None)
        self.loose = tuple(
            _node(node, ids)
            for node in (*draft.all_nodes, *draft.duplicates)
            if node.id is None or node in draft.duplicates
        )
        self.edges = _edges(draft.edges, self.nodes)

    @property
    def every_node(self) -> tuple[FlowNode, ...]:
        """Every node whose config can be checked."""
        return (*self.nodes.values(), *self.loose)

    @property
    def trigger_type(self) -> TriggerType[Any] | None:
        """Type of the trigger, None when it cannot be told."""
        found = None if self.trigger is None else self.trigger.type
        return found if isinstance(found, TriggerType) else None

    @cached_property
    def topology(self) -> Topology:
        """
        The shape, from the trigger on.

        What only an edge from nowhere leads to hangs on the trigger, and edges into the trigger are left out: they are
        faults of their own, and the nodes behind them have none.
        """
        assert self.trigger is not None
        arcs = [
            Arc(edge.index, self.trigger.id if edge.source is None else edge.source.id, edge.target.id)
            for edge in self.edges
            if edge.target is not None and edge.target is not self.trigger
        ]
        return Topology(self.trigger.id, list(self.nodes), arcs)

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[FlowEdge, ...]]:
        """Edges that leave each node."""
        groups: dict[str, list[FlowEdge]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            if edge.source is not None:
                groups[edge.source.id].append(edge)
        return {node: tuple(edges) for node, edges in groups.items()}

    @cached_property
    def incoming(self) -> Mapping[str, tuple[FlowEdge, ...]]:
        """Edges between known nodes that enter each node."""
        groups: dict[str, list[FlowEdge]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            if edge.source is not None and edge.target is not None:
                groups[edge.target.id].append(edge)
        return {node: tuple(edges) for node, edges in groups.items()}


def _node(draft: DraftNode, ids: Collection[str]) -> FlowNode:
    node_type = CATALOGUE.get(draft.type) if draft.type is not None else None
    config: NodeConfig | None = None
    problem: ValidationError | None = None
    texts: tuple[FlowText, ...] = ()
    if node_type is not None and draft.config is not None:
        try:
            config = node_type.config.model_validate(draft.config, context=COMPILING)
        except ValidationError as found:
            problem = found
        texts = tuple(_config_texts(node_type, draft, draft.config, ids))
    return FlowNode(draft, draft.id or "", node_type, config, problem, texts)


def _config_texts(
    node_type: NodeType[Any], draft: DraftNode, config: Mapping[str, Any], ids: Collection[str]
) -> Iterable[FlowText]:
    for text in config_texts(node_type.config, config):
        if text.role is Role.EXPRESSION and not text.text:
            continue  # that it must not be empty is said of the field
        yield parsed_text(text, written(text.path, f"{draft.path}.config"), ids)


def _edges(drafts: Iterable[DraftEdge], nodes: Mapping[str, FlowNode]) -> tuple[FlowEdge, ...]:
    drafts = tuple(drafts)
    entry_faults = _entry_faults(drafts, nodes)
    edges = []
    for index, draft in enumerate(drafts):
        source = nodes.get(draft.source) if draft.source is not None else None
        target = nodes.get(draft.target) if draft.target is not None else None
        way, faults = _way(draft, source)
        if index in entry_faults:
            faults = (*faults, entry_faults[index])
        condition = None
        if way is not None and way.expression is not None:
            text = ConfigText((), Role.EXPRESSION, way.expression)
            condition = parsed_text(text, f"{draft.path}.condition", nodes)
        edges.append(FlowEdge(draft, index, source, target, way, faults, condition))
    return tuple(edges)


def _way(draft: DraftEdge, source: FlowNode | None) -> tuple[Leaving | None, tuple[HandleError, ...]]:
    if source is None or source.outputs is None:
        return None, ()
    try:
        return leaving(source.id, source.outputs, draft.source_handle, draft.condition), ()
    except HandleError as fault:
        return None, (fault,)


def _entry_faults(drafts: tuple[DraftEdge, ...], nodes: Mapping[str, FlowNode]) -> Mapping[int, HandleError]:
    """Faults of target handles by index of the edge. A trigger has no handle at all: that is a fault of its own."""
    groups: dict[str, list[int]] = {}
    for index, draft in enumerate(drafts):
        if draft.target is not None and draft.target in nodes:
            groups.setdefault(draft.target, []).append(index)
    found: dict[int, HandleError] = {}
    for target, indexes in groups.items():
        node_type = nodes[target].type
        if node_type is None or not node_type.inputs:
            continue
        handles = entering(target, node_type.inputs, [drafts[index].target_handle for index in indexes])
        found.update(
            {index: handle for index, handle in zip(indexes, handles, strict=True) if isinstance(handle, HandleError)}
        )
    return found
