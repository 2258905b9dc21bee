"""SCHEDULED: a clock starts the flow."""

import time
from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field

from workflow.fields import NodeConfig
from workflow.node_type import Finding
from workflow.schedules import NoSchedule, Schedule, check_cron, moment_ms
from workflow.trigger_type import TriggerType

LONGEST_CRON = 200
LONGEST_TIME = 64


class Config(NodeConfig):
    """
    When the flow starts.

    Attributes:
        cron_expression: Five fields: minute, hour, day of month, month, day of week; or six, with the second first.
        timezone: IANA zone that the clock hangs in.
        start_date: Not before this, ISO 8601; without an offset it is in `timezone`.
        end_date: Not behind this, likewise.
        max_executions: How often in all, counted from each publishing.
        skip_missed: True: times that passed while nothing ran are dropped; false: the latest 100 are made up for.
    """

    cron_expression: Annotated[str, Field(min_length=1, max_length=LONGEST_CRON)]
    timezone: str = "UTC"
    start_date: Annotated[str, Field(max_length=LONGEST_TIME)] | None = None
    end_date: Annotated[str, Field(max_length=LONGEST_TIME)] | None = None
    max_executions: Annotated[int, Field(ge=1)] | None = None
    skip_missed: bool = False


class Payload(BaseModel):
    """`scheduledAt` is the time that was planned, ISO 8601 UTC; the flow may run a little later."""

    scheduledAt: str
    cronExpression: str


class Scheduled(TriggerType[Config]):
    type = "SCHEDULED"
    title = "Schedule"
    description = "Starts the flow at set times."
    config = Config
    output = Payload
    channel = "schedule"

    def specificity(self, config: Config, payload: Mapping[str, Any]) -> int | None:
        return None

    def claim(self, config: Config) -> tuple[str, ...]:
        return ()

    def schedule(self, config: Config) -> Schedule:
        zone = ZoneInfo(config.timezone)
        return Schedule(
            cron=config.cron_expression,
            zone=zone,
            first_ms=0 if config.start_date is None else moment_ms(config.start_date, zone),
            last_ms=None if config.end_date is None else moment_ms(config.end_date, zone),
            most=config.max_executions,
            skips_missed=config.skip_missed,
        )

    def findings(self, config: Config) -> Iterable[Finding]:
        faults = [*_faults(config)]
        yield from faults
        if faults:
            return
        schedule, now_ms = self.schedule(config), round(time.time() * 1000)
        yield from _upset(schedule, now_ms)
        if schedule.last_ms is not None and schedule.last_ms < schedule.first_ms:
            yield Finding("INVALID_NODE_CONFIG", "endDate lies before startDate: the flow never starts", "endDate")
        elif schedule.after(schedule.first_ms - 1) is None:
            message = "no time of cronExpression lies between startDate and endDate: the flow never starts"
            yield Finding("INVALID_NODE_CONFIG", message, "cronExpression")
        elif schedule.after(now_ms) is None:
            yield Finding("SCHEDULE_OVER", "endDate has passed: the flow will not start", "endDate", is_warning=True)


def _upset(schedule: Schedule, now_ms: int) -> Iterable[Finding]:
    change = schedule.upset_by(now_ms)
    if change is not None:
        what = "skipped: the flow does not start" if change.forward else "there twice: the flow starts twice"
        message = (
            f"from {change.first:%Y-%m-%d %H:%M} to {change.behind:%H:%M} a time is {what}, since the clock of "
            f"{schedule.zone.key} is changed. Where the hour and the minute are named in five fields, without seconds, "
            "each time is met once"
        )
        yield Finding("SCHEDULE_CLOCK_CHANGE", message, "cronExpression", is_warning=True)


def _faults(config: Config) -> Iterable[Finding]:
    try:
        check_cron(config.cron_expression)
    except NoSchedule as problem:
        message = (
            f"cronExpression is no schedule ({problem}): write minute, hour, day of month, month and day of week, such "
            "as 0 7 * * MON-FRI, with the second before them where it matters"
        )
        yield Finding("INVALID_NODE_CONFIG", message, "cronExpression")
    try:
        zone = ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{config.timezone!r} is no IANA time zone, such as Africa/Nairobi"
        yield Finding("INVALID_NODE_CONFIG", message, "timezone")
        return
    for field, written in (("startDate", config.start_date), ("endDate", config.end_date)):
        try:
            if written is not None:
                moment_ms(written, zone)
        except (ValueError, OverflowError):
            message = f"{field} is no time: write ISO 8601, such as 2026-12-24T07:00:00+03:00"
            yield Finding("INVALID_NODE_CONFIG", message, field)
