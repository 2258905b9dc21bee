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

    # Texts under members are not handed down to a class that extends this one, descriptions are.
    workflowId: Annotated[str, Field(description="Id of the flow.")]
    version: Annotated[int, Field(description="Version, from 1.")]
    name: Annotated[str, Field(description="Name shown to people.")]
    published: Annotated[bool, Field(description="True when this is the published version.")]
    publishedVersion: Annotated[int, Field(description="Version that is published; 0 when none is.")]
    latestVersion: Annotated[int, Field(description="Newest version.")]
    savedAt: Annotated[Time, Field(description="When this version was saved.")]
    publishedAt: NotRequired[Annotated[Time, Field(description="When the published version was published.")]]
    workflow: NotRequired[Annotated[WorkflowSpec, Field(description="The flow as it was saved; left out in lists.")]]
    triggerType: Annotated[str, Field(description="Node type of its trigger.")]
    nextRunAt: NotRequired[Annotated[Time, Field(description="When a clock starts the published version next.")]]


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
