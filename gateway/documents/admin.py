"""The audit log, and what is erased of a person."""

from typing import NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED, Time


@with_config(WORDED)
class AuditEntry(TypedDict):
    """Something that somebody did."""

    at: Time
    """When."""
    who: str
    """Name of the key that it was done with; anonymous where no keys are asked for."""
    action: str
    """What was done, such as workflow.publish."""
    subject: str
    """To what: a workflow, an execution, a session, a phone number (masked), keys."""


@with_config(WORDED)
class AuditPage(TypedDict):
    """Who did what, newest first."""

    entries: list[AuditEntry]
    """The page."""
    nextCursor: NotRequired[str]
    """Send it as cursor to get the next page; left out on the last."""


@with_config(WORDED)
class ErasedSubject(TypedDict):
    """What was erased of a phone number."""

    executions: int
    """Executions that were erased."""
    left: int
    """Executions that still end, and are to be erased by a repeat."""
    sessions: int
    """Sessions that were erased."""
    valueSets: int
    """Sets of values of the number, in one flow or in all, that were erased."""
    unclaimed: int
    """Entries of what nobody claimed that were erased."""
