"""MERGE: joins branches."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from workflow.fields import NodeConfig
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done


class Config(NodeConfig):
    """
    Attributes:
        strategy: first goes on at the first arrival; the others wait for all live branches and keep the last output,
            all of them as a list, or one merged object, in the order of the handles.
    """

    strategy: Literal["first", "last", "all", "merge"] = "last"


class Output(BaseModel):
    """The kept output itself (first, last, merge), or `{items: [...]}` (all)."""

    model_config = ConfigDict(extra="allow")


class Merge(NodeType[Config]):
    type = "MERGE"
    title = "Merge"
    category = Category.LOGIC
    description = "Joins branches into one."
    config = Config
    output = Output
    inputs = ("input*",)

    def waits_for_all(self, config: Config) -> bool:
        return config.strategy != "first"

    async def run(self, config: Config, context: NodeContext) -> Done:
        outputs = [dict(arrival.output) for arrival in context.arrivals]
        match config.strategy:
            case "first":
                return Done(output=outputs[0])
            case "last":
                return Done(output=outputs[-1])
            case "all":
                return Done(output={"items": outputs})
            case "merge":
                merged: dict[str, Any] = {}
                for output in outputs:
                    merged.update(output)
                return Done(output=merged)
