"""Which texts of a flow read a session, or values that outlive it."""

from collections.abc import Iterable, Iterator

from workflow.expressions import parse_expression
from workflow.fields import ConfigText, Role
from workflow.paths import Path
from workflow.session import Scope
from workflow.templates import parse_template

DATA = "data"
"""What the stored values stand below: `session.data`, `workflow.data`, `global.data`."""

_SCOPES = frozenset(scope.value for scope in Scope)


def scope_of(path: Path) -> Scope | None:
    """Returns the scope whose values a path names, None where it names none: `workflow.id` is no stored value."""
    if path.root not in _SCOPES or (path.segments and path.segments[0] != DATA):
        return None
    return Scope(path.root)


def names_session(path: Path) -> bool:
    """Whether a path names what only a session can tell: itself, or stored values, which it leads to."""
    return path.root == Scope.SESSION or scope_of(path) is not None


def read_session(texts: Iterable[ConfigText], conditions: Iterable[str], node_ids: Iterable[str]) -> bool:
    """Whether one of these texts of a flow, or conditions of its edges, names what only a session can tell."""
    ids = frozenset(node_ids)
    return any(names_session(path) for path in _paths(texts, conditions, ids))


def _paths(texts: Iterable[ConfigText], conditions: Iterable[str], ids: frozenset[str]) -> Iterator[Path]:
    for text in texts:
        # Most texts name no scope at all: those need not be parsed for that.
        if any(scope in text.text for scope in _SCOPES):
            is_expression = text.role is Role.EXPRESSION
            parsed = parse_expression(text.text, ids) if is_expression else parse_template(text.text)
            yield from (reference.path for reference in parsed.references)
    for condition in conditions:
        if any(scope in condition for scope in _SCOPES):
            yield from (reference.path for reference in parse_expression(condition, ids).references)
