"""PLACEHOLDER_NOT_FILLED: placeholders stand only in fields that are filled in when the node runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.validator.flow import Flow, FlowNode
from workflow.faults import faults_of, unknown_keys
from workflow.fields import config_texts
from workflow.issues import Issue
from workflow.places import Step, written
from workflow.templates import contains_template


def check(flow: Flow) -> Iterator[Issue]:
    """Yields the texts that look as if they were filled in and are not; those with another fault are told of there."""
    for node in flow.every_node:
        for steps in _unfilled(node):
            name = next(step for step in reversed(steps) if isinstance(step, str))
            yield Issue(
                "PLACEHOLDER_NOT_FILLED",
                f"{name} takes no placeholders: {{{{…}}}} stays as it is written",
                node.id or None,
                path=written(steps, f"{node.path}.config"),
                is_warning=True,
            )


def _unfilled(node: FlowNode) -> Iterator[tuple[Step, ...]]:
    if node.type is None or node.draft.config is None:
        return
    config = node.draft.config
    filled = {text.path for text in config_texts(node.type.config, config)}
    told = {steps for steps, _ in unknown_keys(node.type.config, config)}
    if node.problem is not None:
        told |= {fault.steps for fault in faults_of(node.problem, config)}
    for steps in _placeholders(config, ()):
        if steps not in filled and not any(steps[: len(place)] == place for place in told):
            yield steps


def _placeholders(value: Any, steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    match value:
        case str():
            if contains_template(value):
                yield steps
        case Mapping():
            for key, item in value.items():
                yield from _placeholders(item, (*steps, key))
        case list():
            for index, item in enumerate(value):
                yield from _placeholders(item, (*steps, index))
