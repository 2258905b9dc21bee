"""Faults of a flow, as people and programs read them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """
    One fault.

    Attributes:
        code: Machine-readable, such as INVALID_EDGE_TARGET.
        message: What is wrong, where, and what to do.
        path: Place in the document as a person writes it, such as nodes[2].config.to; None for the whole flow.
    """

    code: str
    message: str
    node_id: str | None = None
    edge_id: str | None = None
    path: str | None = None
