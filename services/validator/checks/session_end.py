"""USSD_MISSING_SESSION_END: somewhere a USSD flow must end its session."""

from collections.abc import Iterator

from services.validator.flow import Flow
from workflow.issues import Issue
from workflow.session import USSD


def check(flow: Flow) -> Iterator[Issue]:
    """Yields one issue when no node that can run ends the session."""
    if flow.trigger is None or flow.trigger_type is None or flow.trigger_type.session_type != USSD:
        return
    reachable = [node for node in flow.nodes.values() if node.id in flow.topology.reachable]
    if not any(node.ends_session or node.is_unclear for node in reachable):
        message = "no node ends the session: lead to a SESSION_END, or set autoEndSession on the last screen"
        yield Issue("USSD_MISSING_SESSION_END", message, flow.trigger.id, path=flow.trigger.path)
