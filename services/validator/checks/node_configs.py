"""INVALID_NODE_CONFIG, MISSING_REQUIRED_FIELD and UNKNOWN_CONFIG_FIELD: configs fit their types, and what types say."""

from collections.abc import Iterator

from services.validator.flow import Flow, FlowNode
from services.validator.schemas import documented
from workflow.faults import faults_of, unknown_keys
from workflow.issue_codes import IssueCode
from workflow.issues import Issue
from workflow.places import Step, written


def check(flow: Flow) -> Iterator[Issue]:
    """Yields the faults of every config, templates not rendered."""
    for node in flow.every_node:
        yield from _unknown(node)
        yield from _faults(node)
        yield from _findings(node)


def _unknown(node: FlowNode) -> Iterator[Issue]:
    if node.type is None or node.draft.config is None:
        return
    for steps, suggestion in unknown_keys(node.type.config, node.draft.config):
        message = f"{node.draft.type} knows no {steps[-1]}; it has no effect{suggestion}"
        yield Issue(
            "UNKNOWN_CONFIG_FIELD",
            message,
            node.id or None,
            path=written(steps, f"{node.path}.config"),
            is_warning=True,
        )


def _faults(node: FlowNode) -> Iterator[Issue]:
    if node.problem is None or node.draft.config is None:
        return
    for fault in faults_of(node.problem, node.draft.config):
        code: IssueCode = "MISSING_REQUIRED_FIELD" if fault.is_missing else "INVALID_NODE_CONFIG"
        message = f"{fault.message}{_purpose(node, fault.steps)}" if fault.is_missing else fault.message
        yield Issue(code, message, node.id or None, path=written(fault.steps, f"{node.path}.config"))


def _purpose(node: FlowNode, steps: tuple[Step, ...]) -> str:
    """What a field of the config is for; nothing for what stands deeper."""
    if node.type is None or len(steps) != 1:
        return ""
    texts = documented(node.type.config)[1]
    names = {info.alias or name: name for name, info in node.type.config.model_fields.items()}
    text = texts.get(names.get(str(steps[0]), ""), "")
    return f": {text[0].lower()}{text[1:].removesuffix('.')}" if text else ""


def _findings(node: FlowNode) -> Iterator[Issue]:
    if node.type is None or node.config is None:
        return
    for finding in node.type.findings(node.config):
        # A type writes paths as a person does; an empty one is the whole config.
        path = f"{node.path}.config.{finding.field}" if finding.field else f"{node.path}.config"
        yield Issue(finding.code, finding.message, node.id or None, path=path, is_warning=finding.is_warning)
