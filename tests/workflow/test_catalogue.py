"""What holds for every node type, today's and tomorrow's."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from services.validator.schemas import config_defaults, config_schema, output_schema
from workflow.catalogue import CATALOGUE
from workflow.fields import NodeConfig
from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT, Category, NodeType
from workflow.trigger_type import TriggerType


def _faults(node_type: NodeType[Any], document: dict[str, Any]) -> list[Any]:
    try:
        node_type.config.model_validate(document)
    except ValidationError as problem:
        return list(problem.errors())
    return []


every_type = pytest.mark.parametrize("node_type", CATALOGUE.values(), ids=lambda node_type: node_type.type)


@every_type
def test_a_type_says_what_it_is(node_type: NodeType[Any]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z_]*[A-Z]", node_type.type)
    assert CATALOGUE[node_type.type] is node_type
    assert node_type.title
    assert re.fullmatch(r"[A-Z].*\.", node_type.description)
    assert node_type.output.__doc__
    assert node_type.timeout_ms >= 0


@every_type
def test_a_type_has_handles_that_fit_its_category(node_type: NodeType[Any]) -> None:
    is_trigger = isinstance(node_type, TriggerType)
    assert is_trigger == (node_type.category is Category.TRIGGER)
    assert bool(node_type.inputs) != is_trigger
    assert len(set(node_type.outputs)) == len(node_type.outputs)
    assert TIMEOUT not in node_type.outputs or SUCCESS in node_type.outputs
    assert ERROR not in node_type.outputs or SUCCESS in node_type.outputs
    if is_trigger:
        assert node_type.outputs == (DEFAULT,)


@every_type
def test_a_config_has_a_schema_that_describes_every_field(node_type: NodeType[Any]) -> None:
    schema = config_schema(node_type.config)
    assert schema["type"] == "object"
    aliases = {info.alias or name for name, info in node_type.config.model_fields.items()}
    assert set(schema.get("properties", {})) == aliases
    assert schema.get("required", []) == [
        info.alias or name for name, info in node_type.config.model_fields.items() if info.is_required()
    ]
    assert output_schema(node_type.output)["type"] == "object"


@every_type
def test_a_config_takes_its_own_defaults(node_type: NodeType[Any]) -> None:
    assert {fault["type"] for fault in _faults(node_type, config_defaults(node_type.config))} <= {"missing"}


@every_type
def test_the_names_of_a_config_are_camel_case(node_type: NodeType[Any]) -> None:
    for name, info in node_type.config.model_fields.items():
        assert re.fullmatch(r"[a-z][A-Za-z]*", info.alias or name)


def test_schemas_let_templates_stand_in_for_other_types() -> None:
    recipients = config_schema(CATALOGUE["SEND_SMS"].config)["properties"]["to"]
    assert {"type": "string", "pattern": r"\{\{"} in recipients["anyOf"]
    data = config_schema(CATALOGUE["SESSION_WRITE"].config)["properties"]["data"]
    assert {"type": "string", "pattern": r"\{\{"} in data["anyOf"]


def test_schemas_carry_what_the_docstring_says_of_a_field() -> None:
    schema = config_schema(CATALOGUE["USSD_SESSION_START"].config)
    assert schema["properties"]["serviceCode"]["description"] == "Code as Africa's Talking knows it, such as *384*1#."
    assert "Attributes" not in schema["description"]


def test_nested_configs_are_described_too() -> None:
    schema = config_schema(CATALOGUE["SEND_USSD_RESPONSE"].config)
    pagination = schema["$defs"]["Pagination"]["properties"]
    assert (pagination["itemsPerPage"]["minimum"], pagination["itemsPerPage"]["maximum"]) == (1, 10)


def test_a_config_without_documented_fields_still_has_a_schema() -> None:
    class Plain(NodeConfig):
        size: int = 1

    assert config_schema(Plain)["properties"] == {"size": {"type": "integer", "default": 1}}
