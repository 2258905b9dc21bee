"""From a flow as drawn to the graph that the engine runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.catalogue import CATALOGUE
from workflow.edge_ids import assigned_edge_ids
from workflow.fields import COMPILING, NodeConfig
from workflow.graph import ExecutionEdge, ExecutionGraph, ExecutionNode
from workflow.handles import HandleError, entering, leaving
from workflow.node_type import NodeType
from workflow.spec import Node, RetryPolicy, WorkflowSpec
from workflow.topology import Arc, Topology


def compile_flow(spec: WorkflowSpec, catalogue: Mapping[str, NodeType[Any]] = CATALOGUE) -> ExecutionGraph:
    """
    Fills in defaults, resolves edges and computes order and facts.

    Args:
        spec: A flow without faults.

    Raises:
        KeyError, pydantic.ValidationError, HandleError: The flow has a fault that the validator reports.
    """
    nodes = {node.id: node for node in (spec.trigger, *spec.nodes)}
    # The trigger may stand in nodes as well; then the one in `trigger` counts.
    nodes[spec.trigger.id] = spec.trigger
    types = {node.id: catalogue[node.type] for node in nodes.values()}
    configs = {
        node.id: types[node.id].config.model_validate(node.config, context=COMPILING) for node in nodes.values()
    }
    topology = Topology(
        spec.trigger.id, list(nodes), [Arc(index, edge.source, edge.target) for index, edge in enumerate(spec.edges)]
    )
    edges = _edges(spec, types, configs, topology)
    compiled = {
        node_id: _node(spec, nodes[node_id], types[node_id], configs[node_id], edges, order)
        for order, node_id in enumerate(topology.order)
    }
    return ExecutionGraph(
        workflow_id=spec.metadata.workflow_id,
        workflow_version=spec.metadata.version,
        workflow_name=spec.metadata.name,
        trigger=spec.trigger.id,
        nodes=compiled,
        execution_order=topology.order,
        settings=spec.settings,
        error_handling=spec.error_handling.model_copy(
            update={"default_retry": _policy(spec.error_handling.default_retry)}
        ),
        requires_session=any(node.requires_session and not node.disabled for node in compiled.values()),
        has_session_end=any(node.ends_session for node in compiled.values()),
        max_depth=topology.depth,
        has_cycles=bool(topology.closing_arcs),
    )


def _edges(
    spec: WorkflowSpec, types: Mapping[str, NodeType[Any]], configs: Mapping[str, NodeConfig], topology: Topology
) -> list[ExecutionEdge]:
    incoming: dict[str, list[int]] = {}
    for index, edge in enumerate(spec.edges):
        incoming.setdefault(edge.target, []).append(index)
    target_handles: dict[int, str] = {}
    for target, indexes in incoming.items():
        wanted = [spec.edges[index].target_handle or None for index in indexes]
        for index, handle in zip(indexes, entering(target, types[target].inputs, wanted), strict=True):
            if isinstance(handle, HandleError):
                raise handle
            target_handles[index] = handle
    compiled = []
    for index, (edge, edge_id) in enumerate(zip(spec.edges, assigned_edge_ids(spec.edges), strict=True)):
        outputs = types[edge.source].output_handles(configs[edge.source])
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


def _node(
    spec: WorkflowSpec,
    node: Node,
    node_type: NodeType[Any],
    config: NodeConfig,
    edges: Sequence[ExecutionEdge],
    order: int,
) -> ExecutionNode:
    retry = node.retry or spec.error_handling.default_retry or node_type.retry
    return ExecutionNode(
        id=node.id,
        type=node.type,
        label=node.label,
        # Templates stand where other types belong, so the serializer's warnings about types are off.
        config=config.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False),
        retry=_policy(retry) if node_type.may_be_retried(config) else None,
        timeout_ms=node.timeout if node.timeout is not None else node_type.timeout_ms,
        disabled=node.disabled,
        incoming=tuple(edge for edge in edges if edge.target == node.id),
        outgoing=tuple(edge for edge in edges if edge.source == node.id),
        requires_session=node_type.requires_session,
        ends_session=node_type.ends_session(config) and not node.disabled,
        order=order,
    )


def _policy(policy: RetryPolicy | None) -> RetryPolicy | None:
    """An empty list of codes means what no list means: every transient and rate-limit error."""
    if policy is None or policy.retryable_errors != ():
        return policy
    return policy.model_copy(update={"retryable_errors": None})
