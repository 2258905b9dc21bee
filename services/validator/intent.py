"""What the expressions of a flow tell of its author's mind about names that may have no value."""

from collections.abc import Iterable

from services.validator.flow_text import FlowText
from workflow.expressions import Expression
from workflow.paths import Path


class Intent:
    """Reads the texts of one flow, each with the id of the node that it belongs to."""

    def __init__(self, texts: Iterable[tuple[str, FlowText]]) -> None:
        self._names: set[str] = set()
        compared: dict[str, set[str]] = {}
        for node_id, text in texts:
            self._names.update(
                reference.path.root
                for reference in (() if text.parsed is None else text.parsed.references)
                if not _is_likely_text(text, reference.path)
            )
            if isinstance(text.parsed, Expression):
                for path in text.parsed.compared_with_null:
                    compared.setdefault(path, set()).add(node_id)
        self._compared = {path: frozenset(nodes) for path, nodes in compared.items()}

    @property
    def groups(self) -> Iterable[frozenset[str]]:
        """All that `compare_with_null` can answer."""
        return self._compared.values()

    def is_text(self, text: FlowText, path: Path) -> bool:
        """Whether a path in a text is likely a text without its quotes: nothing in the flow reads it as a name."""
        return _is_likely_text(text, path) and path.root not in self._names

    def compare_with_null(self, path: Path) -> list[frozenset[str]]:
        """
        The nodes that compare a path with null, and those that compare all of what it lies in: what comes behind one of
        them knows that it may have no value.
        """
        return [self._compared[text] for text in (path.text, path.root) if text in self._compared]


def _is_likely_text(text: FlowText, path: Path) -> bool:
    return isinstance(text.parsed, Expression) and path.text in text.parsed.likely_texts
