"""SESSION_END: ends the session."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateMessage, TemplateText, WebAddress
from workflow.node_type import Category, Finding, NodeContext, NodeType
from workflow.outcome import Done
from workflow.session import DataChange, Scope


class Config(NodeConfig):
    """
    Attributes:
        message: Closing words.
        clear_data: Whether the session's values are removed.
        save_data: Whether the session's values are kept for the phone number in this flow ({{workflow.data.key}}).
        reason: Why it ends; stands in the output.
    """

    message: TemplateMessage | None = None
    clear_data: bool = False
    save_data: bool = False
    redirect_url: WebAddress | None = None
    reason: TemplateText | None = None


class Output(BaseModel):
    """Whether it ended, and why where a reason was given."""

    ended: bool
    reason: str | None = None


class SessionEnd(NodeType[Config]):
    type = "SESSION_END"
    title = "End session"
    category = Category.STATE
    description = "Says goodbye and ends the session."
    config = Config
    output = Output
    outputs = ()
    timeout_ms = 5000
    requires_session = True

    def shows(self, config: Config) -> bool:
        return bool(config.message)

    def screens(self, config: Config) -> Sequence[str]:
        return (config.message,) if config.message else ()

    def ends_session(self, config: Config) -> bool:
        return True

    def read_scopes(self, config: Config) -> Iterable[str]:
        return (Scope.SESSION, Scope.WORKFLOW) if config.save_data else (Scope.SESSION,)

    def findings(self, config: Config) -> Iterable[Finding]:
        if config.redirect_url is not None:
            yield Finding(
                "UNSUPPORTED_BY_PROVIDER",
                "a USSD session or an SMS cannot be redirected; this has no effect",
                "redirectUrl",
                is_warning=True,
            )

    async def run(self, config: Config, context: NodeContext) -> Done:
        session = context.session
        assert session is not None
        if config.save_data:
            if session.msisdn is None:
                raise invalid("NO_PHONE_NUMBER", "saveData keeps values for a phone number, and this session has none")
            session.write(Scope.WORKFLOW, DataChange(set=dict(session.data.get(Scope.SESSION, {}))))
        if config.clear_data:
            session.write(Scope.SESSION, DataChange(clear=True))
        session.end()
        output: dict[str, Any] = {"ended": True}
        if config.reason is not None:
            output["reason"] = config.reason
        return Done(output=output, text=config.message or None)
