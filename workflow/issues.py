"""Faults of a flow, as people and programs read them."""

from collections.abc import Iterable
from dataclasses import dataclass

from workflow.issue_codes import IssueCode
from workflow.places import sort_key


@dataclass(frozen=True, slots=True)
class Issue:
    """
    One fault.

    Attributes:
        code: Machine-readable, such as INVALID_EDGE_TARGET.
        message: What is wrong, where, and what to do.
        path: Place in the document as a person writes it, such as nodes[2].config.to; None for the whole flow.
        is_warning: Whether the flow may run all the same.
    """

    code: IssueCode
    message: str
    node_id: str | None = None
    edge_id: str | None = None
    path: str | None = None
    is_warning: bool = False


def in_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Sorts issues by place; those of one place keep their order, and the same fault stands once."""
    return tuple(dict.fromkeys(sorted(issues, key=lambda issue: sort_key(issue.path))))
