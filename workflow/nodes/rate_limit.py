"""RATE_LIMIT: lets so many through in a window, over all executions and engines; the others wait their turn."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from workflow.errors import ErrorType, NodeError, NodeFailure
from workflow.fields import NodeConfig, TemplateText
from workflow.node_type import Category, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Outcome, Wait, WaitKind
from workflow.ports import Rate
from workflow.spec import LONGEST_MS, MOST

UNLIMITED_MS = LONGEST_MS


class Config(NodeConfig):
    """
    Attributes:
        max_requests: How many pass in a window.
        window_ms: Length of the window, ms.
        strategy: fixed: windows begin at multiples of their length; sliding: any stretch of that length counts.
        key: What is limited; nodes of one key share their turns, in whatever flow they stand. Default: the flow's id.
    """

    max_requests: Annotated[int, Field(ge=1, le=MOST)]
    window_ms: Annotated[int, Field(ge=1, le=LONGEST_MS)]
    strategy: Literal["fixed", "sliding"] = "fixed"
    key: TemplateText | None = None


class Output(BaseModel):
    """`waitedMs` is how long it waited for its turn, ms; a dry run takes no turn."""

    waitedMs: int
    dryRun: bool | None = None


class RateLimit(NodeType[Config]):
    type = "RATE_LIMIT"
    title = "Rate limit"
    category = Category.LOGIC
    description = "Lets at most so many through in a window; the others wait their turn, in order."
    config = Config
    output = Output
    timeout_ms = 60_000
    has_effect = True

    def keeps_success(self, config: Config) -> bool:
        return False

    async def run(self, config: Config, context: NodeContext) -> Outcome:
        key = config.key or f"workflow:{context.workflow_id}"
        rate = Rate(key, config.max_requests, config.window_ms, config.strategy)
        longest_ms = context.timeout_ms or UNLIMITED_MS
        permit = await context.ports.rates.reserve(rate, context.idempotency_key, longest_ms)
        if not permit.granted:
            message = f"the next turn comes in {permit.wait_ms} ms, later than the node's timeout of {longest_ms} ms"
            raise NodeFailure(NodeError("TIMEOUT", message, ErrorType.RATE_LIMIT), permit.wait_ms)
        if permit.wait_ms == 0:
            return Done(output={"waitedMs": 0})
        return Wait(WaitKind.TIMER, permit.wait_ms, {"wait": permit.wait_ms})

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Outcome:
        return Done(output={"waitedMs": resumption.memory["wait"]})

    async def rehearse(self, config: Config, context: NodeContext) -> Outcome:
        return Done(output={"waitedMs": 0, "dryRun": True})
