"""Between messages and the core's own objects."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from njia.validator.v1.validator_service_pb2 import NodeTypeInfo
from njia.workflow.v1 import workflow_pb2 as pb
from rpc.documents import from_document, to_document
from services.validator.schemas import config_defaults, config_schema, output_schema
from workflow.catalogue import CATALOGUE
from workflow.documents import DocumentError, dump_document, parse_document
from workflow.fields import COMPILING
from workflow.flow_secrets import config_with, hidden
from workflow.graph import ExecutionEdge, ExecutionGraph, ExecutionNode
from workflow.issues import Issue
from workflow.node_type import NodeType
from workflow.spec import RetryPolicy

LONGEST_TEXT = 1000
"""Longest message, id or path of an issue, in characters."""


def document_of(spec: pb.WorkflowSpec) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """
    Returns the JSON document of a typed flow, and what is wrong with the JSON texts in it.

    A config that is no JSON document is left out.
    """
    readable = pb.WorkflowSpec()
    readable.CopyFrom(spec)
    places = [("trigger", readable.trigger)] if readable.HasField("trigger") else []
    places += [(f"nodes[{index}]", node) for index, node in enumerate(readable.nodes)]
    issues = []
    for path, node in places:
        if not node.config_json:
            continue
        try:
            parse_document(node.config_json)
        except DocumentError as problem:
            issues.append(
                Issue("SCHEMA_VALIDATION_ERROR", f"config: {problem}", node.id or None, path=f"{path}.config")
            )
            node.config_json = ""
    return to_document(readable), tuple(issues)


def issue_to_proto(issue: Issue) -> pb.Issue:
    """The message of an issue; whether it is a warning is said by the list that it stands in."""
    return pb.Issue(
        code=issue.code,
        message=_short(issue.message),
        node_id=None if issue.node_id is None else _short(issue.node_id),
        edge_id=None if issue.edge_id is None else _short(issue.edge_id),
        path=None if issue.path is None else _short(issue.path),
    )


def issues_to_proto(issues: Iterable[Issue], *, warnings: bool) -> list[pb.Issue]:
    """The messages of the errors, or of the warnings, in their order."""
    return [issue_to_proto(issue) for issue in issues if issue.is_warning == warnings]


def graph_to_proto(graph: ExecutionGraph) -> pb.ExecutionGraph:
    """The message of a compiled flow."""
    return pb.ExecutionGraph(
        workflow_id=graph.workflow_id,
        workflow_version=graph.workflow_version,
        workflow_name=graph.workflow_name,
        trigger=graph.trigger,
        nodes={node_id: _node(node) for node_id, node in graph.nodes.items()},
        execution_order=graph.execution_order,
        metadata=pb.GraphMetadata(
            requires_session=graph.requires_session,
            has_session_end=graph.has_session_end,
            max_depth=graph.max_depth,
            has_cycles=graph.has_cycles,
        ),
        settings=from_document(_dumped(graph.settings), pb.Settings),
        error_handling=from_document(_dumped(graph.error_handling), pb.ErrorHandling),
    )


def hide_secrets(graph: pb.ExecutionGraph) -> None:
    """Puts a mask in place of each secret of a compiled flow."""
    for node_id, node in graph.nodes.items():
        config = parse_document(node.config_json)
        shown = config_with(node.type, config, lambda _, value: hidden(value))
        if shown is not config:
            graph.nodes[node_id].config_json = dump_document(shown)


def node_type_to_proto(node_type: NodeType[Any]) -> NodeTypeInfo:
    """The message of one row of the catalogue."""
    return NodeTypeInfo(
        type=node_type.type,
        name=node_type.title,
        category=node_type.category.value,
        description=node_type.description,
        input_handles=node_type.inputs,
        output_handles=node_type.outputs,
        requires_session=node_type.requires_session,
        config_schema_json=dump_document(config_schema(node_type.config)),
        defaults_json=dump_document(config_defaults(node_type.config)),
        output_schema_json=dump_document(output_schema(node_type.output)),
        timeout=node_type.timeout_ms,
        retry=_retry(node_type.retry),
    )


def _node(node: ExecutionNode) -> pb.ExecutionNode:
    node_type = CATALOGUE[node.type]
    config = node_type.config.model_validate(node.config, context=COMPILING)
    return pb.ExecutionNode(
        id=node.id,
        type=node.type,
        definition=pb.NodeDefinition(
            name=node_type.title,
            category=node_type.category.value,
            input_handles=node_type.inputs,
            output_handles=node_type.output_handles(config),
            description=node_type.description,
        ),
        config_json=dump_document(node.config),
        retry=_retry(node.retry),
        timeout=node.timeout_ms,
        disabled=node.disabled,
        incoming_edges=[_edge(edge) for edge in node.incoming],
        outgoing_edges=[_edge(edge) for edge in node.outgoing],
        metadata=pb.NodeMetadata(
            requires_session=node.requires_session, ends_session=node.ends_session, execution_order=node.order
        ),
        label=node.label,
    )


def _edge(edge: ExecutionEdge) -> pb.ExecutionEdge:
    return pb.ExecutionEdge(
        id=edge.id,
        source=edge.source,
        target=edge.target,
        source_handle=edge.source_handle,
        target_handle=edge.target_handle,
        condition=edge.condition,
        closes_cycle=edge.closes_cycle,
    )


def _retry(policy: RetryPolicy | None) -> pb.RetryPolicy | None:
    return None if policy is None else from_document(_dumped(policy), pb.RetryPolicy)


def _short(text: str) -> str:
    """Ids and keys of a faulty flow may be of any length."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _dumped(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
