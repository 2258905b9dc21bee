"""
From a flow document to its parts, with every structural fault at once.

Faults: SCHEMA_VALIDATION_ERROR, MISSING_REQUIRED_FIELD and DUPLICATE_NODE_ID; warnings: UNKNOWN_FIELD and
TRIGGER_DIFFERS. A key that is null counts as absent. What needs the node catalogue is checked elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from workflow.canvas import EDGE_KEYS, FLOW_KEYS, NODE_KEYS
from workflow.documents import DocumentError, parse_document
from workflow.draft import Draft, DraftEdge, DraftNode
from workflow.edge_ids import free_edge_id
from workflow.faults import described, faults_of, unknown_keys
from workflow.issue_codes import IssueCode
from workflow.issues import Issue
from workflow.places import written
from workflow.spec import RESERVED_WORKFLOW_IDS, Edge, ErrorHandling, Metadata, Node, Settings, SpecModel, WorkflowSpec

MAX_DOCUMENT_BYTES = 1024 * 1024
"""Largest flow as JSON text, UTF-8."""

MAX_NODES = 1000
MAX_EDGES = 5000

M = TypeVar("M", bound=SpecModel)


@dataclass(frozen=True, slots=True)
class Parsed:
    """
    Attributes:
        draft: What is usable; None when the document as a whole is not.
    """

    draft: Draft | None
    issues: tuple[Issue, ...]


def parse_text(text: str) -> Parsed:
    """Reads a flow from JSON text. Nothing is raised: a text that is no JSON is an issue."""
    if len(text) > MAX_DOCUMENT_BYTES or len(text.encode(errors="replace")) > MAX_DOCUMENT_BYTES:
        return Parsed(None, (_schema_error(f"the flow is larger than {MAX_DOCUMENT_BYTES} bytes"),))
    try:
        document = parse_document(text)
    except DocumentError as problem:
        return Parsed(None, (_schema_error(str(problem)),))
    return parse_flow(document)


def parse_flow(document: Mapping[str, Any]) -> Parsed:
    """Reads a flow from a document."""
    reader = _Reader()
    return Parsed(reader.flow(document), tuple(reader.issues))


def _schema_error(message: str, path: str | None = None) -> Issue:
    return Issue("SCHEMA_VALIDATION_ERROR", message, path=path)


def _present(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _set_fields(value) if key == "config" else _present(value) if isinstance(value, Mapping) else value
        for key, value in document.items()
        if value is not None
    }


def _set_fields(config: Any) -> Any:
    """Leaves out the fields of a config that are null; deeper down a null may be a value to keep."""
    if not isinstance(config, Mapping):
        return config
    return {key: value for key, value in config.items() if value is not None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


class _Reader:
    """Reads one document and collects its faults."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def flow(self, document: Mapping[str, Any]) -> Draft | None:
        """Reads the sections."""
        sections = _present({key: value for key, value in document.items() if key not in FLOW_KEYS})
        for (key, *_), suggestion in unknown_keys(WorkflowSpec, dict.fromkeys(sections)):
            self._warn("UNKNOWN_FIELD", f"{key} is not known here and has no effect{suggestion}", written([key]))
        nodes, edges = self._list(sections, "nodes", MAX_NODES), self._list(sections, "edges", MAX_EDGES)
        if nodes is None or edges is None:
            return None
        trigger = self._trigger(sections)
        told_apart = self._told_apart(self._nodes(nodes), trigger)
        return Draft(
            document=document,
            metadata=self._metadata(sections),
            trigger=trigger,
            nodes=tuple(told_apart.others),
            duplicates=tuple(told_apart.duplicates),
            trigger_is_in_nodes=told_apart.has_trigger,
            edges=tuple(self._edges(edges)),
            settings=self._section(Settings, sections, "settings") or Settings(),
            error_handling=self._section(ErrorHandling, sections, "errorHandling") or ErrorHandling(),
        )

    def _list(self, sections: Mapping[str, Any], name: str, longest: int) -> list[Any] | None:
        value = sections.get(name)
        if value is None:
            self._missing(f"{name} is required; it may be an empty list", name)
            return []
        if not isinstance(value, list):
            self.issues.append(_schema_error(f"{name} must be a list, not {described(value)}", name))
            return []
        if len(value) > longest:
            self.issues.append(_schema_error(f"{name} has {len(value)} entries, at most {longest}", name))
            return None
        return value

    def _section(self, model: type[M], sections: Mapping[str, Any], name: str) -> M | None:
        if name not in sections:
            return None
        value = sections[name]
        if not isinstance(value, Mapping):
            self.issues.append(_schema_error(f"{name} must be an object, not {described(value)}", name))
            return None
        whole = self._checked(model, value, name)
        if whole is not None:
            return whole
        usable = {key: part for key, part in value.items() if not self._has_issue(written([key], name))}
        try:
            return model.model_validate(usable)
        except ValidationError:
            return None

    def _metadata(self, sections: Mapping[str, Any]) -> Metadata | None:
        if "metadata" not in sections:
            self._missing("metadata is required", "metadata")
            return None
        metadata = self._section(Metadata, sections, "metadata")
        if metadata is not None and metadata.workflow_id in RESERVED_WORKFLOW_IDS:
            self.issues.append(
                _schema_error(
                    f'workflowId may not be "{metadata.workflow_id}", which is part of the addresses of the API',
                    "metadata.workflowId",
                )
            )
        return metadata

    def _trigger(self, sections: Mapping[str, Any]) -> DraftNode | None:
        if "trigger" not in sections:
            self._missing("trigger is required: the node that starts the flow", "trigger")
            return None
        return self._node(sections["trigger"], "trigger")

    def _nodes(self, values: list[Any]) -> Iterator[DraftNode]:
        for index, value in enumerate(values):
            draft = self._node(value, f"nodes[{index}]")
            if draft is not None:
                yield draft

    def _told_apart(self, drafts: Iterable[DraftNode], trigger: DraftNode | None) -> "_Nodes":
        nodes = _Nodes()
        for draft in drafts:
            if draft.id is not None and draft.id in nodes.first_places:
                self._duplicate(draft, nodes.first_places[draft.id])
                nodes.duplicates.append(draft)
                continue
            if draft.id is not None:
                nodes.first_places[draft.id] = draft.path
            if trigger is not None and draft.id is not None and draft.id == trigger.id:
                self._compare_with_trigger(draft, trigger)
                nodes.has_trigger = True
            else:
                nodes.others.append(draft)
        return nodes

    def _duplicate(self, draft: DraftNode, first: str) -> None:
        message = f'the id "{draft.id}" is taken by {first}; give this node another one'
        self.issues.append(Issue("DUPLICATE_NODE_ID", message, draft.id, path=f"{draft.path}.id"))

    def _compare_with_trigger(self, copy: DraftNode, trigger: DraftNode) -> None:
        if None not in (copy.type, trigger.type) and copy.type != trigger.type:
            self._duplicate(copy, "the trigger")
        elif None not in (copy.config, trigger.config) and copy.config != trigger.config:
            message = (
                f"the trigger stands here with another config; that of trigger counts, that of {copy.path} does not"
            )
            self._warn("TRIGGER_DIFFERS", message, f"{copy.path}.config", copy.id)
        elif copy.node is not None and trigger.node is not None:
            for name in ("retry", "timeout", "disabled"):
                if getattr(copy.node, name) != getattr(trigger.node, name):
                    message = f"the trigger stands here with another {name}; that of trigger counts"
                    self._warn("TRIGGER_DIFFERS", message, f"{copy.path}.{name}", copy.id)

    def _node(self, value: Any, path: str) -> DraftNode | None:
        if not isinstance(value, Mapping):
            self.issues.append(_schema_error(f"{path} must be an object, not {described(value)}", path))
            return None
        present = _present(value)
        node_id = _text(present.get("id"))
        config = present.get("config", {})
        known = {key: part for key, part in present.items() if key not in NODE_KEYS}
        whole = self._checked(Node, known, path, node_id=node_id)
        if "config" not in present and isinstance(present.get("data"), Mapping) and present["data"]:
            self._warn(
                "UNKNOWN_FIELD", "data is not read: the settings of a node stand in config", f"{path}.data", node_id
            )
        return DraftNode(
            path=path,
            id=node_id,
            type=_text(present.get("type")),
            config=config if isinstance(config, Mapping) else None,
            disabled=present.get("disabled") is True,
            node=whole,
        )

    def _edges(self, values: list[Any]) -> Iterator[DraftEdge]:
        presents = [_present(value) if isinstance(value, Mapping) else None for value in values]
        taken: dict[str, str] = {}
        for index, present in enumerate(presents):
            edge_id = _text(present.get("id")) if present is not None else None
            if edge_id is not None and taken.setdefault(edge_id, f"edges[{index}]") != f"edges[{index}]":
                message = f'the id "{edge_id}" is taken by {taken[edge_id]}; give this edge another one or none'
                path = f"edges[{index}].id"
                self.issues.append(Issue("SCHEMA_VALIDATION_ERROR", message, edge_id=edge_id, path=path))
        for index, present in enumerate(presents):
            path = f"edges[{index}]"
            if present is None:
                self.issues.append(_schema_error(f"{path} must be an object, not {described(values[index])}", path))
            else:
                yield self._edge(present, path, taken)

    def _edge(self, present: Mapping[str, Any], path: str, taken: dict[str, str]) -> DraftEdge:
        known = {key: part for key, part in present.items() if key not in EDGE_KEYS and part != ""}
        source, target = _text(known.get("source")), _text(known.get("target"))
        edge_id = _text(known.get("id"))
        if edge_id is None:
            edge_id = free_edge_id(source, target, taken)
            taken[edge_id] = path
        whole = self._checked(Edge, known, path, edge_id=edge_id)
        return DraftEdge(
            path=path,
            id=edge_id,
            source=source,
            target=target,
            source_handle=_text(known.get("sourceHandle")),
            target_handle=_text(known.get("targetHandle")),
            condition=_text(known.get("condition")),
            edge=whole.model_copy(update={"id": edge_id}) if whole is not None else None,
        )

    def _checked(
        self,
        model: type[M],
        value: Mapping[str, Any],
        path: str,
        *,
        node_id: str | None = None,
        edge_id: str | None = None,
    ) -> M | None:
        for steps, suggestion in unknown_keys(model, value):
            message = f"{steps[-1]} is not known here and has no effect{suggestion}"
            self._warn("UNKNOWN_FIELD", message, written(steps, path), node_id, edge_id)
        try:
            return model.model_validate(value)
        except ValidationError as problem:
            for fault in faults_of(problem, value):
                code: IssueCode = "MISSING_REQUIRED_FIELD" if fault.is_missing else "SCHEMA_VALIDATION_ERROR"
                self.issues.append(Issue(code, fault.message, node_id, edge_id, written(fault.steps, path)))
            return None

    def _has_issue(self, path: str) -> bool:
        return any(
            issue.path is not None
            and not issue.is_warning
            and (issue.path == path or issue.path.startswith((f"{path}.", f"{path}[")))
            for issue in self.issues
        )

    def _missing(self, message: str, path: str) -> None:
        self.issues.append(Issue("MISSING_REQUIRED_FIELD", message, path=path))

    def _warn(
        self, code: IssueCode, message: str, path: str, node_id: str | None = None, edge_id: str | None = None
    ) -> None:
        self.issues.append(Issue(code, message, node_id, edge_id, path, is_warning=True))


@dataclass(slots=True)
class _Nodes:
    """The nodes of a flow, told apart by id."""

    others: list[DraftNode] = field(default_factory=list)
    duplicates: list[DraftNode] = field(default_factory=list)
    has_trigger: bool = False
    first_places: dict[str, str] = field(default_factory=dict)
