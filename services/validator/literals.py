"""Configs with their templates reduced to what is surely there."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from services.validator.flow import FlowNode
from workflow.fields import NodeConfig
from workflow.literals import literal_text
from workflow.places import Step
from workflow.templates import Template


def literal_config(node: FlowNode) -> NodeConfig | None:
    """Returns the config of a node with its variables as short as they can be, None where that makes no config."""
    if node.type is None or node.draft.config is None:
        return None
    texts: dict[tuple[Step, ...], str] = {}
    for text in node.texts:
        if isinstance(text.parsed, Template):
            literal = literal_text(text.parsed)
            if literal is None:
                return None
            texts[text.steps] = literal
    try:
        return node.type.config.model_validate(_with_texts(node.draft.config, texts, ()))
    except ValidationError:
        return None


def _with_texts(value: Any, texts: Mapping[tuple[Step, ...], str], steps: tuple[Step, ...]) -> Any:
    if steps in texts:
        return texts[steps]
    if isinstance(value, Mapping):
        return {key: _with_texts(item, texts, (*steps, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_texts(item, texts, (*steps, index)) for index, item in enumerate(value)]
    return value
