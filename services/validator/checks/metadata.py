"""MISSING_DESCRIPTION: a flow says what it is for."""

from collections.abc import Iterator, Mapping

from services.validator.flow import Flow
from workflow.issues import Issue


def check(flow: Flow) -> Iterator[Issue]:
    """Yields a warning when there is no description."""
    metadata = flow.draft.document.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    description = metadata.get("description")
    if description is None or (isinstance(description, str) and not description.strip()):
        message = "say what the flow is for in metadata.description"
        yield Issue("MISSING_DESCRIPTION", message, path="metadata.description", is_warning=True)
