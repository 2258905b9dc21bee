"""A flow made ready to run."""

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, JsonObject, Milliseconds
from gateway.documents.faults import Issue
from gateway.documents.flows import ErrorHandling, RetryPolicy, Settings

Category = Literal["trigger", "action", "logic", "state"]


@with_config(WORDED)
class NodeDefinition(TypedDict):
    """Facts of a node type."""

    name: str
    """Name shown to people."""
    category: Category
    """Where a canvas lists it."""
    inputHandles: list[str]
    """Handles that edges may enter by."""
    outputHandles: list[str]
    """Handles that edges may leave by, with this node's config."""
    description: str
    """One sentence on what it does."""


@with_config(WORDED)
class ExecutionEdge(TypedDict):
    """One edge of a graph."""

    id: str
    """Unique in the flow."""
    source: str
    """Id of the node that it leaves."""
    target: str
    """Id of the node that it enters."""
    sourceHandle: NotRequired[str]
    """Handle that takes it; without one it is taken on every success."""
    targetHandle: str
    """Handle that it enters by."""
    condition: NotRequired[str]
    """Expression that must hold too."""
    closesCycle: bool
    """True: the edge closes a cycle, so its target does not wait for it."""


@with_config(WORDED)
class NodeMetadata(TypedDict):
    """Facts of a node in its flow."""

    requiresSession: bool
    """Whether it needs a session."""
    endsSession: bool
    """Whether it may end the session."""
    executionOrder: int
    """Its place in executionOrder, from 0."""


@with_config(WORDED)
class ExecutionNode(TypedDict):
    """One node of a graph."""

    id: str
    """Id of the node."""
    type: str
    """Node type of the catalogue."""
    definition: NodeDefinition
    """Facts of its type."""
    config: JsonObject
    """Settings with defaults filled in."""
    retry: NotRequired[RetryPolicy]
    """Policy in force: the node's, else the flow's, else the type's."""
    timeout: Milliseconds
    """Longest run of one attempt, milliseconds; 0 means unlimited."""
    disabled: bool
    """True: logged as skipped and passed through."""
    incomingEdges: list[ExecutionEdge]
    """Edges that enter it."""
    outgoingEdges: list[ExecutionEdge]
    """Edges that leave it."""
    metadata: NodeMetadata
    """Facts of the node in this flow."""
    label: NotRequired[str]
    """Name shown to people."""


@with_config(WORDED)
class GraphMetadata(TypedDict):
    """Facts of a whole flow."""

    requiresSession: bool
    """Whether any node needs a session."""
    hasSessionEnd: bool
    """Whether any node ends the session."""
    maxDepth: int
    """Nodes on the longest way from the trigger, cycles cut."""
    hasCycles: bool
    """Whether the flow has a cycle."""


@with_config(WORDED)
class ExecutionGraph(TypedDict):
    """A flow made ready to run: defaults filled in, edges resolved, order and facts computed."""

    workflowId: str
    """Id of the flow."""
    workflowVersion: int
    """Version of the flow."""
    trigger: str
    """Id of the trigger node."""
    nodes: dict[str, ExecutionNode]
    """Every node by id."""
    executionOrder: list[str]
    """Ids of all nodes; a node stands after those that lead to it, edges that close a cycle aside."""
    metadata: GraphMetadata
    """Facts of the whole flow."""
    settings: NotRequired[Settings]
    """Settings with defaults filled in."""
    errorHandling: NotRequired[ErrorHandling]
    """Error handling with defaults filled in."""
    workflowName: str
    """Name of the flow."""


@with_config(WORDED)
class Compilation(TypedDict):
    """A compiled flow."""

    success: Literal[True]
    """Always true."""
    graph: ExecutionGraph
    """The graph that the engine runs."""
    warnings: list[Issue]
    """What is probably not meant."""


@with_config(WORDED)
class NodeTypeInfo(TypedDict):
    """One row of the catalogue."""

    type: str
    """Name used in a flow, such as SEND_SMS."""
    name: str
    """Name shown to people."""
    category: Category
    """Where a canvas lists it."""
    description: str
    """One sentence on what it does."""
    inputHandles: list[str]
    """Handles that edges may enter by. A name that ends in * stands for any suffix."""
    outputHandles: list[str]
    """Handles that edges may leave by; types whose handles depend on the config list the fixed ones."""
    requiresSession: bool
    """Whether it needs a session."""
    configSchema: JsonObject
    """JSON Schema (2020-12) of config."""
    defaults: JsonObject
    """Config defaults."""
    outputSchema: JsonObject
    """JSON Schema of the node's output; for a trigger, of its payload."""
    timeout: Milliseconds
    """Default time-out of an attempt, milliseconds; 0 means unlimited."""
    retry: NotRequired[RetryPolicy]
    """Default retry policy; without one there is one attempt."""


@with_config(WORDED)
class NodeTypes(TypedDict):
    """The catalogue."""

    nodeTypes: list[NodeTypeInfo]
    """Every type, in catalogue order."""
