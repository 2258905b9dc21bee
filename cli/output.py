"""What people read in a terminal, or programs with --json."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.columns import Column, lines

Document = Mapping[str, Any]

_UNBROKEN = 10
"""Longest word that a column is always wide enough for: a day, a status."""

_ONE_LINE = 100_000
"""Characters of the longest row that a program reads."""


class Output:
    """Writes answers to standard output and what went wrong to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        if not self._out.is_terminal:
            # grep finds the whole of a row.
            self._out.width = _ONE_LINE
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
        lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
        if not lines:
            self.say(empty)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, title in enumerate(titles):
            # The first one is what the next command needs: it can be copied in one piece. Short words are not broken.
            longest = max(len(word) for line in lines for word in ("", *line[place].split()))
            table.add_column(title, overflow="fold", no_wrap=place == 0, min_width=min(longest, _UNBROKEN))
        for line in lines:
            table.add_row(*map(Text, line))
        with self._out.capture() as drawn:
            self._out.print(table)
        for written in drawn.get().splitlines():
            # Cells are as wide as their column; nobody wants the blanks behind the last one.
            self._out.file.write(f"{written.rstrip()}\n")

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[object]], empty: str) -> None:
        """Writes a list, of which each row is one line also in a narrow terminal; the whole of it to a program."""
        listed = [["" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows]
        if not listed or not self._out.is_terminal:
            self.table([column.title for column in columns], listed, empty)
            return
        titles, *written = lines(columns, listed, self._out.width)
        self._out.print(Text(titles, style="bold"))
        for line in written:
            self._out.print(Text(line))

    def moment(self, timestamp: str) -> str:
        """Writes a time of the API, 2026-01-01T00:00:00.000Z: whole to a program, in a terminal what is not today's."""
        if not self._out.is_terminal:
            return moment(timestamp)
        return brief_moment(timestamp, datetime.now(UTC))

    def issues(self, errors: Sequence[Document], warnings: Sequence[Document]) -> None:
        """Writes what is wrong with a flow."""
        for word, style, issues in (("error", "bold red", errors), ("warning", "yellow", warnings)):
            for issue in issues:
                line = Text.assemble(
                    (word, style), f" {_place(issue)}: {issue['message']} ", (f"[{issue['code']}]", "dim")
                )
                self._out.print(line)

    def problem(self, document: Document) -> None:
        """Writes why the API refused."""
        if self.as_json:
            self.document(document)
            return
        message = document.get("message") or document.get("error") or "the request was refused"
        if document.get("errors"):
            # All of them follow.
            message = message.partition("; the first: ")[0]
        self._errors.print(Text.assemble(("error", "bold red"), f" {message}"))
        for issue in document.get("errors", ()):
            if issue["message"] == message:
                continue  # it has been said
            self._errors.print(Text(f"  {_place(issue)}: {issue['message']} [{issue['code']}]"))

    def failure(self, text: str) -> None:
        """Writes why nothing could be asked."""
        self._errors.print(Text.assemble(("error", "bold red"), f" {text}"))


def _place(issue: Document) -> str:
    """Writes where a fault is: its path, and the id of the node or edge, which nobody has to count for."""
    path, name = issue.get("path"), issue.get("nodeId") or issue.get("edgeId")
    if path and name:
        return f"{path} ({name})"
    return str(path or name or "flow")


def seconds(milliseconds: int | None) -> str:
    """Writes a duration for people."""
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def moment(timestamp: str) -> str:
    """Writes a time of the API, 2026-01-01T00:00:00.000Z, for people: it breaks between day and hour."""
    return timestamp[:19].replace("T", " ")


def brief_moment(timestamp: str, now: datetime) -> str:
    """Writes a time of the API as short as it can be told from others: 10:21:13 today, 11-27 10:21 this year."""
    then = datetime.fromisoformat(timestamp)
    if then.date() == now.date():
        return f"{then:%H:%M:%S}"
    return f"{then:%m-%d %H:%M}" if then.year == now.year else f"{then:%Y-%m-%d}"
