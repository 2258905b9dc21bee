"""Parameters of paths, queries and headers: what they mean and which values they take."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Path
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from gateway.documents.executions import ExecutionStatus
from gateway.documents.sessions import SessionType

LARGEST_VERSION = 2**31 - 1

Absent = SkipJsonSchema[None]
"""The value of a parameter that was left out; nobody can write it."""


def _restore_plus(written: object) -> object:
    # A + that was not escaped arrives as a space.
    return written.replace(" ", "+") if isinstance(written, str) else written


def _utc(written: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(_restore_plus(written)))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a time in ISO 8601, such as 2026-01-31T08:00:00Z") from None


# A date alone is taken too, hence no format.
Time = Annotated[
    datetime,
    BeforeValidator(_utc),
    WithJsonSchema({"type": "string", "examples": ["2026-01-31T08:00:00Z", "2026-01-31"]}),
]
Msisdn = Annotated[str, BeforeValidator(_restore_plus), Field(description="Only of this phone number, E.164.")]
Limit = Annotated[int, Field(ge=1, le=1000, description="Most entries of the page; it may have fewer.")]
Cursor = Annotated[str, Field(description="nextCursor of the page before.")]
Version = Annotated[int, Field(ge=1, le=LARGEST_VERSION)]

ExecutionId = Annotated[str, Path(description="Id of the execution.")]
WorkflowId = Annotated[str, Path(description="Id of the flow.")]
WebhookPath = Annotated[str, Path(description="Path of the trigger, without its first slash; it may have others.")]
SessionId = Annotated[str, Path(description="Id of the session.")]
IdempotencyKey = Annotated[
    str | Absent,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=256,
        description="Names this call: a repeat within 24 h gets the first answer and runs nothing.",
    ),
]


class Query(BaseModel):
    """The parameters of a query. Unknown ones are refused: a misspelt filter must not list, or delete, everything."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class NoQuery(Query):
    """A call that takes no parameters."""


class PageQuery(Query):
    """Which page to list."""

    limit: Limit = 100
    cursor: Cursor = ""


class ExecutionQuery(PageQuery):
    """Which executions to list."""

    workflow_id: str = Field(default="", description="Only of this flow.")
    status: ExecutionStatus | Absent = Field(default=None, description="Only with this status.")
    start_date: Time | Absent = Field(default=None, description="Only started then or later; UTC without an offset.")
    end_date: Time | Absent = Field(default=None, description="Only started before; UTC without an offset.")


class SessionQuery(PageQuery):
    """Which sessions to list."""

    msisdn: Msisdn = ""
    type: SessionType | Absent = Field(default=None, description="Only of this type.")
    active: bool | Absent = Field(default=None, description="Only live ones (true) or only ended ones (false).")


class UnclaimedQuery(PageQuery):
    """What to list of that which nobody claimed."""

    channel: str = Field(default="", description="Only of this channel, such as ussd or sms.")


class VersionQuery(Query):
    """Which version of a flow is meant."""

    version: Version | Absent = Field(default=None, description="Version of the flow.")


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Returns a time as messages have it."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message
