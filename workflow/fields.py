"""
How a node's config says which of its fields hold templates or expressions, and which hold secrets.

A templated field may hold a template where its type would be: it is rendered first and checked against the type and
range then. While a flow is compiled, a value that holds a template passes as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema, ValidatorFunctionWrapHandler

from workflow.sealing import SEALED
from workflow.spec import SpecModel
from workflow.templates import contains_template

M = TypeVar("M")

COMPILING = {"compiling": True}
"""Validation context while a flow is compiled: templates are not rendered yet."""


class Role(Enum):
    """What the text in a field is."""

    VALUE = "value"
    """A template that keeps the native type of what it names."""

    TEXT = "text"
    """A template that becomes text."""

    MESSAGE = "message"
    """A template that becomes text for a person; a written \\n is a new line."""

    EXPRESSION = "expression"
    """An expression, evaluated by the node."""


@dataclass(frozen=True, slots=True)
class Secret:
    """
    Says that a field holds a secret: it is stored encrypted, and whoever reads the flow sees a mask.

    Every text inside of the field is one: in a dictionary that is a secret, each of its values.

    Attributes:
        of_key: Of a dictionary, whether the value of a key is a secret; None: each of them.
    """

    of_key: Callable[[str], bool] | None = None

    def part(self, value: Any) -> Any:
        """Returns what of the field's value is secret."""
        if self.of_key is None:
            return value
        # A placeholder may stand in place of the dictionary.
        return {key: item for key, item in value.items() if self.of_key(key)} if isinstance(value, Mapping) else None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tells a canvas to hide what is typed, and not to expect it back."""
        return handler(schema) if self.of_key else {**handler(schema), "format": "password", "writeOnly": True}


def _pass_templates(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    if info.context is COMPILING and isinstance(value, str) and contains_template(value):
        return value
    return handler(value)


TEMPLATED = WrapValidator(_pass_templates)


def is_templated(validator: object) -> bool:
    """Whether a validator function of a field is the one that lets templates pass."""
    return validator is _pass_templates


Text = Annotated[str, Field(strict=False, coerce_numbers_to_str=True)]
"""A text; a number counts as what is written."""

TemplateText = Annotated[Text, TEMPLATED, Role.TEXT]
TemplateMessage = Annotated[Text, TEMPLATED, Role.MESSAGE]
TemplateData = Annotated[dict[str, Any], TEMPLATED, Role.VALUE]
ExpressionText = Annotated[str, Field(min_length=1), Role.EXPRESSION]
SecretText = Annotated[Text, TEMPLATED, Role.TEXT, Secret()]
"""A text that only its own node may see; it may hold templates."""


_URL = TypeAdapter(AnyHttpUrl)


def _web_address(value: str) -> str:
    try:
        _URL.validate_python(value)
    except ValidationError:
        raise ValueError("must be an address that starts with http:// or https://") from None
    return value


_WEB_ADDRESS = {"type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?:"}
"""What a canvas is told: not every reader of a schema checks formats."""

WebAddress = Annotated[str, AfterValidator(_web_address), WithJsonSchema(_WEB_ADDRESS)]


class NodeConfig(SpecModel):
    """What all node configs share."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """
    A template or expression that stands in a config.

    Attributes:
        path: Keys and indexes that lead to it from the config's root, as they stand in JSON.
        role: What it is.
        text: The text itself.
    """

    path: tuple[str | int, ...]
    role: Role
    text: str


def config_texts(model: type[NodeConfig], config: Mapping[str, Any]) -> Iterator[ConfigText]:
    """Yields every template and expression of a config document, in the order of the model's fields."""
    for mark in marked(model, config, Role):
        yield from _texts(mark.value, mark.marker, mark.path)


def config_secrets(model: type[NodeConfig], config: Mapping[str, Any]) -> dict[tuple[str | int, ...], Any]:
    """Returns every secret of a config document that is not empty, by its place: text, number, or encrypted value."""
    found: dict[tuple[str | int, ...], Any] = {}
    for mark in marked(model, config, Secret):
        found.update((path, leaf) for path, leaf in _leaves(mark.marker.part(mark.value), mark.path) if leaf != "")
    return found


@dataclass(frozen=True, slots=True)
class Mark(Generic[M]):
    """
    A value of a config whose field is annotated.

    Attributes:
        path: Keys and indexes that lead to it from the config's root, as they stand in JSON.
        marker: The annotation.
        value: What stands there.
    """

    path: tuple[str | int, ...]
    marker: M
    value: Any


def marked(model: type[NodeConfig], config: Mapping[str, Any], kind: type[M]) -> Iterator[Mark[M]]:
    """Yields every value whose field carries an annotation of this kind, in the order of the model's fields."""
    for name, info in model.model_fields.items():
        alias = info.alias or name
        if alias not in config:
            continue
        # Pydantic takes the metadata of a field off its annotation; that of an option of a union stays on it.
        yield from _annotated(info.annotation, info.metadata, config[alias], (alias,), kind)


def _annotated(
    annotation: Any, metadata: Sequence[Any], value: Any, path: tuple[str | int, ...], kind: type[M]
) -> Iterator[Mark[M]]:
    marker = next((entry for entry in metadata if isinstance(entry, kind)), None)
    if marker is not None:
        yield Mark(path, marker, value)
    else:
        yield from _nested(annotation, value, path, kind)


def _nested(annotation: Any, value: Any, path: tuple[str | int, ...], kind: type[M]) -> Iterator[Mark[M]]:
    origin, options = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, NodeConfig) and isinstance(value, Mapping):
        for mark in marked(annotation, value, kind):
            yield Mark(path + mark.path, mark.marker, mark.value)
    elif origin is Annotated:
        yield from _annotated(options[0], options[1:], value, path, kind)
    elif origin in {list, tuple} and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _nested(options[0], item, (*path, index), kind)
    elif origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _nested(options[1], item, (*path, key), kind)
    elif origin in {Union, UnionType}:
        for option in options:
            yield from _nested(option, value, path, kind)


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    match value:
        case bool():
            return
        case str() | int() | float():
            yield path, value
        case Mapping() if value.keys() == {SEALED}:
            yield path, value
        case Mapping():
            for key, item in value.items():
                yield from _leaves(item, (*path, key))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _leaves(item, (*path, index))


def _texts(value: Any, role: Role, path: tuple[str | int, ...]) -> Iterator[ConfigText]:
    match value:
        case str():
            if role is Role.EXPRESSION or role is Role.MESSAGE or contains_template(value):
                yield ConfigText(path, role, value)
        case Mapping():
            for key, item in value.items():
                yield from _texts(item, role, (*path, key))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _texts(item, role, (*path, index))
