"""JSON Schemas (2020-12) of node configs and outputs, for a canvas that draws forms."""

import inspect
import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from workflow.fields import NodeConfig, is_templated

DIALECT = "https://json-schema.org/draft/2020-12/schema"

TEMPLATE = {"type": "string", "pattern": r"\{\{"}
"""What a templated field takes in place of its own type."""

_ATTRIBUTE = re.compile(r"^    (\w+): (.*)$")


class _ConfigSchema(GenerateJsonSchema):
    """Lets templated fields hold a template, and takes the descriptions of fields from the docstrings."""

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> JsonSchemaValue:
        """Adds the template form to a templated field, where its own type would refuse it."""
        inner = super().function_wrap_schema(schema)
        if not is_templated(schema["function"]["function"]) or inner in ({}, {"type": "string"}):
            return inner
        return {"anyOf": [inner, dict(TEMPLATE)]}

    def field_title_should_be_set(self, schema: object) -> bool:
        """No titles: they would be the keys once more, in another case."""
        del schema
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Splits the docstring of a model into its own description and those of its fields."""
        result = super().model_schema(schema)
        model = schema["cls"]
        summary, attributes = documented(model)
        result["description"] = summary
        if not summary:
            del result["description"]
        for name, text in attributes.items():
            alias = model.model_fields[name].alias or name
            result["properties"][alias] = {**result["properties"][alias], "description": text}
        return result


def config_schema(model: type[NodeConfig]) -> dict[str, Any]:
    """The schema of a config."""
    return {"$schema": DIALECT, **model.model_json_schema(by_alias=True, schema_generator=_ConfigSchema)}


def output_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of an output; for a trigger, of its payload."""
    return {"$schema": DIALECT, **model.model_json_schema(by_alias=True, schema_generator=_ConfigSchema)}


def config_defaults(model: type[NodeConfig]) -> dict[str, Any]:
    """The config of a new node: every field that has a default, but those whose default is to be absent."""
    values = {
        name: info.get_default(call_default_factory=True, validated_data={})
        for name, info in model.model_fields.items()
        if not info.is_required()
    }
    return model.model_construct(**values).model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)


def documented(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """Returns the text of a docstring before `Attributes:`, and the description of each attribute."""
    summary: list[str] = []
    attributes: dict[str, list[str]] = {}
    current = summary
    for line in inspect.cleandoc(model.__dict__.get("__doc__") or "").splitlines():
        found = _ATTRIBUTE.match(line)
        if line == "Attributes:":
            current = []
        elif found is not None and found[1] in model.model_fields:
            current = attributes[found[1]] = [found[2]]
        else:
            current.append(line.strip())
    return " ".join(summary).strip(), {name: " ".join(lines).strip() for name, lines in attributes.items()}
