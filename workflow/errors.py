"""Failures of nodes and executions. They are data in the log, not crashes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

OUTCOME_UNKNOWN = "SEND_OUTCOME_UNKNOWN"
"""Code of a failure behind which an effect may have taken place or not: the engine settles or repeats it."""


class ErrorType(StrEnum):
    """What kind of failure, which decides whether it is retried."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    RATE_LIMIT = "rate_limit"
    VALIDATION = "validation"


@dataclass(frozen=True, slots=True)
class NodeError:
    """
    Why a node failed.

    Attributes:
        code: Machine-readable, such as RATE_LIMIT.
        message: What went wrong and what to do.
        type: Decides whether it is retried.
        details: More facts, JSON values only.
    """

    code: str
    message: str
    type: ErrorType
    details: Mapping[str, Any] = field(default_factory=dict)


class NodeFailure(Exception):
    """
    Raised by a node that failed.

    Attributes:
        error: What the log says.
        retry_after_ms: Delay that the other side asked for, None when it did not.
    """

    def __init__(self, error: NodeError, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error
        self.retry_after_ms = retry_after_ms


def transient(code: str, message: str, **details: Any) -> NodeError:
    """Returns what says that it may pass by itself."""
    return NodeError(code, message, ErrorType.TRANSIENT, details)


def permanent(code: str, message: str, **details: Any) -> NodeError:
    """Returns what says that it will not pass by itself."""
    return NodeError(code, message, ErrorType.PERMANENT, details)


def invalid(code: str, message: str, **details: Any) -> NodeFailure:
    """Returns a failure that no retry can mend: the input or the config is wrong."""
    return NodeFailure(NodeError(code, message, ErrorType.VALIDATION, details))
