"""What people read in a terminal, or programs with --json."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Document = Mapping[str, Any]


class Output:
    """Writes answers to standard output and what went wrong to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def document(self, document: Document) -> None:
        """Writes an answer of the API as it came."""
        print(json.dumps(document, indent=2, ensure_ascii=False))  # noqa: T201 - this is what a command line does

    def say(self, text: str) -> None:
        """Writes a sentence."""
        self._out.print(Text(text))

    def aside(self, text: str) -> None:
        """Writes a sentence that is no part of what the next program reads."""
        self._errors.print(Text(text))

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
        """Writes rows below titles, or the sentence `empty` where there are none."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, title in enumerate(titles):
            # The first one is what the next command needs: it can be copied in one piece.
            table.add_column(title, overflow="fold", no_wrap=place == 0)
        for row in rows:
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
        if table.row_count:
            self._out.print(table)
        else:
            self.say(empty)

    def issues(self, errors: Sequence[Document], warnings: Sequence[Document]) -> None:
        """Writes what is wrong with a flow."""
        for word, style, issues in (("error", "bold red", errors), ("warning", "yellow", warnings)):
            for issue in issues:
                place = issue.get("path") or issue.get("nodeId") or issue.get("edgeId") or "flow"
                line = Text.assemble((word, style), f" {place}: {issue['message']} ", (f"[{issue['code']}]", "dim"))
                self._out.print(line)

    def problem(self, document: Document) -> None:
        """Writes why the API refused."""
        if self.as_json:
            self.document(document)
            return
        message = document.get("message") or document.get("error") or "the request was refused"
        self._errors.print(Text.assemble(("error", "bold red"), f" {message}"))
        for issue in document.get("errors", ()):
            place = issue.get("path") or issue.get("nodeId") or issue.get("edgeId") or "flow"
            self._errors.print(Text(f"  {place}: {issue['message']} [{issue['code']}]"))

    def failure(self, text: str) -> None:
        """Writes why nothing could be asked."""
        self._errors.print(Text.assemble(("error", "bold red"), f" {text}"))


def seconds(milliseconds: int | None) -> str:
    """Writes a duration for people."""
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def moment(timestamp: str) -> str:
    """Writes a time of the API, 2026-01-01T00:00:00.000Z, for people: it breaks between day and hour."""
    return timestamp[:19].replace("T", " ")
