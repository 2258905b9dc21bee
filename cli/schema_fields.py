"""A JSON Schema of the catalogue as rows that people read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}

TEMPLATE = r"\{\{"
"""Pattern of the form that a templated field takes in place of its own."""

_SINGULAR = re.compile(r"^(text|whole number|number|object)\b")

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class SchemaField:
    """
    Attributes:
        name: Path from the root: auth.type, cases[].value.
        takes: What it may be, with its range; the unit of a number stands in the description.
        default: As JSON, empty where there is none.
        required: Whether it must be there, where what it is a part of is there.
    """

    name: str
    takes: str
    default: str
    required: bool
    description: str


def fields(schema: Schema) -> Iterator[SchemaField]:
    """Yields the fields of an object, each before those inside of it."""
    yield from _fields(schema, schema.get("$defs", {}), "")


def _fields(schema: Schema, known: Schema, prefix: str) -> Iterator[SchemaField]:
    required = schema.get("required", ())
    for key, member in schema.get("properties", {}).items():
        found = _resolved(member, known)
        description = member.get("description") or found.get("description", "")
        inside = [_resolved(option, known) for option in _options(found)]
        default = _default(member, is_group=any("properties" in option for option in inside))
        name = f"{prefix}{key}"
        yield SchemaField(name, _takes(found, known), default, key in required, description)
        for option in inside:
            if "properties" in option:
                yield from _fields(option, known, f"{name}.")
            elif "properties" in (item := _resolved(option.get("items", {}), known)):
                yield from _fields(item, known, f"{name}[].")


def _default(member: Schema, *, is_group: bool) -> str:
    """Writes a default; that of a group stands beside its parts."""
    value = member.get("default", _ABSENT)
    if value is None or value is _ABSENT or is_group:
        return ""
    return json.dumps(value, ensure_ascii=False)


def _resolved(schema: Schema, known: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else known[reference.rpartition("/")[2]]


def _options(schema: Schema) -> list[Schema]:
    """Returns what a value may be, unions inside of unions laid flat, without null: that is to be absent."""
    if "anyOf" not in schema:
        return [schema]
    beside = {key: value for key, value in schema.items() if key in ("minimum", "maximum")}
    return [
        option for each in schema["anyOf"] for option in _options({**each, **beside}) if option.get("type") != "null"
    ]


def _takes(schema: Schema, known: Schema) -> str:
    options = [_resolved(option, known) for option in _options(schema)]
    if any(option.get("type") == "number" for option in options):
        options = [option for option in options if option.get("type") != "integer"]
    words = ["{{…}}" if option.get("pattern") == TEMPLATE else _words(option, known) for option in options]
    return " or ".join(dict.fromkeys(words))


def _words(schema: Schema, known: Schema) -> str:
    if "enum" in schema:
        *first, last = (value if isinstance(value, str) else json.dumps(value) for value in schema["enum"])
        return f"{', '.join(first)} or {last}" if first else last
    kind = schema.get("type")
    match kind:
        case "array":
            least = schema.get("minItems")
            of = _SINGULAR.sub(r"\1s", _takes(_resolved(schema.get("items", {}), known), known))
            return f"list of {of}" + (f", at least {least}" if least else "")
        case "object":
            values = schema.get("additionalProperties")
            return f"object of {_takes(values, known)}" if isinstance(values, Mapping) and values else "object"
        case "string":
            return _text(schema)
        case "integer" | "number":
            return f"{WORDS[kind]}{_range(schema)}"
    return WORDS.get(str(kind), "any value")


def _text(schema: Schema) -> str:
    if schema.get("format") == "uri":
        return "web address"
    if schema.get("format") == "password":
        return "text, kept secret"
    if "pattern" in schema:
        return f"text {schema['pattern']}"
    if "maxLength" in schema:
        least = f"{schema['minLength']} to " if "minLength" in schema else "up to "
        return f"text, {least}{schema['maxLength']} characters"
    return "text"


def _range(schema: Schema) -> str:
    low, above, high = (schema.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f", {low} to {high}"
    named = (("from", low), ("above", above), ("up to", high))
    parts = [f"{word} {bound}" for word, bound in named if bound is not None]
    return f", {' '.join(parts)}" if parts else ""
