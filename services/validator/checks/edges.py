"""INVALID_EDGE_SOURCE, INVALID_EDGE_TARGET, INVALID_EDGE_HANDLE and TRIGGER_HAS_INCOMING_EDGES."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowEdge
from workflow.issue_codes import IssueCode
from workflow.issues import Issue
from workflow.suggestions import did_you_mean


def check(flow: Flow) -> Iterator[Issue]:
    """Yields edges that lead from or to nowhere, into the trigger, or by handles that are not there."""
    for edge in flow.edges:
        if edge.source is None and edge.draft.source is not None and flow.draft.lists_nodes:
            yield _nowhere(flow, edge, "source", edge.draft.source, "INVALID_EDGE_SOURCE")
        if edge.target is None and edge.draft.target is not None and flow.draft.lists_nodes:
            yield _nowhere(flow, edge, "target", edge.draft.target, "INVALID_EDGE_TARGET")
        if edge.target is not None and edge.target is flow.trigger:
            message = "the trigger starts the flow, so no edge may lead to it; lead to the node behind it"
            yield Issue("TRIGGER_HAS_INCOMING_EDGES", message, edge.target.id, edge.id, f"{edge.draft.path}.target")
        for fault in edge.faults:
            yield Issue("INVALID_EDGE_HANDLE", fault.message, None, edge.id, f"{edge.draft.path}.{fault.field}")


def _nowhere(flow: Flow, edge: FlowEdge, end: str, name: str, code: IssueCode) -> Issue:
    message = f'{end} "{name[:70]}" is no node of this flow{did_you_mean(name, flow.nodes)}'
    return Issue(code, message, None, edge.id, f"{edge.draft.path}.{end}")
