"""What the expressions of a flow tell of its author's mind about names that may have no value."""

from collections.abc import Iterable

from services.validator.flow_text import FlowText
from workflow.expressions import Expression
from workflow.paths import Path


class Intent:
    """Reads the texts of one flow, each with the id of the node that it belongs to."""

    def __init__(self, texts: Iterable[tuple[str, FlowText]]) -> None:
        self._names: set[str] = set()
        self._compared: dict[str, list[str]] = {}
        for node_id, text in texts:
            self._names.update(
                reference.path.root
                for reference in (() if text.parsed is None else text.parsed.references)
                if not _is_likely_text(text, reference.path)
            )
            if isinstance(text.parsed, Expression):
                for path in text.parsed.compared_with_null:
                    self._compared.setdefault(path, []).append(node_id)

    def is_text(self, text: FlowText, path: Path) -> bool:
        """Whether a path in a text is likely a text without its quotes: nothing in the flow reads it as a name."""
        return _is_likely_text(text, path) and path.root not in self._names

    def compare_with_null(self, path: Path) -> list[str]:
        """Nodes that compare a path, or all of what it lies in, with null: what comes behind them knows of it."""
        return [node for text in {path.text, path.root} for node in self._compared.get(text, ())]


def _is_likely_text(text: FlowText, path: Path) -> bool:
    return isinstance(text.parsed, Expression) and path.text in text.parsed.likely_texts
