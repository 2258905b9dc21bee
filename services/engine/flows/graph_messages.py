"""Compiled flows, as the validator writes them."""

from collections.abc import Mapping
from typing import Any

import orjson

from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document
from workflow.graph import ExecutionEdge, ExecutionGraph, ExecutionNode
from workflow.spec import ErrorHandling, RetryPolicy, Settings


def graph_from_proto(message: workflow_pb2.ExecutionGraph) -> ExecutionGraph:
    """Reads a compiled flow."""
    return ExecutionGraph(
        workflow_id=message.workflow_id,
        workflow_version=message.workflow_version,
        workflow_name=message.workflow_name,
        trigger=message.trigger,
        nodes={node_id: _node_from_proto(node) for node_id, node in message.nodes.items()},
        execution_order=tuple(message.execution_order),
        settings=Settings.model_validate(to_document(message.settings)),
        error_handling=ErrorHandling.model_validate(_error_handling(message.error_handling)),
        requires_session=message.metadata.requires_session,
        has_session_end=message.metadata.has_session_end,
        max_depth=message.metadata.max_depth,
        has_cycles=message.metadata.has_cycles,
    )


def _error_handling(message: workflow_pb2.ErrorHandling) -> Mapping[str, Any]:
    document = to_document(message)
    if message.HasField("default_retry"):
        document["defaultRetry"] = _retry(message.default_retry)
    return document


def _retry(message: workflow_pb2.RetryPolicy) -> dict[str, Any]:
    """An empty list of codes means that every transient error is retried, which the spec says by leaving it out."""
    document = to_document(message)
    if not message.retryable_errors:
        document.pop("retryableErrors", None)
    return document


def _node_from_proto(message: workflow_pb2.ExecutionNode) -> ExecutionNode:
    return ExecutionNode(
        id=message.id,
        type=message.type,
        label=message.label if message.HasField("label") else None,
        config=orjson.loads(message.config_json or b"{}"),
        retry=RetryPolicy.model_validate(_retry(message.retry)) if message.HasField("retry") else None,
        timeout_ms=message.timeout,
        disabled=message.disabled,
        incoming=tuple(_edge_from_proto(edge) for edge in message.incoming_edges),
        outgoing=tuple(_edge_from_proto(edge) for edge in message.outgoing_edges),
        requires_session=message.metadata.requires_session,
        ends_session=message.metadata.ends_session,
        order=message.metadata.execution_order,
    )


def _edge_from_proto(message: workflow_pb2.ExecutionEdge) -> ExecutionEdge:
    return ExecutionEdge(
        id=message.id,
        source=message.source,
        target=message.target,
        source_handle=message.source_handle if message.HasField("source_handle") else None,
        target_handle=message.target_handle,
        condition=message.condition if message.HasField("condition") else None,
        closes_cycle=message.closes_cycle,
    )
