"""Members of a JSON body that the gateway reads itself, checked strictly."""

from collections.abc import Collection, Mapping
from typing import Any

from gateway.bodies import text_of_document
from gateway.errors import bad_request
from gateway.parameters import LARGEST_VERSION

Body = Mapping[str, Any]


def check_members(body: Body, known: Collection[str]) -> None:
    """Refuses members that the call does not know. Raises HttpError naming them."""
    unknown = [member for member in body if member not in known]
    if unknown:
        named = ", ".join(f'"{member}"' for member in unknown)
        message = f"not known here: {named}; known are {', '.join(known)}"
        raise bad_request(message, unknown[0])


def text_of(body: Body, member: str) -> str | None:
    """Reads a text; None when it is absent or null. Raises HttpError."""
    value = body.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise bad_request(f"{member} must be a text that is not empty", member)
    return value


def version_of(body: Body) -> int | None:
    """Reads `version`; None when it is absent or null. Raises HttpError."""
    value = body.get("version")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_VERSION:
        raise bad_request("version must be a whole number from 1", "version")
    return value


def flag_of(body: Body, member: str) -> bool | None:
    """Reads true or false; None when it is absent or null. Raises HttpError."""
    value = body.get(member)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"{member} must be true or false", member)
    return value


def object_of(body: Body, member: str) -> Mapping[str, Any] | None:
    """Reads an object; None when it is absent or null. Raises HttpError."""
    value = body.get(member)
    if value is not None and not isinstance(value, dict):
        raise bad_request(f"{member} must be an object", member)
    return value


def json_of(body: Body, member: str) -> str | None:
    """Reads an object as its JSON text, numbers unchanged; None when it is absent or null. Raises HttpError."""
    value = object_of(body, member)
    return None if value is None else text_of_document(value)
