"""
UNREACHABLE_NODE and DEAD_END_NODE: every node can run, and the flow goes on behind it.

A dead end is
- a node that only decides or joins (category logic) and that nothing follows;
- in a flow with a session: a node that shows something, does not end the session, and that nothing follows;
- in a flow with a session: a node that branches (it has several handles beside `success`, `error` and `timeout`) and
  of whose handles one leads nowhere, so that the person is left without an answer.
"""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from workflow.issues import Issue
from workflow.node_type import DEFAULT, ERROR, SUCCESS, TIMEOUT, Category
from workflow.trigger_type import TriggerType

NOT_BY_DEFAULT = "the edge from default is for values that no case has"


def check(flow: Flow) -> Iterator[Issue]:
    """Yields nodes that no way from the trigger leads to, and those where a way ends that should not."""
    if flow.trigger is None:
        return
    has_session = flow.trigger_type is not None and flow.trigger_type.requires_session
    for node in flow.nodes.values():
        # A trigger beside the trigger is reported as such.
        if node.id not in flow.topology.reachable:
            if not isinstance(node.type, TriggerType):
                yield Issue("UNREACHABLE_NODE", _unreachable(flow, node), node.id, path=node.path)
        else:
            dead_end = _dead_end(flow, node, has_session=has_session)
            if dead_end is not None:
                yield Issue("DEAD_END_NODE", dead_end, node.id, path=node.path, is_warning=True)


def _unreachable(flow: Flow, node: FlowNode) -> str:
    """Says what to mend: the node itself, one before it, or an edge that leads to a name that nothing has."""
    before = next((edge.source for edge in flow.incoming[node.id] if edge.source not in (None, node)), None)
    if before is not None:
        return (
            f"no way leads from the trigger to {node.id}: it stands behind {before.id}, which nothing leads to either"
        )
    astray = next((edge for edge in flow.edges if edge.target is None), None)
    remedy = "draw an edge to it or take it away"
    if astray is not None:
        remedy = f"perhaps the edge {astray.id}, which leads to a node that does not exist, is meant for it"
    return f"no way leads from the trigger to {node.id}: {remedy}"


def _dead_end(flow: Flow, node: FlowNode, *, has_session: bool) -> str | None:
    if node.facts is None:
        return None
    if not flow.outgoing[node.id]:
        if node.facts[0].category is Category.LOGIC:
            return f"nothing follows {node.id}, so it decides nothing"
        if has_session and node.shows and not node.ends_session:
            return f"nothing follows {node.id}: the session ends without a closing word; lead to a SESSION_END"
        return None
    if has_session:
        open_handles = _open_handles(flow, node)
        if open_handles:
            message = f"{node.id} leads nowhere by {', '.join(open_handles)}: the person is left without an answer"
            # Who comes from elsewhere takes it for a way of all that has none of its own.
            return message if DEFAULT in open_handles or not _has_default(node) else f"{message}; {NOT_BY_DEFAULT}"
    return None


def _has_default(node: FlowNode) -> bool:
    return DEFAULT in (node.outputs or ())


def _open_handles(flow: Flow, node: FlowNode) -> list[str]:
    handles = [handle for handle in node.outputs or () if handle not in (SUCCESS, ERROR, TIMEOUT)]
    ways = [edge.way for edge in flow.outgoing[node.id]]
    if len(handles) < 2 or any(way is None or way.handle in (None, SUCCESS) for way in ways):
        return []
    used = {way.handle for way in ways if way is not None}
    return [DEFAULT if handle == DEFAULT else f'"{handle}"' for handle in handles if handle not in used]
