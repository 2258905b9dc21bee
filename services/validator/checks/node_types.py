"""INVALID_NODE_TYPE and TRIGGER_NOT_IN_NODES: types are known, and one trigger starts the flow."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from workflow.catalogue import CATALOGUE
from workflow.issues import Issue
from workflow.suggestions import did_you_mean
from workflow.trigger_type import TriggerType

_TRIGGERS = [name for name, node_type in CATALOGUE.items() if isinstance(node_type, TriggerType)]


def check(flow: Flow) -> Iterator[Issue]:
    """Yields unknown types, a trigger that is none, and triggers beside the trigger."""
    for node in flow.every_node:
        name = node.draft.type
        if name is None:
            continue
        is_trigger = node.draft is flow.draft.trigger
        if node.type is None:
            names = _TRIGGERS if is_trigger else list(CATALOGUE)
            suggestion = did_you_mean(name, names) or ";"
            yield _wrong(node, f'there is no node type "{name[:60]}"{suggestion} GET /api/node-types lists them')
        elif is_trigger and not isinstance(node.type, TriggerType):
            yield _wrong(node, f"{name} does not start flows; the trigger is one of {', '.join(_TRIGGERS)}")
        elif not is_trigger and isinstance(node.type, TriggerType):
            yield _second_trigger(flow, node)


def _wrong(node: FlowNode, message: str) -> Issue:
    return Issue("INVALID_NODE_TYPE", message, node.id or None, path=f"{node.path}.type")


def _second_trigger(flow: Flow, node: FlowNode) -> Issue:
    trigger = flow.trigger
    if trigger is None or flow.draft.trigger_is_in_nodes:
        return _wrong(node, f"{node.draft.type} is a second trigger, and a flow has one: make a flow of its own for it")
    message = (
        f'nodes has the trigger "{node.id}" and not "{trigger.id}", which trigger names: '
        "a flow has one trigger, so make them the same or take this one away"
    )
    return Issue("TRIGGER_NOT_IN_NODES", message, node.id or None, path=node.path)
