"""When the clock of a zone is put forward or back, and what that does to a time of the day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

STEP = timedelta(days=1)
"""No zone changes its clock twice within so long."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """
    A change of a clock.

    Attributes:
        first: The first local time that it skips or repeats, without a zone.
        behind: The first one behind those.
        forward: Whether it skips; else it repeats.
    """

    first: datetime
    behind: datetime
    forward: bool


def clock_changes(zone: ZoneInfo, since_ms: int, until_ms: int) -> Iterator[ClockChange]:
    """Yields the changes of a zone's clock between two moments, Unix ms, oldest first."""
    at, end = (datetime.fromtimestamp(ms // 1000, UTC) for ms in (since_ms, until_ms))
    while at < end:
        following = min(at + STEP, end)
        if _offset(at, zone) != _offset(following, zone):
            yield _between(at, following, zone)
        at = following


def _between(before: datetime, behind: datetime, zone: ZoneInfo) -> ClockChange:
    old, new = _offset(before, zone), _offset(behind, zone)
    while behind - before > timedelta(seconds=1):
        middle = before + (behind - before) // 2
        before, behind = (middle, behind) if _offset(middle, zone) == old else (before, middle)
    moment = behind.replace(tzinfo=None, microsecond=0)
    return ClockChange(moment + min(old, new), moment + max(old, new), forward=new > old)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None, "a zone always has an offset"
    return offset
