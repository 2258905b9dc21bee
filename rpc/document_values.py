"""Single values of messages and documents, both ways."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp


class DocumentError(Exception):
    """
    A document does not fit the message.

    Attributes:
        path: Place in the document as a person writes it, such as nodes[2].config; empty for the whole.
        message: What is wrong there.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class _Absent:
    """Stands for a value that is left out."""


ABSENT = _Absent()

Write = Callable[[Any], Any]
"""Field value to document value; ABSENT leaves it out."""

Read = Callable[[Any, str], Any]
"""Document value and its path to field value. Raises DocumentError."""


def as_it_is(value: Any) -> Any:
    """Writes a scalar that JSON has too."""
    return value


def write_json(value: str) -> Any:
    """Writes the value of a JSON text; an empty text is left out. Raises ValueError when it is not JSON."""
    return orjson.loads(value) if value else ABSENT


def read_json(value: object, path: str) -> str:
    """Reads any JSON value as its text."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise DocumentError(path, f"cannot be written as JSON: {error}") from None


def write_timestamp(value: Timestamp) -> str:
    """Writes ISO 8601 in UTC with milliseconds and Z."""
    moment = datetime.fromtimestamp(value.seconds, UTC).replace(microsecond=value.nanos // 1000)
    # The zone is always +00:00 here.
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def read_timestamp(value: object, path: str) -> Timestamp:
    """Reads ISO 8601 with any zone."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DocumentError(path, "must be a time with a zone, such as 2026-03-01T08:30:00.000Z")
    stamp = Timestamp()
    try:
        stamp.FromDatetime(moment)
    except (OverflowError, ValueError):
        raise DocumentError(path, "must be a time of the years 1 to 9999") from None
    return stamp


def enum_conversion(enum: EnumDescriptor) -> tuple[Write, Read]:
    """Returns both ways between the numbers of an enum and its names in lower case without the prefix."""
    prefix = "".join(f"_{char}" if char.isupper() else char.upper() for char in enum.name).lstrip("_") + "_"
    names: dict[int, Any] = {
        value.number: value.name.removeprefix(prefix).lower() for value in enum.values if value.number != 0
    }
    if not enum.values_by_number[0].name.endswith("_UNSPECIFIED"):
        names[0] = enum.values_by_number[0].name.removeprefix(prefix).lower()
    numbers = {name: number for number, name in names.items()}

    def write(number: int) -> Any:
        # A value of a newer contract has no name here; its number is the most that can be said.
        return names.get(number, ABSENT if number == 0 else str(number))

    def read(value: object, path: str) -> int:
        number = numbers.get(value) if isinstance(value, str) else None
        if number is None:
            raise DocumentError(path, f"must be one of {', '.join(numbers)}")
        return number

    return write, read


def integer_reader(minimum: int, maximum: int) -> Read:
    """Returns a reader of whole numbers, bounds included; 5.0 is 5."""

    def read(value: object, path: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise DocumentError(path, f"must be a whole number from {minimum} to {maximum}")
        return value

    return read


def read_float(value: object, path: str) -> float:
    """Reads a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DocumentError(path, "must be a number")
    return float(value)


def read_bool(value: object, path: str) -> bool:
    """Reads true or false."""
    if not isinstance(value, bool):
        raise DocumentError(path, "must be true or false")
    return value


def read_text(value: object, path: str) -> str:
    """Reads a text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise DocumentError(path, "must be a text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DocumentError(path, "holds half of a surrogate pair") from None
    return value
