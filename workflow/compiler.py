"""From a flow as drawn to the graph that the engine runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.catalogue import CATALOGUE
from workflow.edge_ids import assigned_edge_ids
from workflow.fields import COMPILING, NodeConfig, config_texts
from workflow.graph import ExecutionEdge, ExecutionGraph, ExecutionNode
from workflow.handles import HandleError, entering, leaving
from workflow.node_type import NodeType
from workflow.spec import Edge, Node, RetryPolicy, WorkflowSpec
from workflow.stored_values import read_session
from workflow.topology import Arc, Topology


@dataclass(frozen=True, slots=True)
class _Part:
    """A node with its type and its config, defaults filled in."""

    node: Node
    type: NodeType[Any]
    config: NodeConfig


def compile_flow(spec: WorkflowSpec) -> ExecutionGraph:
    """
    Fills in defaults, resolves edges and computes order and facts.

    Raises:
        KeyError, pydantic.ValidationError, HandleError: The flow has a fault that the validator reports.
    """
    # The trigger may stand in nodes as well; then the one in `trigger` counts.
    nodes = {node.id: node for node in (spec.trigger, *spec.nodes)} | {spec.trigger.id: spec.trigger}
    parts = {node.id: _part(node) for node in nodes.values()}
    topology = Topology(
        spec.trigger.id, list(parts), [Arc(index, edge.source, edge.target) for index, edge in enumerate(spec.edges)]
    )
    edges = _edges(spec.edges, parts, topology)
    compiled = {
        node_id: _node(
            spec,
            parts[node_id],
            tuple(edges[arc.index] for arc in topology.incoming[node_id]),
            tuple(edges[arc.index] for arc in topology.outgoing[node_id]),
            order,
        )
        for order, node_id in enumerate(topology.order)
    }
    default_retry = _policy(spec.error_handling.default_retry)
    return ExecutionGraph(
        workflow_id=spec.metadata.workflow_id,
        workflow_version=spec.metadata.version,
        workflow_name=spec.metadata.name,
        trigger=spec.trigger.id,
        nodes=compiled,
        execution_order=topology.order,
        settings=spec.settings,
        error_handling=spec.error_handling.model_copy(update={"default_retry": default_retry}),
        requires_session=_requires_session(compiled, parts),
        has_session_end=any(node.ends_session for node in compiled.values()),
        max_depth=topology.depth,
        has_cycles=bool(topology.closing_arcs),
    )


def _requires_session(nodes: Mapping[str, ExecutionNode], parts: Mapping[str, _Part]) -> bool:
    """Whether a node needs a session, or a text names what only one can tell."""
    run = [node for node in nodes.values() if not node.disabled]
    if any(node.requires_session for node in run):
        return True
    texts = [text for node in run for text in config_texts(parts[node.id].type.config, node.config)]
    conditions = [edge.condition for node in nodes.values() for edge in node.outgoing if edge.condition is not None]
    return read_session(texts, conditions, nodes)


def _part(node: Node) -> _Part:
    node_type = CATALOGUE[node.type]
    return _Part(node, node_type, node_type.config.model_validate(node.config, context=COMPILING))


def _edges(edges: Sequence[Edge], parts: Mapping[str, _Part], topology: Topology) -> list[ExecutionEdge]:
    target_handles = _target_handles(edges, parts)
    compiled = []
    for index, (edge, edge_id) in enumerate(zip(edges, assigned_edge_ids(edges), strict=True)):
        source = parts[edge.source]
        outputs = source.type.output_handles(source.config)
        way = leaving(edge.source, outputs, edge.source_handle or None, edge.condition or None)
        compiled.append(
            ExecutionEdge(
                id=edge_id,
                source=edge.source,
                target=edge.target,
                source_handle=way.handle,
                target_handle=target_handles[index],
                condition=way.expression,
                closes_cycle=index in topology.closing_arcs,
            )
        )
    return compiled


def _target_handles(edges: Sequence[Edge], parts: Mapping[str, _Part]) -> Mapping[int, str]:
    """The handle that each edge enters by, by its index."""
    incoming: dict[str, list[int]] = {}
    for index, edge in enumerate(edges):
        incoming.setdefault(edge.target, []).append(index)
    found: dict[int, str] = {}
    for target, indexes in incoming.items():
        wanted = [edges[index].target_handle or None for index in indexes]
        for index, handle in zip(indexes, entering(target, parts[target].type.inputs, wanted), strict=True):
            if isinstance(handle, HandleError):
                raise handle
            found[index] = handle
    return found


def _node(
    spec: WorkflowSpec,
    part: _Part,
    incoming: tuple[ExecutionEdge, ...],
    outgoing: tuple[ExecutionEdge, ...],
    order: int,
) -> ExecutionNode:
    node, node_type, config = part.node, part.type, part.config
    retry = node_type.retry_policy(config, node.retry, spec.error_handling.default_retry)
    return ExecutionNode(
        id=node.id,
        type=node.type,
        label=node.label,
        # Templates stand where other types belong, so the serializer's warnings about types are off.
        config=config.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False),
        retry=_policy(retry) if node_type.may_be_retried(config) else None,
        timeout_ms=node.timeout if node.timeout is not None else node_type.attempt_timeout_ms(config),
        disabled=node.disabled,
        incoming=incoming,
        outgoing=outgoing,
        requires_session=node_type.requires_session,
        ends_session=node_type.ends_session(config) and not node.disabled,
        order=order,
    )


def _policy(policy: RetryPolicy | None) -> RetryPolicy | None:
    """An empty list of codes means what no list means: every transient and rate-limit error."""
    if policy is None or policy.retryable_errors != ():
        return policy
    return policy.model_copy(update={"retryable_errors": None})
