"""A compiled flow made ready to run: templates and expressions parsed, what lies ahead of each node known."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.engine.core.coverage import covered, heads_of
from workflow.catalogue import CATALOGUE
from workflow.expressions import Expression, parse_expression
from workflow.fields import COMPILING, NodeConfig, Role, config_secrets, config_texts
from workflow.graph import ExecutionEdge, ExecutionGraph, ExecutionNode
from workflow.node_type import DEFAULT, SUCCESS, NodeType
from workflow.paths import Path
from workflow.session import Scope
from workflow.stored_values import names_session, scope_of
from workflow.templates import Formatting, Template, parse_message_template, parse_template
from workflow.topology import Arc, Topology
from workflow.trigger_type import TriggerType

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class RunnableEdge:
    """An edge with its condition parsed; None means that it has none."""

    edge: ExecutionEdge
    condition: Expression | None


@dataclass(frozen=True, slots=True)
class RunnableNode:
    """
    Attributes:
        config: The config as it is; templates in it are not rendered.
        texts: Templates of the config by place, with their role.
        fixed: The config ready to use, None where a template must be rendered first.
        usual_handle: Handle that a success leaves by when the node names none; None where every success is alike.
        incoming: Edges that enter, in the order of their handles.
        awaited: Ids of the edges whose decision the node waits for.
        downstream: Nodes that it leads to before a cycle closes: those that a visit of it leads to.
        downstream_edges: Edges that leave it or one of those.
        secrets: Secrets of the config, templates in them not rendered.
        asks: Whether it asks a person and waits for the answer.
        meant: Returns the entry that a person means by what they typed.
        is_sensitive: Whether what a person types into it must not be seen.
        branch: Nodes that are run again when it tries its branch again; empty where it does not.
        covered_by: Nodes whose branch it is in, the innermost first.
        keeps_success: Whether what it did stands when such a branch is tried again.
        shows_ahead: Whether it, or a node that can run after it in the same turn, may add to the screen.
    """

    node: ExecutionNode
    type: NodeType[Any]
    config: Mapping[str, Any]
    texts: Mapping[Place, tuple[Role, Template]]
    expressions: Mapping[str, Expression]
    fixed: NodeConfig | None
    usual_handle: str | None
    incoming: tuple[ExecutionEdge, ...]
    awaited: frozenset[str]
    outgoing: tuple[RunnableEdge, ...]
    downstream: frozenset[str]
    downstream_edges: tuple[ExecutionEdge, ...]
    secrets: tuple[Any, ...]
    asks: bool
    meant: Callable[[str], str]
    is_sensitive: bool
    branch: frozenset[str]
    covered_by: tuple[str, ...]
    keeps_success: bool
    shows_ahead: bool
    waits_for_all: bool


@dataclass(frozen=True, slots=True)
class Program:
    """
    Attributes:
        digest: Names the graph.
        requires_session: Whether its executions need a session. A graph that was compiled by an older validator may
            not know that a text names one.
        scopes: Scopes beyond the session that the flow reads or writes.
        is_sensitive: Whether it has a node that is.
        branch_heads: Nodes that try their branch again.
    """

    graph: ExecutionGraph
    digest: str
    nodes: Mapping[str, RunnableNode]
    formatting: Formatting
    requires_session: bool
    scopes: frozenset[Scope]
    is_sensitive: bool
    branch_heads: tuple[str, ...]

    @property
    def trigger(self) -> RunnableNode:
        """The node that starts the flow."""
        return self.nodes[self.graph.trigger]

    @property
    def trigger_type(self) -> TriggerType[Any]:
        """Type of the trigger."""
        found = self.trigger.type
        assert isinstance(found, TriggerType)
        return found

    @property
    def trigger_config(self) -> Any:
        """Config of the trigger, as its type knows it."""
        config = self.trigger.fixed
        assert config is not None, "a trigger has no templates"
        return config

    @property
    def session_type(self) -> str:
        """Type of the session that its executions get."""
        return self.trigger_type.session_type


def warm_up() -> None:
    """Builds the parsers of both languages, so that the first flow does not pay for them (some 80 ms)."""
    parse_template("{{a}}")
    parse_expression("a")


def load(graph: ExecutionGraph, digest: str) -> Program:
    """Makes a graph ready to run. The graph must come from the compiler: nothing is validated again."""
    configs = {
        node.id: CATALOGUE[node.type].config.model_validate(node.config, context=COMPILING)
        for node in graph.nodes.values()
    }
    edges = [edge for node in graph.nodes.values() for edge in node.outgoing if not edge.closes_cycle]
    topology = Topology(
        graph.trigger,
        graph.execution_order,
        [Arc(index, edge.source, edge.target) for index, edge in enumerate(edges)],
    )
    showing = _showing_ahead(graph, configs)
    branches = covered(graph, configs)
    nodes = {
        node.id: _runnable(node, configs[node.id], topology.downstream(node.id), node.id in showing, branches, graph)
        for node in graph.nodes.values()
    }
    return Program(
        graph=graph,
        digest=digest,
        nodes=nodes,
        formatting=Formatting(timezone=graph.settings.timezone, missing_variable=graph.settings.missing_variable),
        requires_session=graph.requires_session
        or any(names_session(path) for node in nodes.values() if not node.node.disabled for path in _paths_of(node)),
        scopes=_scopes(nodes.values(), configs),
        is_sensitive=any(node.is_sensitive for node in nodes.values()),
        branch_heads=tuple(branches),
    )


def _runnable(
    node: ExecutionNode,
    config: NodeConfig,
    downstream: frozenset[str],
    shows_ahead: bool,
    branches: Mapping[str, frozenset[str]],
    graph: ExecutionGraph,
) -> RunnableNode:
    node_type = CATALOGUE[node.type]
    texts: dict[Place, tuple[Role, Template]] = {}
    expressions: dict[str, Expression] = {}
    for found in config_texts(node_type.config, node.config):
        if found.role is Role.EXPRESSION:
            expressions[".".join(map(str, found.path))] = parse_expression(found.text, graph.nodes)
        elif found.role is Role.MESSAGE:
            texts[found.path] = (found.role, parse_message_template(found.text))
        else:
            texts[found.path] = (found.role, parse_template(found.text))
    return RunnableNode(
        node=node,
        type=node_type,
        config=node.config,
        texts=texts,
        expressions=expressions,
        fixed=None if texts else config,
        usual_handle=_usual_handle(node_type.output_handles(config)),
        incoming=tuple(sorted(node.incoming, key=_handle_order)),
        awaited=frozenset(edge.id for edge in node.incoming if not edge.closes_cycle),
        outgoing=tuple(
            RunnableEdge(edge, None if edge.condition is None else parse_expression(edge.condition, graph.nodes))
            for edge in node.outgoing
        ),
        downstream=downstream,
        downstream_edges=tuple(
            edge for other in (node.id, *sorted(downstream)) for edge in graph.nodes[other].outgoing
        ),
        secrets=tuple(config_secrets(node_type.config, node.config).values()),
        asks=node_type.waits(config) and node_type.shows(config),
        meant=partial(node_type.meant, config),
        is_sensitive=node_type.is_sensitive(config),
        branch=branches.get(node.id, frozenset()),
        covered_by=heads_of(branches, node.id),
        keeps_success=node_type.keeps_success(config),
        shows_ahead=shows_ahead,
        waits_for_all=node_type.waits_for_all(config),
    )


def _usual_handle(handles: Sequence[str]) -> str | None:
    return next((handle for handle in (SUCCESS, DEFAULT) if handle in handles), None)


def _handle_order(edge: ExecutionEdge) -> tuple[int, str, str]:
    """input2 stands before input10."""
    digits = "".join(character for character in edge.target_handle if character.isdigit())
    return (int(digits) if digits else 0, edge.target_handle, edge.id)


def _showing_ahead(graph: ExecutionGraph, configs: Mapping[str, NodeConfig]) -> frozenset[str]:
    """Nodes that show something, and those from which one can be reached without waiting on the way."""
    showing = {
        node.id for node in graph.nodes.values() if not node.disabled and CATALOGUE[node.type].shows(configs[node.id])
    }
    pending = list(showing)
    while pending:
        for edge in graph.nodes[pending.pop()].incoming:
            source = graph.nodes[edge.source]
            waits = not source.disabled and CATALOGUE[source.type].waits(configs[source.id])
            if edge.source not in showing and not waits:
                showing.add(edge.source)
                pending.append(edge.source)
    return frozenset(showing)


def _scopes(nodes: Iterable[RunnableNode], configs: Mapping[str, NodeConfig]) -> frozenset[Scope]:
    found: set[Scope] = set()
    for node in nodes:
        found.update(Scope(scope) for scope in node.type.read_scopes(configs[node.node.id]))
        found.update(scope for path in _paths_of(node) if (scope := scope_of(path)) is not None)
    return frozenset(found - {Scope.SESSION})


def _paths_of(node: RunnableNode) -> Iterator[Path]:
    """What the texts of a node, and the conditions of its edges, name."""
    for _, template in node.texts.values():
        yield from (reference.path for reference in template.references)
    conditions = [edge.condition for edge in node.outgoing if edge.condition is not None]
    for expression in (*node.expressions.values(), *conditions):
        yield from (reference.path for reference in expression.references)
