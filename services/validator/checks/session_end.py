"""USSD_MISSING_SESSION_END: somewhere a USSD flow must end its session."""

from collections.abc import Iterator

from services.validator.flow import Flow
from workflow.issues import Issue
from workflow.session import USSD


def check(flow: Flow) -> Iterator[Issue]:
    """Yields one issue when no node that can run ends the session."""
    if flow.trigger is None or not flow.draft.lists_nodes:
        return
    if flow.trigger_type is None or flow.trigger_type.session_type != USSD:
        return
    reachable = [node for node in flow.nodes.values() if node.id in flow.topology.reachable]
    if not any(node.ends_session or node.is_unclear for node in reachable):
        endings = [node.id for node in flow.nodes.values() if node.ends_session]
        message = "no node ends the session: lead to a SESSION_END, or set autoEndSession on the last screen"
        if endings:
            message = (
                f"no way leads from the trigger to {endings[0]}, or to another node that ends the session: mend it"
            )
        yield Issue("USSD_MISSING_SESSION_END", message, flow.trigger.id, path=flow.trigger.path)
