"""RETRY: tries the branch behind it again when something in there fails."""

from typing import Annotated

from pydantic import BaseModel, Field

from workflow.fields import NodeConfig
from workflow.node_type import SUCCESS, Category, NodeContext, NodeType, Resumption
from workflow.outcome import Done
from workflow.spec import LONGEST_MS, RetryPolicy

MAX_RETRIES = "max_retries"
"""Handle that it leaves by when the branch was tried as often as it may be, or in vain for good."""


class Config(NodeConfig):
    """
    How often the branch behind `success` is tried. It reaches up to the next node that waits for the outside.

    Attributes:
        max_attempts: Tries in all.
        initial_delay_ms: Pause before the second try, ms; half of each pause is random.
        backoff_multiplier: Each further pause is so many times as long.
        max_delay_ms: No pause is longer, ms.
        retryable_errors: Codes of errors that are worth another try; absent: whatever may be over by itself.
    """

    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    initial_delay_ms: Annotated[int, Field(ge=0, le=LONGEST_MS)] = 1000
    backoff_multiplier: Annotated[float, Field(gt=0, le=1000)] = 2.0
    max_delay_ms: Annotated[int, Field(ge=0, le=LONGEST_MS)] | None = None
    retryable_errors: list[str] | None = None


class Output(BaseModel):
    """`attempt` is the number of this try, from 1; by `max_retries`, how many there were."""

    attempt: int


class Retry(NodeType[Config]):
    type = "RETRY"
    title = "Retry"
    category = Category.LOGIC
    description = "Tries the branch behind it again when something in there fails; what was sent is not sent again."
    config = Config
    output = Output
    outputs = (SUCCESS, MAX_RETRIES)
    timeout_ms = 300_000

    async def run(self, config: Config, context: NodeContext) -> Done:
        return Done(output={"attempt": 1}, handle=SUCCESS)

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Done:
        if resumption.memory["again"]:
            return Done(output={"attempt": context.attempt}, handle=SUCCESS)
        return Done(output={"attempt": context.attempt - 1}, handle=MAX_RETRIES)

    def branch_policy(self, config: Config) -> RetryPolicy:
        return RetryPolicy(
            maxAttempts=config.max_attempts,
            initialDelayMs=config.initial_delay_ms,
            backoffMultiplier=config.backoff_multiplier,
            maxDelayMs=config.max_delay_ms,
            retryableErrors=None if config.retryable_errors is None else tuple(config.retryable_errors),
        )

    def gives_up_by(self, config: Config) -> str:
        return MAX_RETRIES
