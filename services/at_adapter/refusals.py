"""How a failed send looks to the caller: the one table."""

from collections.abc import Mapping

import grpc

from rpc.status import ErrorTable, Refusal
from services.at_adapter.outgoing.faults import ErrorType, SendRefused
from storage.connection import StoreUnavailable

TYPE_KEY = "type"
"""ErrorInfo.metadata key of the kind of failure (an ErrorType)."""


def _send_refused(error: SendRefused) -> Refusal:
    return Refusal(
        error.fault.status,
        error.fault.name,
        error.message,
        metadata=_metadata(error.fault.error_type, error.details),
        violations=error.violations,
        retry_after_ms=error.retry_after_ms,
    )


def _store_unavailable(_: StoreUnavailable) -> Refusal:
    return Refusal(
        grpc.StatusCode.UNAVAILABLE,
        "STORE_UNAVAILABLE",
        "Redis does not answer or takes no writes; nothing was sent",
        metadata=_metadata(ErrorType.TRANSIENT, {}),
    )


def _metadata(error_type: ErrorType, details: Mapping[str, str]) -> Mapping[str, str]:
    return {**details, TYPE_KEY: error_type.value}


REFUSALS: ErrorTable = {SendRefused: _send_refused, StoreUnavailable: _store_unavailable}
