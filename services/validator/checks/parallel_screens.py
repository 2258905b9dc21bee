"""INVALID_NODE_CONNECTION: two screens that can be due at once. A phone shows one screen at a time."""

from collections.abc import Iterator

from services.validator.branches import Branches
from services.validator.flow import Flow, FlowNode
from workflow.issues import Issue


def check(flow: Flow) -> Iterator[Issue]:
    """
    Yields each screen that can be due beside an earlier one, once.

    Two nodes that show something clash, and so do a screen that waits for an answer and a node that ends the session.
    """
    if flow.trigger is None:
        return
    branches = Branches(flow)
    showing = branches.set_of(node.id for node in flow.nodes.values() if node.shows)
    asking = branches.set_of(node.id for node in flow.nodes.values() if _asks(node))
    ending = branches.set_of(node.id for node in flow.nodes.values() if node.ends_session)
    partners = {
        node.id: (showing if node.shows else 0) | (ending if _asks(node) else 0) | (asking if node.ends_session else 0)
        for node in flow.nodes.values()
        if node.shows or node.ends_session
    }
    for earlier, later, fork in branches.parallel(partners):
        message = (
            f"{earlier} and {later} can be due at the same time, since {fork} starts both of their branches, and a "
            "phone shows one screen at a time: put one behind the other, or let a CONDITION or SWITCH choose one"
        )
        yield Issue("INVALID_NODE_CONNECTION", message, later, path=flow.nodes[later].path)


def _asks(node: FlowNode) -> bool:
    return node.shows and node.waits
