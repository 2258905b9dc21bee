"""UNSUPPORTED_SETTING: what stands beside the config of a node and does nothing there."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from workflow.issues import Issue
from workflow.trigger_type import TriggerType


def check(flow: Flow) -> Iterator[Issue]:
    """Yields attempts and time-outs of nodes that reach nothing outside, and triggers that are to be passed over."""
    for node in flow.every_node:
        for name, why in _unheeded(node):
            message = f"{why}; {name} has no effect"
            yield Issue("UNSUPPORTED_SETTING", message, node.id or None, path=f"{node.path}.{name}", is_warning=True)


def _unheeded(node: FlowNode) -> Iterator[tuple[str, str]]:
    drawn = node.draft.node
    if node.type is None or node.config is None or drawn is None:
        return
    if not node.type.has_effect:
        if drawn.retry is not None:
            yield "retry", f"what {drawn.type} fails with is the same the next time"
        # A canvas may write the default of the catalogue at every node; tries of a branch do take time.
        if drawn.timeout not in (None, node.type.timeout_ms) and node.type.branch_policy(node.config) is None:
            yield "timeout", f"{drawn.type} reaches nothing outside and takes no time"
    if drawn.disabled and isinstance(node.type, TriggerType):
        yield "disabled", "a trigger starts its flow as long as it is published: unpublish it instead"
