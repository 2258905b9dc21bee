"""
Messages as REST documents and back, by their descriptors: the one place where the two meet.

- Names are camelCase. A string field `foo_json` is the member `foo`, and its value the parsed JSON.
- An enum value is its name in lower case without the enum's prefix: NODE_STATUS_SUCCESS is "success".
- A Timestamp is ISO 8601 in UTC with milliseconds and Z; 64-bit integers are numbers.
- Unset optional fields, unset messages, empty JSON texts and UNSPECIFIED enum values are left out; every other
  scalar, every list and every map is present.

How each field is handled is worked out once a message type, since this runs on every request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import orjson
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

M = TypeVar("M", bound=Message)

_JSON_SUFFIX = "_json"
_TIMESTAMP = Timestamp.DESCRIPTOR.full_name
_INTEGERS: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOATS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


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


_ABSENT = _Absent()
_Write = Callable[[Any], Any]
_Read = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    member: str
    has_presence: bool
    is_repeated: bool
    is_map: bool
    is_message: bool
    write: _Write
    """Field value to document value; _ABSENT leaves it out."""
    read: _Read
    """Document value and its path to field value. Raises DocumentError."""


def to_document(message: Message) -> dict[str, Any]:
    """
    Returns the document of a message.

    Raises:
        ValueError: A field `…_json` holds something that is not JSON.
    """
    document: dict[str, Any] = {}
    for field in _fields(message.DESCRIPTOR):
        if field.has_presence:
            if not message.HasField(field.name):
                continue
            value = field.write(getattr(message, field.name))
        elif field.is_map:
            value = {key: field.write(part) for key, part in getattr(message, field.name).items()}
        elif field.is_repeated:
            value = [field.write(part) for part in getattr(message, field.name)]
        else:
            value = field.write(getattr(message, field.name))
        if value is not _ABSENT:
            document[field.member] = value
    return document


def from_document(document: Mapping[str, Any], message_class: type[M]) -> M:
    """
    Returns the message of a document. A member that is null counts as left out.

    Raises:
        DocumentError: A member is unknown, of the wrong type or out of range.
    """
    message = message_class()
    _fill(message, document, "")
    return message


def _fill(message: Message, document: object, path: str) -> None:
    if not isinstance(document, Mapping):
        raise DocumentError(path, "must be an object")
    members = _members(message.DESCRIPTOR)
    for member, value in document.items():
        field = members.get(member)
        place = f"{path}.{member}" if path else str(member)
        if field is None:
            raise DocumentError(place, "is not known here")
        if value is None:
            continue
        if field.is_map:
            _fill_map(getattr(message, field.name), field, value, place)
        elif field.is_repeated:
            _fill_list(getattr(message, field.name), field, value, place)
        elif field.is_message:
            getattr(message, field.name).CopyFrom(field.read(value, place))
        else:
            setattr(message, field.name, field.read(value, place))


def _fill_list(target: Any, field: _Field, value: object, path: str) -> None:
    if not isinstance(value, list | tuple):
        raise DocumentError(path, "must be a list")
    target.extend(field.read(part, f"{path}[{index}]") for index, part in enumerate(value))


def _fill_map(target: Any, field: _Field, value: object, path: str) -> None:
    if not isinstance(value, Mapping):
        raise DocumentError(path, "must be an object")
    for key, part in value.items():
        read = field.read(part, f"{path}.{key}")
        if field.is_message:
            target[key].CopyFrom(read)
        else:
            target[key] = read


@cache
def _fields(descriptor: Descriptor) -> tuple[_Field, ...]:
    return tuple(_plan(field) for field in descriptor.fields)


@cache
def _members(descriptor: Descriptor) -> Mapping[str, _Field]:
    # Of two fields of a oneof that share a member name (workflow, workflow_json) a document fills the JSON one.
    fields = sorted(_fields(descriptor), key=lambda field: field.name.endswith(_JSON_SUFFIX))
    return {field.member: field for field in fields}


def _plan(field: FieldDescriptor) -> _Field:
    entry = field.message_type if field.message_type is not None else None
    is_map = entry is not None and entry.GetOptions().map_entry
    value = entry.fields_by_name["value"] if is_map and entry is not None else field
    if is_map and entry is not None and entry.fields_by_name["key"].cpp_type != FieldDescriptor.CPPTYPE_STRING:
        raise TypeError(f"{field.full_name}: the keys of a document are texts")
    write, read = _conversion(value)
    is_text = field.cpp_type == FieldDescriptor.CPPTYPE_STRING
    member = field.json_name
    if is_text and field.name.endswith(_JSON_SUFFIX):
        member = member.removesuffix("Json")
        write, read = _write_json, _read_json
    return _Field(
        name=field.name,
        member=member,
        has_presence=field.has_presence,
        is_repeated=field.is_repeated,
        is_map=is_map,
        is_message=value.message_type is not None,
        write=write,
        read=read,
    )


def _conversion(field: FieldDescriptor) -> tuple[_Write, _Read]:
    kind = field.cpp_type
    if field.message_type is not None:
        if field.message_type.full_name == _TIMESTAMP:
            return _write_timestamp, _read_timestamp
        return to_document, _message_reader(field.message_type)
    if field.enum_type is not None:
        return _enum_conversion(field.enum_type)
    if kind in _INTEGERS:
        return _as_it_is, _integer_reader(*_INTEGERS[kind])
    if kind in _FLOATS:
        return _as_it_is, _read_float
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return _as_it_is, _read_bool
    if field.type == FieldDescriptor.TYPE_STRING:
        return _as_it_is, _read_text
    raise TypeError(f"{field.full_name}: a document has no form for this type")


def _as_it_is(value: Any) -> Any:
    return value


def _write_json(value: str) -> Any:
    return orjson.loads(value) if value else _ABSENT


def _read_json(value: object, path: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise DocumentError(path, f"cannot be written as JSON: {error}") from None


def _write_timestamp(value: Timestamp) -> str:
    moment = datetime.fromtimestamp(value.seconds, UTC).replace(microsecond=value.nanos // 1000)
    # The zone is always +00:00 here.
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def _read_timestamp(value: object, path: str) -> Timestamp:
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


def _enum_conversion(enum: EnumDescriptor) -> tuple[_Write, _Read]:
    prefix = "".join(f"_{char}" if char.isupper() else char.upper() for char in enum.name).lstrip("_") + "_"
    names: dict[int, Any] = {
        value.number: value.name.removeprefix(prefix).lower() for value in enum.values if value.number != 0
    }
    if not enum.values_by_number[0].name.endswith("_UNSPECIFIED"):
        names[0] = enum.values_by_number[0].name.removeprefix(prefix).lower()
    numbers = {name: number for number, name in names.items()}

    def write(number: int) -> Any:
        # A value of a newer contract has no name here; its number is the most that can be said.
        return names.get(number, _ABSENT if number == 0 else str(number))

    def read(value: object, path: str) -> int:
        number = numbers.get(value) if isinstance(value, str) else None
        if number is None:
            raise DocumentError(path, f"must be one of {', '.join(numbers)}")
        return number

    return write, read


def _message_reader(descriptor: Descriptor) -> _Read:
    message_class = GetMessageClass(descriptor)

    def read(value: object, path: str) -> Message:
        message = message_class()
        _fill(message, value, path)
        return message

    return read


def _integer_reader(minimum: int, maximum: int) -> _Read:
    def read(value: object, path: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise DocumentError(path, f"must be a whole number from {minimum} to {maximum}")
        return value

    return read


def _read_float(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DocumentError(path, "must be a number")
    return float(value)


def _read_bool(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(path, "must be true or false")
    return value


def _read_text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise DocumentError(path, "must be a text")
    return value
