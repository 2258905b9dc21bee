"""A flow as an author draws it."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, JsonObject, Milliseconds

Count = Annotated[int, Field(ge=1)]
NodeId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
WorkflowId = Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,128}$")]


@with_config(WORDED)
class RetryPolicy(TypedDict):
    """How often and how fast a failed node is tried again."""

    maxAttempts: Count
    """Attempts in all, the first included."""
    initialDelayMs: Milliseconds
    """Delay before the second attempt, milliseconds."""
    backoffMultiplier: NotRequired[float]
    """Growth of the delay for each further attempt. Default 2."""
    maxDelayMs: NotRequired[Milliseconds]
    """Longest delay, milliseconds."""
    retryableErrors: NotRequired[list[str]]
    """Error codes that are retried; default is every transient and rate-limit error."""


@with_config(WORDED)
class Position(TypedDict):
    """Place on a canvas."""

    x: float
    """Pixels from the left."""
    y: float
    """Pixels from the top."""


@with_config(WORDED)
class Node(TypedDict):
    """One step of a flow."""

    id: NodeId
    """Unique in the flow."""
    type: str
    """Node type of the catalogue, such as SEND_SMS."""
    label: NotRequired[str]
    """Name shown to people."""
    position: NotRequired[Position]
    """Where a canvas draws it."""
    config: NotRequired[JsonObject]
    """Settings of the node; see configSchema of its type."""
    retry: NotRequired[RetryPolicy]
    """Beats the flow's default retry policy."""
    timeout: NotRequired[Count]
    """Longest run of one attempt, milliseconds; default is that of the type."""
    disabled: NotRequired[bool]
    """True: the node is logged as skipped and passed through."""


@with_config(WORDED)
class Edge(TypedDict):
    """An arrow from one node to another."""

    id: NotRequired[str]
    """Unique in the flow; assigned from source and target by default."""
    source: str
    """Id of the node that it leaves."""
    target: str
    """Id of the node that it enters."""
    sourceHandle: NotRequired[str]
    """Handle of the source that it leaves by."""
    targetHandle: NotRequired[str]
    """Handle of the target that it enters by."""
    condition: NotRequired[str]
    """Outcome name or expression that takes the edge."""
    label: NotRequired[str]
    """Text shown to people."""


@with_config(WORDED)
class Metadata(TypedDict):
    """Identity of a flow."""

    workflowId: WorkflowId
    """Id of the flow; executions, validate, compile, execute, publish, . and .. are taken."""
    version: Count
    """The author's own version number, kept as a label; saving assigns the real one."""
    name: str
    """Name shown to people."""
    createdBy: str
    """Who wrote it."""
    createdAt: str
    """When it was written, ISO 8601."""
    description: NotRequired[str]
    """What it is for."""
    publishedAt: NotRequired[str]
    """When it was published, ISO 8601; set by the registry."""
    tags: NotRequired[list[str]]
    """Free labels."""
    environment: NotRequired[str]
    """Free label such as dev or production."""


@with_config(WORDED)
class RateLimit(TypedDict):
    """How many executions may start in a window."""

    maxRequests: Count
    """Starts in a window."""
    windowMs: Count
    """Length of the window, milliseconds."""
    strategy: NotRequired[Literal["fixed", "sliding"]]
    """Default fixed."""


@with_config(WORDED)
class UssdSettings(TypedDict):
    """Sentences that a USSD user sees when the flow itself has none."""

    apology: NotRequired[str]
    """Shown when the time budget ran out or the flow failed."""
    whenBusy: NotRequired[Literal["end", "checkAgain"]]
    """What a turn over its time budget does. Default end."""
    noText: NotRequired[str]
    """Shown when a turn made no text."""
    resumePrompt: NotRequired[str]
    """Question that offers to continue a dropped session."""


@with_config(WORDED)
class Settings(TypedDict):
    """Limits and texts of the whole flow."""

    maxExecutionTimeMs: NotRequired[Count]
    """Longest active time of one execution, milliseconds; waiting does not count. Default 300000."""
    timezone: NotRequired[str]
    """IANA time zone of dates and schedules. Default UTC."""
    rateLimit: NotRequired[RateLimit]
    """How fast executions may start. Default is as fast as they come."""
    enableReplay: NotRequired[bool]
    """Whether executions keep what a replay needs. Default true."""
    maxConcurrentExecutions: NotRequired[Count]
    """Most executions of this flow that run at once."""
    resumeWithinMs: NotRequired[Milliseconds]
    """A dropped USSD session may be continued by a new dial for so long, milliseconds. Default 0."""
    missingVariable: NotRequired[Literal["error", "empty"]]
    """What a template path that names nothing does. Default error."""
    defaultCountry: NotRequired[Annotated[str, Field(pattern="^[A-Z]{2}$")]]
    """ISO 3166 country of phone numbers that lack a +."""
    ussd: NotRequired[UssdSettings]
    """Texts of USSD turns."""


@with_config(WORDED)
class ErrorHandling(TypedDict):
    """What a failure does to the whole flow."""

    defaultRetry: NotRequired[RetryPolicy]
    """Retry policy of nodes that have none."""
    continueOnError: NotRequired[bool]
    """True: an uncaught failure is logged and plain edges go on. Default false."""
    errorWebhook: NotRequired[str]
    """URL that is told of failed executions."""
    maxErrors: NotRequired[Count]
    """Uncaught failures after which the execution fails in spite of continueOnError."""


@with_config(WORDED)
class WorkflowSpec(TypedDict):
    """A flow as an author draws it. Keys that a canvas adds to nodes and edges are a warning at most."""

    metadata: Metadata
    """Who and what."""
    trigger: Node
    """The node that starts the flow; it may stand in nodes as well."""
    nodes: list[Node]
    """Every other node, in any order."""
    edges: list[Edge]
    """What follows what."""
    settings: NotRequired[Settings]
    """Its limits and texts."""
    errorHandling: NotRequired[ErrorHandling]
    """What failures do to it."""
