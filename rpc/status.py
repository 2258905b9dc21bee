"""
What a failed call says, in both directions.

A servicer raises domain errors; its ErrorTable turns each into a Refusal; the Refusal travels as a
google.rpc.Status with ErrorInfo, BadRequest and RetryInfo. The caller reads the same Refusal back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

ERROR_DOMAIN = "njia"
"""ErrorInfo.domain of every refusal."""

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata key that carries the google.rpc.Status, as gRPC defines it."""

MAX_MESSAGE_BYTES = 1024
"""Longest text of a refusal. Clients refuse trailers beyond 8 KiB, and the text stands in them twice."""

MAX_STATUS_BYTES = 4096
"""Largest google.rpc.Status. It travels as base64, a third larger; field violations beyond it are left out."""

OMITTED_VIOLATIONS = "omittedViolations"
"""ErrorInfo.metadata key: how many field violations did not fit into the status."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """
    One fault of a request.

    Attributes:
        field: Path of the field as a person writes it, such as nodes[2].config.to.
        description: What is wrong and what to do.
        reason: Machine-readable code; empty when there is none.
    """

    field: str
    description: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why a call failed.

    Attributes:
        code: gRPC status code.
        reason: Machine-readable reason in UPPER_SNAKE_CASE, such as SESSION_NOT_FOUND.
        message: What went wrong and what to do, for a person.
        metadata: More facts by name.
        violations: Faults of single fields of the request.
        retry_after_ms: When a repeat makes sense, milliseconds from now; None when nothing is known.
    """

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[FieldViolation, ...] = ()
    retry_after_ms: int | None = None


class CallRefused(Exception):
    """
    A call to another service failed. A servicer that lets it escape forwards the refusal as it is.

    Attributes:
        refusal: What the called service said.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code.name} {refusal.reason}: {refusal.message}")
        self.refusal = refusal


ErrorTable = Mapping[type[Exception], Callable[[Any], Refusal]]
"""The refusal of each domain error of a service. An error without a row of its own takes that of its nearest parent."""


def refusal_for(error: Exception, table: ErrorTable) -> Refusal | None:
    """Returns the refusal that the table has for this error, or None when it has no row for it or a parent of it."""
    for kind in type(error).__mro__:
        row = table.get(kind)
        if row is not None:
            return row(error)
    return None


def rich_status(refusal: Refusal) -> status_pb2.Status:
    """
    Returns the google.rpc.Status of a refusal: ErrorInfo always, RetryInfo and BadRequest where there is something.

    It never exceeds MAX_STATUS_BYTES as far as violations are concerned: those that do not fit are left out and
    counted in ErrorInfo.metadata under OMITTED_VIOLATIONS.
    """
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=ERROR_DOMAIN, metadata=refusal.metadata)
    status = status_pb2.Status(code=refusal.code.value[0], message=bounded_message(refusal.message))
    if refusal.retry_after_ms is not None:
        delay = Duration()
        delay.FromMilliseconds(refusal.retry_after_ms)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    if refusal.violations:
        room = MAX_STATUS_BYTES - status.ByteSize() - info.ByteSize()
        faults, omitted = _bad_request(refusal.violations, room)
        if omitted:
            info.metadata[OMITTED_VIOLATIONS] = str(omitted)
        status.details.add().Pack(faults)
    status.details.add().Pack(info)
    return status


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """
    Reads the refusal of a failed call.

    A failure that no service described (nothing listens, the deadline passed) has its code's name as the reason.
    """
    details = error.trailing_metadata()
    if details is not None:
        for key, value in details:
            if key == DETAILS_KEY and isinstance(value, bytes):
                return _refusal_from_status(status_pb2.Status.FromString(value))
    return Refusal(code=error.code(), reason=error.code().name, message=error.details() or error.code().name)


def bounded_message(message: str) -> str:
    """Returns the text cut to MAX_MESSAGE_BYTES of UTF-8."""
    encoded = message.encode(errors="replace")
    if len(encoded) <= MAX_MESSAGE_BYTES:
        return message
    return encoded[: MAX_MESSAGE_BYTES - 3].decode(errors="ignore") + "…"


def _bad_request(violations: tuple[FieldViolation, ...], room_bytes: int) -> tuple[error_details_pb2.BadRequest, int]:
    faults = error_details_pb2.BadRequest()
    for index, violation in enumerate(violations):
        faults.field_violations.add(
            field=bounded_message(violation.field),
            description=bounded_message(violation.description),
            reason=violation.reason,
        )
        if faults.ByteSize() > room_bytes:
            del faults.field_violations[index]
            return faults, len(violations) - index
    return faults, 0


def _refusal_from_status(status: status_pb2.Status) -> Refusal:
    info = error_details_pb2.ErrorInfo()
    faults = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    retry_after_ms: int | None = None
    for detail in status.details:
        if detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
            retry_after_ms = retry.retry_delay.ToMilliseconds()
        else:
            # Unpack looks at the type itself and leaves the message alone when it is another one.
            detail.Unpack(info)
            detail.Unpack(faults)
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return Refusal(
        code=code,
        reason=info.reason or code.name,
        message=status.message,
        metadata=dict(info.metadata),
        violations=tuple(
            FieldViolation(fault.field, fault.description, fault.reason) for fault in faults.field_violations
        ),
        retry_after_ms=retry_after_ms,
    )
