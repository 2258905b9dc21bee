"""
UNKNOWN_VARIABLE and MAYBE_UNBOUND_VARIABLE: what templates and expressions name is there when they are read.

An error means that no way to the node can have made it. A warning means that some ways do not; it is for templates
alone, since an expression reads what is not there as null. A `default` filter settles both.

What only whoever starts the flow can send is told of once a flow, however many places read it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from services.validator.bindings import Bindings
from services.validator.flow import Flow, FlowEdge, FlowNode
from services.validator.flow_text import FlowText
from services.validator.intent import Intent
from services.validator.payload_reads import PayloadReads
from services.validator.roots import (
    INPUT,
    NODE_PREFIX,
    RESERVED,
    Answer,
    Outlook,
    as_text,
    fixed_root,
    payload_names,
    payload_root,
)
from workflow.fields import Role
from workflow.issues import Issue
from workflow.paths import Path
from workflow.suggestions import did_you_mean

STORED = "data"
ERROR = "error"
ABSENT_AT_TIMES = (Outlook.MAYBE, Outlook.UNSENT)
ERROR_FIELDS = ("code", "message", "type", "details")


@dataclass(frozen=True, slots=True)
class _Reader:
    """
    A place that reads variables.

    Attributes:
        has: Tells whether the output of a node is surely there.
        has_one_of: Tells whether that of one of some nodes is.
        may_follow: Tells whether the place can come after a node.
    """

    node: FlowNode
    edge: FlowEdge | None
    has: Callable[[str], bool]
    has_one_of: Callable[[frozenset[str]], bool]
    may_follow: Callable[[str], bool]


def check(flow: Flow) -> Iterator[Issue]:
    """Yields the variables of every text that cannot, or may not, be there."""
    if flow.trigger is None or flow.trigger_type is None:
        return
    unsent = PayloadReads()
    judge = _Judge(flow, unsent)
    for reader, text in judge.texts():
        yield from judge.issues(reader, text)
    yield from unsent.issues(flow)


class _Judge:
    """Judges the variables of one flow."""

    def __init__(self, flow: Flow, unsent: PayloadReads) -> None:
        """`unsent` takes what is the same for every place that reads it."""
        self._flow = flow
        self._unsent = unsent
        self._writers = _writers(flow)
        self._asking = frozenset(
            node.id
            for node in flow.nodes.values()
            if node.facts is not None and node.waits and INPUT in node.facts[0].output.model_fields
        )
        self._intent = Intent((reader.node.id, text) for reader, text in self.texts())
        self._bindings = Bindings(flow, [*self._writers.values(), self._asking, *self._intent.groups])
        self._payload_root = cache(partial(payload_root, flow))
        self._is_lenient = flow.draft.settings.missing_variable == "empty"

    def texts(self) -> Iterator[tuple[_Reader, FlowText]]:
        """Yields every text with the place that reads it; nodes that never run have other faults."""
        for node in self._flow.nodes.values():
            if node.id not in self._flow.topology.reachable:
                continue
            reader = self._node_reader(node)
            for text in node.texts:
                yield reader, text
            for edge in self._flow.outgoing[node.id]:
                if edge.condition is not None:
                    yield self._edge_reader(node, edge), edge.condition

    def issues(self, reader: _Reader, text: FlowText) -> Iterator[Issue]:
        """Judges each variable of one text."""
        if text.parsed is None:
            return
        in_expression = text.role is Role.EXPRESSION
        for reference in text.parsed.references:
            if reference.has_default:
                continue
            answer = self._answer(reference.path, reader)
            if answer is not None and self._intent.is_text(text, reference.path):
                answer = as_text(self._flow, reference.path.root, answer)
            if answer is None or (
                answer.outlook in ABSENT_AT_TIMES and (in_expression or self._is_expected(reference.path, reader))
            ):
                continue
            if answer.outlook is Outlook.UNSENT:
                self._unsent.add(reference.path.root, answer.message, reader.node, text.path)
                continue
            is_warning = answer.outlook is not Outlook.NEVER
            yield Issue(
                "MAYBE_UNBOUND_VARIABLE" if is_warning else "UNKNOWN_VARIABLE",
                f"{{{{{reference.path.text[:100]}}}}} {answer.message}{answer.hint}",
                reader.node.id if reader.edge is None else None,
                None if reader.edge is None else reader.edge.id,
                text.path,
                is_warning=is_warning,
            )

    def _is_expected(self, path: Path, reader: _Reader) -> bool:
        """Whether the author knows that a path may have no value."""
        return self._is_lenient or any(map(reader.has_one_of, self._intent.compare_with_null(path)))

    def _node_reader(self, node: FlowNode) -> _Reader:
        return _Reader(
            node,
            None,
            lambda maker: self._bindings.surely_there(node.id, maker),
            lambda makers: self._bindings.surely_one_of(node.id, makers),
            lambda maker: node.id in self._bindings.may_precede(maker),
        )

    def _edge_reader(self, node: FlowNode, edge: FlowEdge) -> _Reader:
        return _Reader(
            node,
            edge,
            lambda maker: self._bindings.surely_there_on(edge, maker),
            lambda makers: self._bindings.surely_one_of_on(edge, makers),
            lambda maker: maker == node.id or node.id in self._bindings.may_precede(maker),
        )

    def _answer(self, path: Path, reader: _Reader) -> Answer | None:
        if path.root.startswith(NODE_PREFIX):
            maker = self._flow.nodes.get(path.root.removeprefix(NODE_PREFIX))
            return self._unknown_node(path) if maker is None else self._output(path, maker, reader)
        if path.root in RESERVED:
            answer = fixed_root(path)
            if answer is None and path.segments[:1] == (STORED,) and len(path.segments) > 1:
                return self._stored(path.root, str(path.segments[1]), reader)
            return answer
        if path.root == INPUT and INPUT not in payload_names(self._flow):
            return self._input(path, reader)
        return self._payload_root(path)

    def _unknown_node(self, path: Path) -> Answer:
        names = [f"{NODE_PREFIX}{node}" for node in self._flow.nodes]
        return Answer(Outlook.NEVER, f"names no node of this flow{did_you_mean(path.root, names)}")

    def _output(self, path: Path, maker: FlowNode, reader: _Reader) -> Answer | None:
        if path.segments[:1] == (ERROR,):
            return self._error(path, maker, reader)
        wrong = _wrong_field(path, maker)
        if wrong is not None:
            return wrong
        if maker.draft.disabled:
            return Answer(Outlook.NEVER, f"is never there: {maker.id} is disabled; enable it or give a default")
        if reader.has(maker.id) or maker is self._flow.trigger:
            return None
        if reader.may_follow(maker.id):
            return Answer(Outlook.MAYBE, f"is there only on the ways that pass {maker.id}; give it a default")
        if self._bindings.side_by_side(maker.id, reader.node.id):
            hint = (
                f"may not be there yet: {maker.id} runs on a branch of its own; draw an edge from it, or give a default"
            )
            return Answer(Outlook.MAYBE, hint)
        if maker is reader.node:
            return Answer(Outlook.NEVER, "is never there: a node has no output before it ran")
        return Answer(Outlook.NEVER, f"is never there: no way leads from {maker.id} to {reader.node.id}")

    def _error(self, path: Path, maker: FlowNode, reader: _Reader) -> Answer | None:
        """Behind an edge of a failure the error is there; behind a success it is not."""
        name = str(path.segments[1]) if len(path.segments) > 1 else ERROR_FIELDS[0]
        if name not in ERROR_FIELDS:
            fields = ", ".join(ERROR_FIELDS)
            return Answer(Outlook.NEVER, f"is never there: an error has {fields}{did_you_mean(name, ERROR_FIELDS)}")
        if not reader.may_follow(maker.id):
            return Answer(Outlook.NEVER, f"is never there: no way leads from {maker.id} to {reader.node.id}")
        if reader.has(maker.id):
            return Answer(Outlook.MAYBE, f"is there only where {maker.id} failed; give it a default")
        return None

    def _stored(self, scope: str, key: str, reader: _Reader) -> Answer | None:
        writers = self._writers.get((scope, key))
        if writers is not None and reader.has_one_of(writers):
            return None
        keys = [name for of, name in self._writers if of == scope] if writers is None else []
        hint = "is there only if something wrote it before; write it first, or give a default"
        return Answer(Outlook.MAYBE, hint, did_you_mean(key, keys))

    def _input(self, path: Path, reader: _Reader) -> Answer | None:
        if reader.has_one_of(self._asking):
            return None
        if any(reader.may_follow(node) for node in self._asking):
            return Answer(Outlook.MAYBE, "is there only after a node that asked for it; give it a default")
        return self._payload_root(path)


def _writers(flow: Flow) -> dict[tuple[str, str], frozenset[str]]:
    """The nodes that write each stored value, by scope and key."""
    found: dict[tuple[str, str], set[str]] = {}
    for node in flow.nodes.values():
        if node.facts is not None:
            for scope, keys in node.facts[0].stored_keys(node.facts[1]).items():
                for key in keys:
                    found.setdefault((scope, key), set()).add(node.id)
    return {stored: frozenset(nodes) for stored, nodes in found.items()}


def _wrong_field(path: Path, maker: FlowNode) -> Answer | None:
    if path.segments and path.segments[0] != "output":
        return Answer(Outlook.NEVER, f"names nothing: write {path.root}.output.… or {path.root}.error.…")
    if len(path.segments) < 2 or maker.type is None:
        return None
    model, name = maker.type.output, str(path.segments[1])
    if model.model_config.get("extra") == "allow" or name in model.model_fields:
        return None
    fields = ", ".join(model.model_fields)
    return Answer(
        Outlook.NEVER,
        f"is never there: the output of {maker.type.type} has {fields}{did_you_mean(name, model.model_fields)}",
    )
