"""The compiled flow: defaults filled in, edges resolved, order and facts computed. The engine runs this."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.spec import ErrorHandling, RetryPolicy, Settings


@dataclass(frozen=True, slots=True)
class ExecutionEdge:
    """
    Attributes:
        source_handle: Handle that takes it; None: taken on every success.
        target_handle: Handle that it enters by.
        condition: Expression that must hold too, as text; None: none.
        closes_cycle: Whether it leads back to a node on the way to it, so that the node does not wait for it.
    """

    id: str
    source: str
    target: str
    source_handle: str | None
    target_handle: str
    condition: str | None
    closes_cycle: bool


@dataclass(frozen=True, slots=True)
class ExecutionNode:
    """
    Attributes:
        config: Camel-case document with defaults filled in; templates are not rendered.
        retry: Policy in force; None means one attempt.
        timeout_ms: Longest run of one attempt; 0 means unlimited.
        order: Place in the execution order, from 0.
    """

    id: str
    type: str
    label: str | None
    config: Mapping[str, Any]
    retry: RetryPolicy | None
    timeout_ms: int
    disabled: bool
    incoming: tuple[ExecutionEdge, ...]
    outgoing: tuple[ExecutionEdge, ...]
    requires_session: bool
    ends_session: bool
    order: int


@dataclass(frozen=True, slots=True)
class ExecutionGraph:
    """
    Attributes:
        trigger: Id of the trigger node.
        nodes: Every node by id.
        execution_order: Ids of all nodes, each after those that lead to it, edges that close a cycle aside.
        max_depth: Nodes on the longest way from the trigger, cycles cut.
    """

    workflow_id: str
    workflow_version: int
    workflow_name: str
    trigger: str
    nodes: Mapping[str, ExecutionNode]
    execution_order: tuple[str, ...]
    settings: Settings
    error_handling: ErrorHandling
    requires_session: bool
    has_session_end: bool
    max_depth: int
    has_cycles: bool
