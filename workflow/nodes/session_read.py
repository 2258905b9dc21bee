"""SESSION_READ: takes values out of the session."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from workflow.fields import NodeConfig
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done
from workflow.session import Scope
from workflow.text_patterns import OUTPUT_KEY


class Config(NodeConfig):
    """
    Attributes:
        keys: Values to read; all where absent.
        default_value: Values of keys that the session does not have.
        merge_with_input: Whether the output of the nodes before stands in the output too.
        output_key: Name under which the values stand in the output.
    """

    keys: list[Annotated[str, Field(min_length=1)]] | None = None
    default_value: dict[str, Any] = Field(default_factory=dict)
    merge_with_input: bool = True
    output_key: Annotated[str, Field(pattern=OUTPUT_KEY)] = "sessionData"


class Output(BaseModel):
    """`{<outputKey>: {…}}`, beside what came in where mergeWithInput is on."""

    model_config = ConfigDict(extra="allow")


class SessionRead(NodeType[Config]):
    type = "SESSION_READ"
    title = "Read session"
    category = Category.STATE
    description = "Reads values that the session keeps."
    config = Config
    output = Output
    requires_session = True

    def read_scopes(self, config: Config) -> Iterable[str]:
        return (Scope.SESSION,)

    async def run(self, config: Config, context: NodeContext) -> Done:
        assert context.session is not None
        # Encrypted values stay so in the output, which is journaled; templates that name them get them in clear.
        stored = {**config.default_value, **context.session.data.get(Scope.SESSION, {})}
        values = stored if config.keys is None else {key: stored[key] for key in config.keys if key in stored}
        before: dict[str, Any] = {}
        if config.merge_with_input:
            for arrival in context.arrivals:
                before.update(arrival.output)
        return Done(output={**before, config.output_key: values})
