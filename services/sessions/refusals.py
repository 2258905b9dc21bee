"""How a domain error looks to the caller: the one table."""

import grpc

from rpc.status import ErrorTable, FieldViolation, Refusal
from services.sessions.errors import (
    InvalidFilter,
    InvalidSession,
    NoLiveSession,
    SessionEnded,
    SessionNotFound,
    VersionConflict,
)
from storage.connection import StoreUnavailable

RETRY_AFTER_MS = 1000
"""When a caller may try again after the store did not answer."""

CURRENT_VERSION_KEY = "currentVersion"
"""ErrorInfo.metadata key of a version conflict: the version of the session now."""

_UNUSABLE = grpc.StatusCode.INVALID_ARGUMENT


def _invalid(reason: str, error: InvalidSession | InvalidFilter) -> Refusal:
    return Refusal(_UNUSABLE, reason, str(error), violations=(FieldViolation(error.field, error.problem, reason),))


def _conflict(error: VersionConflict) -> Refusal:
    current = {CURRENT_VERSION_KEY: str(error.current)}
    return Refusal(grpc.StatusCode.ABORTED, "SESSION_VERSION_CONFLICT", str(error), current)


def _store_unavailable(_: StoreUnavailable) -> Refusal:
    message = "Redis does not answer or takes no writes; try again"
    return Refusal(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", message, retry_after_ms=RETRY_AFTER_MS)


REFUSALS: ErrorTable = {
    SessionNotFound: lambda error: Refusal(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", str(error)),
    NoLiveSession: lambda error: Refusal(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", str(error)),
    SessionEnded: lambda error: Refusal(grpc.StatusCode.FAILED_PRECONDITION, "SESSION_ENDED", str(error)),
    VersionConflict: _conflict,
    InvalidSession: lambda error: _invalid("INVALID_SESSION", error),
    InvalidFilter: lambda error: _invalid("INVALID_FILTER", error),
    StoreUnavailable: _store_unavailable,
}
"""Refusal of every error that the store or the conversion raises."""
