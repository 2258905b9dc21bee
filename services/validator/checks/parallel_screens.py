"""INVALID_NODE_CONNECTION: two screens that can be due at once. A phone shows one screen at a time."""

from collections.abc import Iterator

from services.validator.branches import Branches
from services.validator.flow import Flow, FlowNode
from workflow.issues import Issue
from workflow.node_type import SUCCESS


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
            f"phone shows one screen at a time: {_remedy(flow, fork)}"
        )
        yield Issue("INVALID_NODE_CONNECTION", message, later, path=flow.nodes[later].path)


def _remedy(flow: Flow, fork: str) -> str:
    handles = flow.nodes[fork].outputs or ()
    plain = [edge.id for edge in flow.outgoing[fork] if edge.way is not None and edge.way.handle in (None, SUCCESS)]
    if len(handles) > 1 and SUCCESS not in handles and plain:
        is_taken = "is taken whatever comes out" if len(plain) == 1 else "are taken whatever comes out"
        return f"{' and '.join(plain)} {is_taken} of {fork}; set sourceHandle to {' or '.join(handles)}"
    return "put one behind the other, or let a CONDITION or SWITCH choose one"


def _asks(node: FlowNode) -> bool:
    return node.shows and node.waits
