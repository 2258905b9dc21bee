"""CONDITION: two ways, by an expression."""

from pydantic import BaseModel

from workflow.fields import ExpressionText, NodeConfig
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done


class Config(NodeConfig):
    """
    Attributes:
        expression: What decides, such as {{amount}} > 100.
    """

    expression: ExpressionText


class Output(BaseModel):
    """What the expression came to."""

    result: bool


class Condition(NodeType[Config]):
    type = "CONDITION"
    title = "Condition"
    category = Category.LOGIC
    description = "Leaves by true or false, as an expression says."
    config = Config
    output = Output
    outputs = ("true", "false")

    async def run(self, config: Config, context: NodeContext) -> Done:
        result = context.expressions["expression"].truth()
        return Done(output={"result": result}, handle="true" if result else "false")
