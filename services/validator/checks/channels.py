"""INVALID_NODE_CONNECTION: a node that speaks where nobody listens, such as a screen in a call."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from workflow.issues import Issue
from workflow.session import USSD
from workflow.voice import VOICE

PHONES = frozenset({USSD, VOICE})
"""Types of sessions in which a person holds a phone and waits."""


def check(flow: Flow) -> Iterator[Issue]:
    """Yields each node that can reach nobody, and what the types find in their configs by where the person is."""
    if flow.trigger is None or flow.trigger_type is None:
        return
    openers = {node.id: opened for node in flow.nodes.values() if (opened := _opens(node)) is not None}
    # What a node of an unknown type opens is not known: those behind it are not accused.
    excused = [flow.topology.downstream(node.id) for node in flow.nodes.values() if node.type is None]
    for node in flow.nodes.values():
        if node.facts is None or node.id not in flow.topology.reachable:
            continue
        if any(node.id in behind for behind in excused):
            continue
        node_type, config = node.facts
        before = {opened for opener, opened in openers.items() if node.id in flow.topology.downstream(opener)}
        types = frozenset({flow.trigger_type.session_type, *before})
        wanted = node_type.speaks_on(config)
        # What runs without a phone, such as on an SMS, is left alone where a session can be handed in by a call.
        if wanted and not wanted & types and (types & PHONES or USSD not in wanted):
            yield Issue("INVALID_NODE_CONNECTION", _message(node, wanted), node.id, path=node.path)
        for finding in node_type.findings_in(config, types):
            path = f"{node.path}.config.{finding.field}" if finding.field else f"{node.path}.config"
            yield Issue(finding.code, finding.message, node.id, path=path, is_warning=finding.is_warning)


def _opens(node: FlowNode) -> str | None:
    return None if node.type is None or node.draft.disabled else node.type.opens_session


def _message(node: FlowNode, wanted: frozenset[str]) -> str:
    if VOICE in wanted:
        return f"{node.id} speaks in a call, and there is none: begin with an incoming call, or place one before it"
    return f"{node.id} is a screen, and the person is in a call: nobody sees it; let it be said"
