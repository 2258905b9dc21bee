"""Lists in a terminal: each row is one line, so columns give way where the terminal is narrow."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = "  "

CUT = "…"
"""Ends what was cut."""

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    """
    Attributes:
        title: Above the cells.
        short: The title in a terminal.
        least: Characters that a cell may be cut to; 0: it is never cut.
        goes: Place in the order in which columns are left out; 0: it stays.
    """

    title: str
    short: str = ""
    least: int = 0
    goes: int = 0


def lines(columns: Sequence[Column], rows: Sequence[Cells], width: int) -> list[str]:
    """
    Returns the titles and the rows, one line each.

    What may be cut is cut first, then columns go, those that say nothing at all before the others. What cannot give
    way makes a line longer than `width`: an id that is cut is of no use.
    """
    titles = [column.short or column.title for column in columns]
    wanted = [max(map(cell_len, cells)) for cells in zip(titles, *rows, strict=True)]
    least = [min(column.least or want, want) for column, want in zip(columns, wanted, strict=True)]
    kept = list(range(len(columns)))
    silent = [place for place in kept if columns[place].goes and not any(row[place] for row in rows)]
    leaving = sorted((place for place in kept if columns[place].goes), key=lambda place: columns[place].goes)
    for place in [*silent, *(place for place in leaving if place not in silent)]:
        if _together(least, kept) > width:
            kept.remove(place)
    widths = dict(zip(kept, _cut(wanted, least, kept, width), strict=True))
    return [GAP.join(_cell(row[place], widths[place]) for place in kept).rstrip() for row in (titles, *rows)]


def _together(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[place] for place in kept) + len(GAP) * (len(kept) - 1)


def _cut(wanted: Sequence[int], least: Sequence[int], kept: Sequence[int], width: int) -> list[int]:
    """Returns the widths of the columns; those further to the right are cut first."""
    widths = list(wanted)
    for place in reversed(kept):
        excess = _together(widths, kept) - width
        if excess > 0:
            widths[place] = max(least[place], widths[place] - excess)
    return [widths[place] for place in kept]


def _cell(text: str, width: int) -> str:
    return set_cell_size(text, width) if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}{CUT}"
