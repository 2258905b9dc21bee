"""DELAY: goes on after a while."""

from typing import Annotated

from pydantic import BaseModel, Field

from workflow.fields import TEMPLATED, NodeConfig, Role
from workflow.node_type import Category, NodeContext, NodeType, Resumption
from workflow.outcome import Done, Outcome, Wait, WaitKind

LONGEST_DELAY_MS = 3650 * 24 * 3600 * 1000
"""Ten years: a longer one is a slip of units."""


class Config(NodeConfig):
    """
    Attributes:
        duration: How long to wait, ms.
    """

    duration: Annotated[int, Field(strict=False, gt=0, le=LONGEST_DELAY_MS), TEMPLATED, Role.VALUE]


class Output(BaseModel):
    """`delayedMs` is the pause that was asked for, ms; a dry run does not make it."""

    delayedMs: int
    dryRun: bool | None = None


class Delay(NodeType[Config]):
    type = "DELAY"
    title = "Delay"
    category = Category.LOGIC
    description = "Waits for a while, however long; nothing is held in memory meanwhile."
    config = Config
    output = Output
    timeout_ms = 0

    def waits(self, config: Config) -> bool:
        return True

    async def run(self, config: Config, context: NodeContext) -> Outcome:
        return Wait(WaitKind.TIMER, config.duration, {"duration": config.duration})

    async def resume(self, config: Config, context: NodeContext, resumption: Resumption) -> Outcome:
        return Done(output={"delayedMs": resumption.memory["duration"]})

    async def rehearse(self, config: Config, context: NodeContext) -> Outcome:
        return Done(output={"delayedMs": config.duration, "dryRun": True})
