"""
Messages as REST documents and back, by their descriptors: the one place where the two meet.

- Names are camelCase. A string field `foo_json` is the member `foo`, and its value the parsed JSON.
- An enum value is its name in lower case without the enum's prefix: NODE_STATUS_SUCCESS is "success".
- A Timestamp is ISO 8601 in UTC with milliseconds and Z; 64-bit integers are numbers.
- Unset optional fields, unset messages, empty JSON texts and UNSPECIFIED enum values are left out; every other
  scalar, every list and every map is present.

How each field is handled is worked out once a message type, since this runs on every request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from rpc.document_values import (
    ABSENT,
    DocumentError,
    Read,
    Write,
    as_it_is,
    enum_conversion,
    integer_reader,
    read_bool,
    read_float,
    read_json,
    read_text,
    read_timestamp,
    write_json,
    write_timestamp,
)

__all__ = ["DocumentError", "from_document", "to_document"]

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


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    member: str
    has_presence: bool
    is_repeated: bool
    is_map: bool
    is_message: bool
    write: Write
    """Field value to document value; ABSENT leaves it out."""
    read: Read
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
        if value is not ABSENT:
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
        read_text(key, path)
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
        write, read = write_json, read_json
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


def _conversion(field: FieldDescriptor) -> tuple[Write, Read]:
    kind = field.cpp_type
    if field.message_type is not None:
        if field.message_type.full_name == _TIMESTAMP:
            return write_timestamp, read_timestamp
        return to_document, _message_reader(field.message_type)
    if field.enum_type is not None:
        return enum_conversion(field.enum_type)
    if kind in _INTEGERS:
        return as_it_is, integer_reader(*_INTEGERS[kind])
    if kind in _FLOATS:
        return as_it_is, read_float
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return as_it_is, read_bool
    if field.type == FieldDescriptor.TYPE_STRING:
        return as_it_is, read_text
    raise TypeError(f"{field.full_name}: a document has no form for this type")


def _message_reader(descriptor: Descriptor) -> Read:
    message_class = GetMessageClass(descriptor)

    def read(value: object, path: str) -> Message:
        message = message_class()
        _fill(message, value, path)
        return message

    return read
