"""Saved flows."""

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from gateway.documents.described import CLOSED, WORDED, Time
from gateway.documents.faults import Issue
from gateway.documents.flows import WorkflowSpec


@with_config(WORDED)
class SavedWorkflow(TypedDict):
    """One saved version of a flow."""

    workflowId: str
    """Id of the flow."""
    version: int
    """Version, from 1."""
    name: str
    """Name shown to people."""
    published: bool
    """True when this is the published version."""
    publishedVersion: int
    """Version that is published; 0 when none is."""
    latestVersion: int
    """Newest version."""
    savedAt: Time
    """When this version was saved."""
    publishedAt: NotRequired[Time]
    """When the published version was published."""
    workflow: NotRequired[WorkflowSpec]
    """The flow as it was saved; left out in lists."""
    triggerType: str
    """Node type of its trigger."""


@with_config(WORDED)
class SaveAnswer(SavedWorkflow):
    """The saved version, and what is probably not meant in it."""

    warnings: list[Issue]
    """What is probably not meant."""


@with_config(WORDED)
class WorkflowPage(TypedDict):
    """The newest version of every flow, by id."""

    workflows: list[SavedWorkflow]
    """The page."""
    nextCursor: NotRequired[str]
    """Send it as cursor to get the next page; left out on the last."""


@with_config(CLOSED)
class PublishRequest(TypedDict):
    """What to publish."""

    version: NotRequired[Annotated[int, Field(ge=1)]]
    """Version to publish; default is the newest."""
