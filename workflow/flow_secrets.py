"""
Secrets in the configs of a flow: what its nodes sign in with elsewhere.

They are stored encrypted, and whoever reads the flow sees a mask. A flow that comes back with the mask keeps the
secret that is stored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflow.catalogue import CATALOGUE
from workflow.fields import config_secrets
from workflow.places import Step, written
from workflow.sealing import SEALED

HIDDEN: Final = "••••"
"""What people see in place of a secret of a config."""

_PLACEHOLDER = re.compile(r"\s*(?:(?:Bearer|Basic|Token)\s+)?\{\{[^{}\"']*\}\}\s*", re.IGNORECASE)
"""One placeholder, behind the scheme of a header; a literal in it, such as that of a default, may be a secret."""


@dataclass(frozen=True, slots=True)
class FlowSecret:
    """
    A secret in a flow document.

    Attributes:
        node_id: Id of its node.
        steps: Where it stands in the node's config.
        path: Where it stands in the document, as a person writes it.
        value: What stands there: in clear, encrypted, or the mask.
    """

    node_id: str
    steps: tuple[Step, ...]
    path: str
    value: Any


Change = Callable[[FlowSecret], Any]
"""Returns what is to stand in place of a secret."""


def config_with(type_name: object, config: Mapping[str, Any], change: Callable[[tuple[Step, ...], Any], Any]) -> Any:
    """Returns the config of a node with each secret replaced; the config itself where it has none."""
    node_type = CATALOGUE.get(type_name) if isinstance(type_name, str) else None
    if node_type is None:
        return config
    found = {steps: change(steps, value) for steps, value in config_secrets(node_type.config, config).items()}
    return _with_values(config, found, ()) if found else config


def flow_with(document: dict[str, Any], change: Change) -> dict[str, Any]:
    """Returns a flow document with each secret replaced; the document itself where it has none, or is no flow."""
    trigger, nodes = document.get("trigger"), document.get("nodes")
    changed: dict[str, Any] = {"trigger": _node_with(trigger, "trigger", change)}
    if isinstance(nodes, list):
        changed["nodes"] = [_node_with(node, f"nodes[{index}]", change) for index, node in enumerate(nodes)]
    same = changed["trigger"] is trigger and all(
        new is old for new, old in zip(changed.get("nodes", ()), nodes or (), strict=True)
    )
    return document if same else {**document, **changed}


def hidden(value: Any) -> Any:
    """Returns what people see in place of a secret."""
    return value if is_placeholder(value) else HIDDEN


def is_placeholder(value: object) -> bool:
    """Whether a secret only says where its value is to be found: {{session.data.token}}, or Bearer and that."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value) is not None


def is_sealed(value: object) -> bool:
    """Whether a secret is encrypted."""
    return isinstance(value, Mapping) and value.keys() == {SEALED}


def _node_with(node: object, path: str, change: Change) -> object:
    if not isinstance(node, dict) or not isinstance(node.get("config"), dict):
        return node
    config, node_id = node["config"], str(node.get("id", ""))

    def changed(steps: tuple[Step, ...], value: Any) -> Any:
        return change(FlowSecret(node_id, steps, written(steps, f"{path}.config"), value))

    new = config_with(node.get("type"), config, changed)
    return node if new is config else {**node, "config": new}


def _with_values(value: Any, values: Mapping[tuple[Step, ...], Any], place: tuple[Step, ...]) -> Any:
    if place in values:
        return values[place]
    if isinstance(value, Mapping):
        return {key: _with_values(item, values, (*place, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_values(item, values, (*place, index)) for index, item in enumerate(value)]
    return value
