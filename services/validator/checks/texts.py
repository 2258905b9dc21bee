"""INVALID_TEMPLATE and INVALID_EXPRESSION: templates and expressions parse, those of edges too."""

from collections.abc import Iterator

from services.validator.flow import Flow
from services.validator.flow_text import FlowText
from workflow.fields import Role
from workflow.issue_codes import IssueCode
from workflow.issues import Issue


def check(flow: Flow) -> Iterator[Issue]:
    """Yields syntax errors with their column, from 1."""
    for node in flow.every_node:
        for text in node.texts:
            yield from _issue(text, node.id or None, None)
    for edge in flow.edges:
        if edge.condition is not None:
            yield from _issue(edge.condition, None, edge.id)


def _issue(text: FlowText, node_id: str | None, edge_id: str | None) -> Iterator[Issue]:
    if text.syntax_error is not None:
        code: IssueCode = "INVALID_EXPRESSION" if text.role is Role.EXPRESSION else "INVALID_TEMPLATE"
        yield Issue(code, str(text.syntax_error), node_id, edge_id, text.path)
