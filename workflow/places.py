"""Places in a document, as a person writes them: `nodes[2].config.to`, `nodes[1].config.data["first name"]`."""

import json
import re
from collections.abc import Iterable

Step = str | int

_PLAIN = re.compile(r"[^\W\d][\w-]*\Z")
_PART = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.\[\]]+)')

_SECTIONS = {
    name: rank for rank, name in enumerate(("metadata", "trigger", "nodes", "edges", "settings", "errorHandling"), 1)
}
_LAST = len(_SECTIONS) + 1

SortKey = tuple[int, tuple[tuple[int, int, str], ...]]


def written(steps: Iterable[Step], start: str = "") -> str:
    """Returns the place that `steps` lead to from `start`. Keys that are no plain names stand in brackets."""
    text = start
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.match(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def sort_key(path: str | None) -> SortKey:
    """Orders places as they stand in a flow: the whole flow first, then section by section, lists by index."""
    if not path:
        return 0, ()
    parts = [
        (0, int(part[1]), "") if part[1] is not None else (1, 0, part[2] if part[2] is not None else part[3])
        for part in _PART.finditer(path)
    ]
    return (_SECTIONS.get(parts[0][2], _LAST) if parts else _LAST), tuple(parts)
