"""Delivery reports in order: they may repeat and overtake each other, so only forward moves are shown."""

from collections.abc import Mapping, Sequence

from services.engine.store import Report

INTERMEDIATE: Mapping[str, int] = {"Sent": 1, "Submitted": 2, "Buffered": 3}
"""Statuses that another one may follow, in order (Africa's Talking, SMS delivery reports)."""

FINAL = 4
"""Rank of all other statuses: final ones, and words that are not known."""


def forward_moves(reports: Sequence[Report]) -> Sequence[Report]:
    """Returns the reports that say more about a message than those before them."""
    reached: dict[str, int] = {}
    kept: list[Report] = []
    for report in reports:
        rank = INTERMEDIATE.get(report.status, FINAL)
        if rank > reached.get(report.message_id, 0):
            reached[report.message_id] = rank
            kept.append(report)
    return kept
