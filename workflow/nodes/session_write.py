"""SESSION_WRITE: keeps values for later."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from workflow.documents import dump_document
from workflow.errors import invalid
from workflow.fields import NodeConfig, TemplateData
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done
from workflow.sealing import SEALED, masked
from workflow.session import DataChange, Scope

MAX_DATA_BYTES = 250_000
"""Largest set of values as JSON; a little below the 256 KiB that the sessions service keeps."""


class Config(NodeConfig):
    """
    Attributes:
        data: Values to keep.
        merge: True: beside what is there; false: in place of it.
        ttl: Life of the values, seconds; in scope session it moves the session's expiry.
        overwrite: False: a key that has a value keeps it.
        scope: session: this session; workflow: this phone number in this flow; global: this phone number in all flows.
        encrypt: Whether the values are stored encrypted and masked in the log; secrets that people typed always are.
    """

    data: TemplateData
    merge: bool = True
    ttl: Annotated[int, Field(ge=1, le=86400)] | None = None
    overwrite: bool = True
    scope: Annotated[Scope, Field(strict=False)] = Scope.SESSION
    encrypt: bool = False


class Output(BaseModel):
    """The values of the scope as stored; encrypted ones are masked."""

    sessionData: dict[str, Any]


class SessionWrite(NodeType[Config]):
    type = "SESSION_WRITE"
    title = "Write session"
    category = Category.STATE
    description = "Keeps values in the session, or beyond it."
    config = Config
    output = Output
    requires_session = True

    def stored_keys(self, config: Config) -> Mapping[str, Iterable[str]]:
        return {config.scope: tuple(config.data) if isinstance(config.data, dict) else ()}

    def read_scopes(self, config: Config) -> Iterable[str]:
        return (config.scope,)

    def needs_phone(self, config: Config) -> bool:
        return config.scope is not Scope.SESSION

    async def run(self, config: Config, context: NodeContext) -> Done:
        session = context.session
        assert session is not None
        if config.scope is not Scope.SESSION and session.msisdn is None:
            raise invalid(
                "NO_PHONE_NUMBER",
                f"scope {config.scope} keeps values for a phone number, and this session has none",
            )
        if config.encrypt:
            values = {key: {SEALED: context.ports.cipher.seal(value)} for key, value in config.data.items()}
        else:
            # What was typed into a sensitive screen is a secret wherever it is kept.
            values = context.concealed(config.data)
        change = DataChange(
            clear=not config.merge,
            set=values if config.overwrite else {},
            set_if_absent={} if config.overwrite else values,
            ttl_seconds=config.ttl or 0,
        )
        size = len(dump_document(change.apply(session.data.get(config.scope, {}))).encode())
        if size > MAX_DATA_BYTES:
            raise invalid(
                "SESSION_DATA_TOO_LARGE",
                f"scope {config.scope} would hold {size} bytes of JSON, at most {MAX_DATA_BYTES}",
            )
        session.write(config.scope, change)
        return Done(output={"sessionData": masked(session.data[config.scope])})
