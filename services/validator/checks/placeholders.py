"""PLACEHOLDER_NOT_FILLED: placeholders stand only in fields that are filled in, and in two braces on either side."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.validator.flow import Flow, FlowNode
from services.validator.roots import INPUT, NODE_PREFIX, RESERVED, payload_names
from workflow.faults import faults_of, unknown_keys
from workflow.fields import config_texts
from workflow.issues import Issue
from workflow.places import Step, written
from workflow.templates import Template, contains_template

_SINGLE = re.compile(r"\$?\{(?P<root>[^\W\d][\w-]*)(?P<steps>(?:\.[\w-]+)*)\}")


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
        yield from _in_single_braces(flow, node)


def _in_single_braces(flow: Flow, node: FlowNode) -> Iterator[Issue]:
    """Known names in texts that are written {name}, as other programs want it; {anything else} is a text."""
    for text in node.texts:
        literals = text.parsed.literals if isinstance(text.parsed, Template) else ()
        for found in (found for literal in literals for found in _SINGLE.finditer(literal)):
            if _is_known(flow, found["root"], found["steps"]):
                name = found["root"] + found["steps"]
                message = f"{found[0]} stays as it is written; write {{{{{name}}}}} for its value"
                yield Issue("PLACEHOLDER_NOT_FILLED", message, node.id or None, path=text.path, is_warning=True)


def _is_known(flow: Flow, root: str, steps: str) -> bool:
    if root in RESERVED or root.removeprefix(NODE_PREFIX) in flow.nodes:
        return bool(steps)
    return root == INPUT or root in payload_names(flow)


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
