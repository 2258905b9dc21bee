"""Executions: how one is asked for, and what became of it."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from gateway.documents.described import CLOSED, WORDED, JsonObject, Milliseconds, Time
from gateway.documents.flows import WorkflowId, WorkflowSpec

ExecutionStatus = Literal["completed", "failed", "running", "timeout", "cancelled"]


@with_config(CLOSED)
class ExecuteOptions(TypedDict):
    """How an execution runs; beats what the flow says."""

    maxExecutionTimeMs: NotRequired[Annotated[int, Field(ge=1, le=86_400_000)]]
    """Longest active time, milliseconds."""
    continueOnError: NotRequired[bool]
    """True: an uncaught failure is logged and plain edges go on."""
    dryRun: NotRequired[bool]
    """True: nothing is sent and nothing is stored in sessions."""
    waitMs: NotRequired[Annotated[int, Field(ge=0, le=60_000)]]
    """The call answers after so long at the latest, milliseconds. Default 10000; 0 means at once."""


@with_config(CLOSED)
class ExecuteRequest(TypedDict):
    """What to run, and with what. Either workflow or workflowId is needed."""

    workflow: NotRequired[WorkflowSpec]
    """A flow that comes with the call."""
    workflowId: NotRequired[WorkflowId]
    """A saved flow."""
    version: NotRequired[Annotated[int, Field(ge=1)]]
    """Version of the saved flow; default is the published one, else the newest."""
    triggerPayload: NotRequired[JsonObject]
    """What the trigger delivers. Default {}."""
    sessionId: NotRequired[Annotated[str, Field(min_length=1)]]
    """Session to run on; an execution that waits there gets the payload as its next input."""
    options: NotRequired[ExecuteOptions]
    """How to run."""


@with_config(WORDED)
class NodeError(TypedDict):
    """Why a node or an execution failed."""

    code: str
    """Machine-readable, such as RATE_LIMIT or INVALID_PHONE_NUMBER."""
    message: str
    """What went wrong and what to do."""
    type: NotRequired[Literal["transient", "permanent", "rate_limit", "validation"]]
    """What kind of failure, which decides whether it is retried."""
    details: NotRequired[JsonObject]
    """More facts."""


@with_config(WORDED)
class NodeExecutionResult(TypedDict):
    """One attempt of one node."""

    nodeId: str
    """Id of the node."""
    status: Literal["success", "error", "skipped", "timeout"]
    """How it ended."""
    output: NotRequired[JsonObject]
    """What it gave."""
    error: NotRequired[NodeError]
    """Why it failed."""
    durationMs: Milliseconds
    """How long the attempt ran, milliseconds, waiting for people aside."""
    executedAt: Time
    """When the attempt started."""
    attempt: int
    """Number of the attempt, from 1; 0 for a skipped node, told once however often a loop passes it until it runs."""
    visit: int
    """How often the node had run before in this execution, from 0."""
    retryDelayMs: NotRequired[Milliseconds]
    """How long the engine waited before this attempt, milliseconds."""
    settledBy: NotRequired[Literal["delivery_report", "repetition"]]
    """What settled a send whose outcome was unknown: a report that it had taken place, or a second send."""
    handle: NotRequired[str]
    """Handle that the node left by when it succeeded, such as true, a case of a SWITCH or no_answer."""


@with_config(WORDED)
class Reply(TypedDict):
    """What a turn says to the person."""

    kind: Literal["con", "end"]
    """con: a screen, or words in a call, that expect input; end: the last ones."""
    text: str
    """The text, without CON or END; of a call, what is heard, one line for each."""


@with_config(WORDED)
class WaitingFor(TypedDict):
    """What a suspended execution waits for."""

    nodeId: str
    """Node that waits."""
    kind: Literal["input", "timer", "retry", "settlement", "call", "sms"]
    """
    input: a person; timer: a point in time; retry: the next attempt of a node that failed; settlement: word of a send
    whose answer was lost; call: a person whose phone rings; sms: an SMS of a person.
    """
    expiresAt: NotRequired[Time]
    """When the wait expires."""


@with_config(WORDED)
class ExecutionResult(TypedDict):
    """How an execution stands when the call answers. A failed flow is an answer too."""

    executionId: str
    """Id of the execution."""
    status: ExecutionStatus
    """How it stands; running with waitingFor means that it is suspended."""
    output: NotRequired[JsonObject]
    """Output of the node that succeeded last."""
    error: NotRequired[NodeError]
    """Why it failed."""
    nodeResults: list[NodeExecutionResult]
    """One entry per attempt, in the order they ended."""
    durationMs: Milliseconds
    """From start to now or to the end, milliseconds."""
    sessionId: NotRequired[str]
    """Session that it runs on."""
    reply: NotRequired[Reply]
    """What the person gets in this turn."""
    waitingFor: NotRequired[WaitingFor]
    """What it waits for."""
    workflowId: str
    """Flow that it runs."""
    workflowVersion: int
    """Version that it runs."""


@with_config(WORDED)
class DeliveryReport(TypedDict):
    """What was said of one message, of airtime or of a payment."""

    channel: str
    """What it is about: sms, airtime or payment."""
    messageId: str
    """Id of the message, of the airtime request or of the transaction."""
    status: str
    """Their word for it, such as Success or AbsentSubscriber."""
    number: str
    """Phone number in E.164; empty when the report has none."""
    failureReason: str
    """Why it was not delivered; empty when the report has no reason."""
    networkCode: str
    """Network of the phone; empty when the report has none."""
    receivedAt: Time
    """When the report came."""
    amount: str
    """Amount of airtime or of a payment, such as KES 10.5; empty for a message."""


@with_config(WORDED)
class ExecutionSummary(TypedDict):
    """An execution in a list."""

    # Texts under members are not handed down to a class that extends this one, descriptions are.
    executionId: Annotated[str, Field(description="Id of the execution.")]
    workflowId: Annotated[str, Field(description="Flow that it runs.")]
    workflowVersion: Annotated[int, Field(description="Version that it runs.")]
    status: Annotated[ExecutionStatus, Field(description="How it stands.")]
    startedAt: Annotated[Time, Field(description="When it started.")]
    completedAt: NotRequired[Annotated[Time, Field(description="When it ended.")]]
    durationMs: Annotated[Milliseconds, Field(description="From start to now or to the end, milliseconds.")]
    error: NotRequired[Annotated[NodeError, Field(description="Why it failed.")]]
    waitingFor: NotRequired[Annotated[WaitingFor, Field(description="What it waits for.")]]
    sessionId: NotRequired[Annotated[str, Field(description="Session that it runs on.")]]
    output: NotRequired[Annotated[JsonObject, Field(description="Output of the node that succeeded last.")]]
    reply: NotRequired[Annotated[Reply, Field(description="What the person got last.")]]
    traceIds: Annotated[
        list[str], Field(description="W3C trace ids of the turns, oldest first; empty when tracing is off.")
    ]
    dryRun: NotRequired[Annotated[bool, Field(description="True: nothing was sent.")]]


@with_config(WORDED)
class ExecutionLog(ExecutionSummary):
    """The log of an execution."""

    nodeResults: list[NodeExecutionResult]
    """One entry per attempt, in the order they ended."""
    deliveryReports: list[DeliveryReport]
    """Delivery reports of the messages that it sent, oldest first."""


@with_config(CLOSED)
class ReplayRequest(TypedDict):
    """How to run an execution again."""

    dryRun: NotRequired[bool]
    """False: everything is done again for real. Default true."""


@with_config(WORDED)
class ReplayDifference(TypedDict):
    """Something that went otherwise the second time."""

    nodeId: str
    """Node that differs; empty for the execution as a whole."""
    visit: int
    """Its visit, from 0."""
    field: Literal["status", "output", "error"]
    """What differs; error is its code."""
    before: NotRequired[Any]
    """What it was; left out where the node did not run."""
    after: NotRequired[Any]
    """What it is now; left out where the node did not run."""


@with_config(WORDED)
class ReplayAnswer(TypedDict):
    """An execution that ran again."""

    execution: ExecutionLog
    """The new execution."""
    differences: list[ReplayDifference]
    """What went otherwise; outputs that only stand for real ones in a dry run do not count."""


@with_config(WORDED)
class ExecutionPage(TypedDict):
    """Executions, newest first."""

    executions: list[ExecutionSummary]
    """The page."""
    nextCursor: NotRequired[str]
    """Send it as cursor to get the next page; left out on the last."""
