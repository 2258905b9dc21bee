"""When a schedule is due: cron expressions in a time zone, as Debian's cron reads them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from workflow.clock_changes import ClockChange, clock_changes

MOST_MADE_UP = 100
"""Times that were missed and are made up for, the latest ones; those before are dropped."""

ON_TIME_MS = 60_000
"""A time that is met within so long was not missed."""


FIELDS_WITHOUT_SECONDS = 5

LOOK_AHEAD_MS = 400 * 24 * 3600 * 1000
"""Where clocks are changed at all, they are within a year."""


class NoSchedule(Exception):
    """A cron expression that says nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    When to start something. Times are Unix milliseconds.

    Attributes:
        cron: Five fields (minute, hour, day of month, month, day of week), or six with the second first.
        zone: Where the clock hangs. A time that a change of clocks skips or repeats is met once, for a cron of five
            fields that names its hours and minutes; intervals such as */10 go on by real time, and so does a cron with
            seconds: see `upset_by`.
        first_ms: Nothing before this.
        last_ms: Nothing behind this; None: for ever.
        most: How many times in all; None: no end.
        skips_missed: Whether times that passed while nobody looked are dropped; else they are made up for.
    """

    cron: str
    zone: ZoneInfo
    first_ms: int = 0
    last_ms: int | None = None
    most: int | None = None
    skips_missed: bool = False

    def after(self, ms: int) -> int | None:
        """Returns the first time behind this moment, not before 1970; None when there is none."""
        try:
            found = next(CronSim(self.cron, self._clock(max(ms, self.first_ms - 1, 0))), None)
        except (OverflowError, ValueError):
            # Calendars of the language end with the year 9999.
            return None
        if found is None or (self.last_ms is not None and _as_ms(found) > self.last_ms):
            return None
        return _as_ms(found)

    def upset_by(self, since_ms: int) -> ClockChange | None:
        """
        Returns the next change of the clock that makes the schedule miss a time or meet it twice; None where there is
        none within LOOK_AHEAD_MS. Five fields that name hours and minutes meet each time once; what names no hour is an
        interval.
        """
        fields = self.cron.split()
        minute, hour = fields[-5:-3]
        if hour.startswith("*") or (len(fields) == FIELDS_WITHOUT_SECONDS and not minute.startswith("*")):
            return None
        since_ms = max(since_ms, self.first_ms)
        until_ms = since_ms + LOOK_AHEAD_MS if self.last_ms is None else min(since_ms + LOOK_AHEAD_MS, self.last_ms)
        try:
            return next(filter(self._names_a_time_of, clock_changes(self.zone, since_ms, until_ms)), None)
        except (OverflowError, ValueError):
            # Calendars of the language end with the year 9999.
            return None

    def _names_a_time_of(self, change: ClockChange) -> bool:
        found = next(CronSim(self.cron, change.first - timedelta(seconds=1)), None)
        return found is not None and found < change.behind

    def to_run(self, planned_ms: int, now_ms: int) -> int | None:
        """
        Returns the time to be run for, once the planned one has come: itself, or a later one where it is too late.

        None: all that is due was missed for good, and the next one is `after(now_ms)`.
        """
        if now_ms - planned_ms <= ON_TIME_MS:
            return planned_ms
        until_ms = now_ms if self.last_ms is None else min(now_ms, self.last_ms)
        backwards = map(_as_ms, CronSim(self.cron, self._clock(until_ms + 1000), reverse=True))
        newer = list(takewhile(lambda ms: ms > planned_ms, islice(backwards, MOST_MADE_UP)))
        if self.skips_missed:
            latest = newer[0] if newer else planned_ms
            return latest if now_ms - latest <= ON_TIME_MS else None
        return newer[-1] if len(newer) == MOST_MADE_UP else planned_ms

    def _clock(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms // 1000, UTC).astimezone(self.zone)


def check_cron(expression: str) -> None:
    """Raises NoSchedule when a cron expression cannot be read, or names a day that never comes."""
    try:
        found = next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)), None)
    except CronSimError as problem:
        raise NoSchedule(str(problem)) from None
    if found is None:
        raise NoSchedule("no such day comes within 50 years")


def moment_ms(written: str, zone: ZoneInfo) -> int:
    """Reads an ISO 8601 time or date as Unix ms; without an offset it is local. Raises ValueError."""
    moment = datetime.fromisoformat(written)
    return _as_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _as_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
