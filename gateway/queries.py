"""Query parameters, read strictly: what cannot be used is refused with its name."""

from collections.abc import Collection
from datetime import UTC, datetime

from fastapi import Request
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.errors import HttpError, bad_request

DEFAULT_LIMIT, LARGEST_LIMIT = 100, 1000


def check_names(request: Request, known: Collection[str]) -> None:
    """Refuses parameters that the call does not know, so that a misspelt filter does not list everything."""
    for name in request.query_params:
        if name not in known:
            raise bad_request(f"query parameter {name!r} is not known here; known are {', '.join(sorted(known))}")


def limit(request: Request) -> int:
    """Reads `limit`."""
    written = request.query_params.get("limit")
    if written is None:
        return DEFAULT_LIMIT
    if not written.isascii() or not written.isdecimal() or not 1 <= int(written) <= LARGEST_LIMIT:
        raise _unusable("limit", f"must be a whole number from 1 to {LARGEST_LIMIT}")
    return int(written)


def version(request: Request) -> int:
    """Reads `version`; 0 when it is absent."""
    written = request.query_params.get("version")
    if written is None:
        return 0
    if not written.isascii() or not written.isdecimal() or not 1 <= int(written) < 2**31:
        raise _unusable("version", "must be a whole number from 1")
    return int(written)


def time(request: Request, name: str) -> Timestamp | None:
    """Reads a time in ISO 8601; without an offset it is UTC."""
    written = request.query_params.get(name)
    if written is None:
        return None
    try:
        # A + that was not escaped arrives as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+"))
    except ValueError:
        raise _unusable(name, "must be a time in ISO 8601, such as 2026-01-31T08:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def choice(request: Request, name: str, options: Collection[str]) -> str | None:
    """Reads one of some words."""
    written = request.query_params.get(name)
    if written is not None and written not in options:
        raise _unusable(name, f"must be one of {', '.join(options)}")
    return written


def _unusable(name: str, what: str) -> HttpError:
    return bad_request(f"query parameter {name} {what}", "INVALID_FILTER")
