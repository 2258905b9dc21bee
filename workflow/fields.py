"""
How a node's config says which of its fields hold templates or expressions.

A templated field may hold a template where its type would be: it is rendered first and checked against the type and
range then. While a flow is compiled, a value that holds a template passes as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WrapValidator,
)
from pydantic.alias_generators import to_camel
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from workflow.templates import contains_template

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


_URL = TypeAdapter(AnyHttpUrl)


def _web_address(value: str) -> str:
    try:
        _URL.validate_python(value)
    except ValidationError:
        raise ValueError("must be an address that starts with http:// or https://") from None
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]


class NodeConfig(BaseModel):
    """What all node configs share: camelCase in JSON, exact types, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        frozen=True,
        strict=True,
        extra="ignore",
    )


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
    for name, info in model.model_fields.items():
        alias = info.alias or name
        if alias not in config:
            continue
        # Pydantic takes the metadata of a field off its annotation; that of an option of a union stays on it.
        yield from _annotated(info.annotation, info.metadata, config[alias], (alias,))


def _annotated(
    annotation: Any, metadata: Sequence[Any], value: Any, path: tuple[str | int, ...]
) -> Iterator[ConfigText]:
    role = next((entry for entry in metadata if isinstance(entry, Role)), None)
    if role is not None:
        yield from _texts(value, role, path)
    else:
        yield from _nested(annotation, value, path)


def _nested(annotation: Any, value: Any, path: tuple[str | int, ...]) -> Iterator[ConfigText]:
    origin, options = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, NodeConfig) and isinstance(value, Mapping):
        for text in config_texts(annotation, value):
            yield ConfigText(path + text.path, text.role, text.text)
    elif origin is Annotated:
        yield from _annotated(options[0], options[1:], value, path)
    elif origin in {list, tuple} and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _nested(options[0], item, (*path, index))
    elif origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _nested(options[1], item, (*path, key))
    elif origin in {Union, UnionType}:
        for option in options:
            yield from _nested(option, value, path)


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
