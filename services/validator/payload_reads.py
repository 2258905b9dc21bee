"""What nodes read of a payload that need not have it: one warning for each name, however many places read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.validator.flow import Flow, FlowNode
from services.validator.roots import payload_names
from workflow.issues import Issue

PHONE = "msisdn"
NAMED = 3
"""Nodes that a warning names; of more it tells how many they are."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A place that reads a name, and why that may not be there."""

    node: FlowNode
    path: str
    why: str


class PayloadReads:
    """Gathers the reads of one flow."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[_Read]] = {}

    def add(self, name: str, why: str, node: FlowNode, path: str) -> None:
        """Takes a read in a template without a default; `path` is its place in the document."""
        self._by_name.setdefault(name, []).append(_Read(node, path, why))

    def issues(self, flow: Flow) -> Iterator[Issue]:
        """Yields a warning for each name, at the first place that reads it."""
        about_a_phone = [] if PHONE in payload_names(flow) else _about_a_phone(flow)
        if about_a_phone:
            verb = "is" if len(about_a_phone) == 1 else "are"
            message = (
                f"{_listed(about_a_phone)} {verb} about the phone number in {{{{{PHONE}}}}}, which is there only if "
                f"whoever starts the flow sends it under this name"
            )
            first = about_a_phone[0]
            yield Issue("MAYBE_UNBOUND_VARIABLE", message, first.id, path=first.path, is_warning=True)
        for name, reads in self._by_name.items():
            if name == PHONE and about_a_phone:
                continue
            nodes = list(dict.fromkeys(read.node for read in reads))
            verb = "fails" if len(nodes) == 1 else "fail"
            variable = f"{{{{{name[:100]}}}}}"
            message = (
                f"{variable} {reads[0].why}; {_listed(nodes)} {verb} without it: give a default, or ask {variable} != "
                f"null before"
            )
            yield Issue("MAYBE_UNBOUND_VARIABLE", message, reads[0].node.id, path=reads[0].path, is_warning=True)


def _about_a_phone(flow: Flow) -> list[FlowNode]:
    """Nodes that are about the phone of the payload."""
    return [node for node in flow.nodes.values() if node.facts is not None and node.facts[0].needs_phone(node.facts[1])]


def _listed(nodes: Sequence[FlowNode]) -> str:
    """The ids of nodes, such as `a, b and c`."""
    names = [node.id for node in nodes[:NAMED]]
    if len(nodes) > NAMED:
        names.append(f"{len(nodes) - NAMED} more")
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
