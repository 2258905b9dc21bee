"""SESSION_END: ends the session."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateMessage, TemplateText, WebAddress
from workflow.node_type import Category, Finding, NodeContext, NodeType
from workflow.outcome import Done
from workflow.session import DataChange, Scope
from workflow.unsupported import UNSUPPORTED
from workflow.voice import VOICE, Action, CallState, Redirect, Say


class Config(NodeConfig):
    """
    Attributes:
        message: Closing words; in a call they are said.
        clear_data: Whether the session's values are removed.
        save_data: Whether the session's values are kept for the phone number in this flow ({{workflow.data.key}}).
        redirect_url: In a call: the address of another application that goes on with it.
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
        return bool(config.message or config.redirect_url)

    def screens(self, config: Config) -> Sequence[str]:
        return (config.message,) if config.message else ()

    def ends_session(self, config: Config) -> bool:
        return True

    def read_scopes(self, config: Config) -> Iterable[str]:
        return (Scope.SESSION, Scope.WORKFLOW) if config.save_data else (Scope.SESSION,)

    def needs_phone(self, config: Config) -> bool:
        return config.save_data

    def findings_in(self, config: Config, session_types: frozenset[str]) -> Iterable[Finding]:
        if config.redirect_url is not None and VOICE not in session_types:
            yield Finding(
                UNSUPPORTED,
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
        if context.call is not CallState.LIVE:
            return Done(output=output, text=_words(config))
        return Done(output=output, actions=_goodbye(config))


def _words(config: Config) -> str | None:
    """The closing words; None where they are blank, so that the person gets the flow's settings.ussd.noText instead."""
    return config.message if config.message and config.message.strip() else None


def _goodbye(config: Config) -> list[Action]:
    words = _words(config)
    said: list[Action] = [] if words is None else [Say(words)]
    return [*said, Redirect(config.redirect_url)] if config.redirect_url is not None else said
