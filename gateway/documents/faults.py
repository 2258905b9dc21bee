"""Faults: of a flow, of a request."""

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from gateway.documents.described import WORDED


@with_config(WORDED)
class Issue(TypedDict):
    """One fault of a flow or of a request."""

    code: str
    """Machine-readable, such as INVALID_EDGE_TARGET."""
    message: str
    """What is wrong, where, and what to do."""
    nodeId: NotRequired[str]
    """Node that it is about."""
    edgeId: NotRequired[str]
    """Edge that it is about."""
    path: NotRequired[str]
    """Place in the document, such as nodes[2].config.to."""


@with_config(WORDED)
class Error(TypedDict):
    """A refused or failed request."""

    error: str
    """Short text, such as Compilation failed."""
    message: str
    """What is wrong, where, and what to do."""
    code: NotRequired[str]
    """Machine-readable, such as SESSION_ENDED."""
    errors: NotRequired[list[Issue]]
    """Single faults, where there are any."""


@with_config(WORDED)
class ValidationReport(TypedDict):
    """What is wrong with a flow."""

    valid: bool
    """True when there is no error; warnings do not count."""
    errors: list[Issue]
    """Faults that keep the flow from running, sorted by place."""
    warnings: list[Issue]
    """What is probably not meant."""


@with_config(WORDED)
class CompilationFailure(TypedDict):
    """Why there is no graph."""

    success: Literal[False]
    """Always false."""
    errors: list[Issue]
    """Faults that keep the flow from running, sorted by place."""
    warnings: list[Issue]
    """What is probably not meant."""
