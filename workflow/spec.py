"""
The flow as an author draws it: a WorkflowSpec document.

Field names in JSON are camelCase. Keys that are not listed are kept out; the validator warns about them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from workflow.text_patterns import COUNTRY, NODE_ID, WORKFLOW_ID

RESERVED_WORKFLOW_IDS = frozenset({"executions", "validate", "compile", "execute", "publish", ".", ".."})

LONGEST_MS = 2_592_000_000
"""Longest duration that a flow may name: 30 days."""

MOST = 1_000_000
"""Largest count that a flow may name."""

Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_MS)]


class SpecModel(BaseModel):
    """What all parts of a spec share: camelCase in JSON, exact types, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        frozen=True,
        strict=True,
        extra="ignore",
    )


class RetryPolicy(SpecModel):
    """
    How often and how fast a failed node is tried again.

    Attributes:
        max_attempts: Attempts in all, the first included.
        initial_delay_ms: Delay before the second attempt.
        backoff_multiplier: Growth of the delay for each further attempt.
        max_delay_ms: Longest delay; None means no bound.
        retryable_errors: Error codes that are retried; None means every transient and rate-limit error.
    """

    max_attempts: Annotated[int, Field(ge=1, le=100)]
    initial_delay_ms: Annotated[int, Field(ge=0, le=86_400_000)]
    backoff_multiplier: Annotated[float, Field(gt=0, le=1000)] = 2.0
    max_delay_ms: Annotated[int, Field(ge=0, le=86_400_000)] | None = None
    retryable_errors: tuple[str, ...] | None = Field(default=None, strict=False)


class Position(SpecModel):
    """Place on a canvas, pixels."""

    x: float
    y: float


class Node(SpecModel):
    """One step of a flow; `config` is checked against the node type later."""

    id: Annotated[str, Field(pattern=NODE_ID)]
    type: Annotated[str, Field(min_length=1)]
    label: str | None = None
    position: Position | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    retry: RetryPolicy | None = None
    timeout: Annotated[int, Field(ge=1, le=LONGEST_MS)] | None = None
    disabled: bool = False


class Edge(SpecModel):
    """An arrow from one node to another."""

    id: str | None = None
    source: Annotated[str, Field(min_length=1)]
    target: Annotated[str, Field(min_length=1)]
    source_handle: str | None = None
    target_handle: str | None = None
    condition: str | None = None
    label: str | None = None


class Metadata(SpecModel):
    """Who and what. Times are ISO 8601 text."""

    workflow_id: Annotated[str, Field(pattern=WORKFLOW_ID)]
    version: Annotated[int, Field(ge=1, le=2**32 - 1)]
    name: Annotated[str, Field(min_length=1)]
    created_by: str
    created_at: str
    description: str | None = None
    published_at: str | None = None
    tags: tuple[str, ...] = Field(default=(), strict=False)
    environment: str | None = None


class RateLimit(SpecModel):
    """How many executions may start in a window."""

    max_requests: Annotated[int, Field(ge=1, le=MOST)]
    window_ms: Annotated[int, Field(ge=1, le=LONGEST_MS)]
    strategy: Literal["fixed", "sliding"] = "fixed"


class UssdSettings(SpecModel):
    """Sentences that a USSD user sees when the flow itself has none."""

    apology: str = "Sorry, something went wrong. Please try again later."
    when_busy: Literal["end", "checkAgain"] = "end"
    no_text: str = "Thank you. Goodbye."
    resume_prompt: str = "Continue where you left off?\n1. Continue\n2. Start again"


class Settings(SpecModel):
    """
    Limits and texts of the whole flow.

    Attributes:
        max_execution_time_ms: Longest active time of one execution; waiting does not count.
        timezone: IANA name.
        resume_within_ms: A dropped USSD session may be continued by a new dial for so long; 0 means never.
        missing_variable: What a template path that names nothing does.
        default_country: ISO 3166 country of phone numbers that lack a +.
    """

    max_execution_time_ms: Annotated[int, Field(ge=1, le=86_400_000)] = 300_000
    timezone: str = "UTC"
    rate_limit: RateLimit | None = None
    enable_replay: bool = True
    max_concurrent_executions: Annotated[int, Field(ge=1, le=MOST)] | None = None
    resume_within_ms: Milliseconds = 0
    missing_variable: Literal["error", "empty"] = "error"
    default_country: Annotated[str, Field(pattern=COUNTRY)] | None = None
    ussd: UssdSettings = UssdSettings()


class ErrorHandling(SpecModel):
    """What a failure does to the whole flow."""

    default_retry: RetryPolicy | None = None
    continue_on_error: bool = False
    error_webhook: str | None = None
    max_errors: Annotated[int, Field(ge=1, le=MOST)] | None = None


class WorkflowSpec(SpecModel):
    """A whole flow. The trigger may stand in `nodes` as well or not."""

    metadata: Metadata
    trigger: Node
    nodes: tuple[Node, ...] = Field(strict=False)
    edges: tuple[Edge, ...] = Field(strict=False)
    settings: Settings = Settings()
    error_handling: ErrorHandling = ErrorHandling()
