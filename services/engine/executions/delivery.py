"""Delivery reports in order: they may repeat and overtake each other, so only forward moves are shown."""

from collections.abc import Mapping, Sequence

from services.engine.store.execution_store import Report

INTERMEDIATE: Mapping[str, int] = {"Sent": 1, "Submitted": 2, "Buffered": 3}
"""Statuses that another one may follow, in order (Africa's Talking, SMS delivery reports)."""

FINAL = 4
"""Rank of all other statuses: final ones, and words that are not known."""

ENDS_OF_MONEY = frozenset({"Success", "Failed"})
"""Final statuses of airtime and payments; every other word says that it goes on."""

FINAL_OF_MONEY = 6
"""Their rank. Words that say that it goes on have one less, and a new one of them is a move as well."""


def forward_moves(reports: Sequence[Report]) -> Sequence[Report]:
    """Returns the reports that say more about a message than those before them."""
    reached: dict[str, int] = {}
    said: dict[str, str] = {}
    kept: list[Report] = []
    for report in reports:
        rank = _rank(report)
        before = reached.get(report.name, 0)
        is_news = rank == FINAL_OF_MONEY - 1 and before == rank and said[report.name] != report.status
        if rank > before or is_news:
            reached[report.name], said[report.name] = rank, report.status
            kept.append(report)
    return kept


def _rank(report: Report) -> int:
    if report.channel == "sms":
        return INTERMEDIATE.get(report.status, FINAL)
    return FINAL_OF_MONEY if report.status in ENDS_OF_MONEY else FINAL_OF_MONEY - 1
