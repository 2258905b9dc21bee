"""When schedules are due: over changes of the clock, at the ends, and behind a time when nobody looked."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from workflow.schedules import MOST_MADE_UP, NoSchedule, Schedule, check_cron, moment_ms

BERLIN = ZoneInfo("Europe/Berlin")
NAIROBI = ZoneInfo("Africa/Nairobi")
MINUTE_MS = 60_000


def ms(written: str, zone: ZoneInfo = NAIROBI) -> int:
    return moment_ms(written, zone)


def times(schedule: Schedule, since: str, count: int) -> list[str]:
    """The next times as the schedule's own clock shows them."""
    found, at = [], ms(since, schedule.zone)
    for _ in range(count):
        following = schedule.after(at)
        if following is None:
            break
        at = following
        found.append(datetime.fromtimestamp(at / 1000, UTC).astimezone(schedule.zone).isoformat(timespec="seconds"))
    return found


def test_a_time_is_met_by_the_clock_of_its_zone() -> None:
    assert times(Schedule("0 7 * * MON-FRI", NAIROBI), "2026-11-27T08:00", 2) == [
        "2026-11-30T07:00:00+03:00",
        "2026-12-01T07:00:00+03:00",
    ]


def test_six_fields_begin_with_the_second() -> None:
    assert times(Schedule("*/20 0 7 * * *", NAIROBI), "2026-11-27T06:00", 4) == [
        "2026-11-27T07:00:00+03:00",
        "2026-11-27T07:00:20+03:00",
        "2026-11-27T07:00:40+03:00",
        "2026-11-28T07:00:00+03:00",
    ]


def test_an_hour_that_the_clock_skips_is_met_right_behind_it() -> None:
    assert times(Schedule("30 2 * * *", BERLIN), "2026-03-28T12:00", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_an_hour_that_the_clock_repeats_is_met_once() -> None:
    assert times(Schedule("30 2 * * *", BERLIN), "2026-10-24T12:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_an_interval_goes_on_by_real_time_when_the_clock_is_set_back() -> None:
    found = times(Schedule("*/30 * * * *", BERLIN), "2026-10-25T01:45", 4)
    assert found == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_both_ends_belong_to_the_schedule() -> None:
    daily = Schedule("0 7 * * *", NAIROBI, ms("2026-12-01T07:00"), ms("2026-12-02T07:00"))
    assert times(daily, "2026-01-01T00:00", 5) == ["2026-12-01T07:00:00+03:00", "2026-12-02T07:00:00+03:00"]


def test_what_was_missed_is_made_up_for_from_the_first_time_on() -> None:
    daily = Schedule("0 7 * * *", NAIROBI)
    planned = ms("2026-11-20T07:00")
    assert daily.to_run(planned, ms("2026-11-27T12:00")) == planned


def test_of_too_much_that_was_missed_the_latest_is_made_up_for() -> None:
    every_minute = Schedule("* * * * *", NAIROBI)
    now = ms("2026-11-27T12:00:30")
    first = every_minute.to_run(ms("2026-11-20T07:00"), now)
    assert first == ms("2026-11-27T12:00") - (MOST_MADE_UP - 1) * MINUTE_MS


def test_a_schedule_that_skips_drops_what_was_missed_and_keeps_what_is_due_now() -> None:
    hourly = Schedule("0 * * * *", NAIROBI, skips_missed=True)
    planned = ms("2026-11-27T07:00")
    assert hourly.to_run(planned, planned + 2000) == planned
    assert hourly.to_run(planned, ms("2026-11-27T12:30")) is None
    assert hourly.to_run(planned, ms("2026-11-27T12:00:02")) == ms("2026-11-27T12:00")


def test_nothing_behind_the_end_is_made_up_for() -> None:
    daily = Schedule("0 7 * * *", NAIROBI, last_ms=ms("2026-11-21T12:00"), skips_missed=True)
    assert daily.to_run(ms("2026-11-20T07:00"), ms("2026-11-22T07:00:01")) is None


@pytest.mark.parametrize("expression", ["", "* * * *", "61 * * * *", "a b c d e", "@daily", "0 0 31 2 *", "0 0 30 2 *"])
def test_what_names_no_time_is_refused(expression: str) -> None:
    with pytest.raises(NoSchedule):
        check_cron(expression)


EXPRESSIONS = st.sampled_from(
    ["0 7 * * *", "30 2 * * *", "*/7 * * * *", "0 0 1 * *", "15,45 1-3 * * SUN", "0 */6 * * *", "5 0 7 * * *"]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - a zone follows
    lambda moment: round(moment.replace(tzinfo=UTC).timestamp() * 1000)
)


@given(EXPRESSIONS, st.sampled_from([BERLIN, NAIROBI, ZoneInfo("America/New_York")]), MOMENTS)
def test_times_only_go_forward_and_none_is_jumped_over(expression: str, zone: ZoneInfo, at_ms: int) -> None:
    schedule = Schedule(expression, zone)
    following = schedule.after(at_ms)
    assert following is not None
    assert following > at_ms
    between = at_ms + (following - at_ms) // 2
    assert schedule.after(between) == following
    assert schedule.after(following - 1) == following


@given(EXPRESSIONS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)), st.booleans())
def test_what_is_run_was_planned_and_has_come(expression: str, at_ms: int, late: timedelta, skips: bool) -> None:
    schedule = Schedule(expression, BERLIN, skips_missed=skips)
    planned = schedule.after(at_ms)
    assert planned is not None
    now = planned + late // timedelta(milliseconds=1)
    found = schedule.to_run(planned, now)
    assert found is None or planned <= found <= now
    assert found is None or schedule.after(found - 1) == found


@pytest.mark.parametrize(
    ("cron", "zone", "since", "change"),
    [
        ("0 30 2 * * *", BERLIN, "2026-01-01", ("2026-03-29T02:00", "2026-03-29T03:00", True)),
        ("0 30 2 * * *", BERLIN, "2026-06-01", ("2026-10-25T02:00", "2026-10-25T03:00", False)),
        ("*/15 2 * * *", BERLIN, "2026-06-01", ("2026-10-25T02:00", "2026-10-25T03:00", False)),
        ("0 30 2 * 10 *", BERLIN, "2026-01-01", ("2026-10-25T02:00", "2026-10-25T03:00", False)),
        ("0 0 3 * * *", BERLIN, "2026-01-01", None),
        ("30 2 * * *", BERLIN, "2026-01-01", None),
        ("0 */10 * * * *", BERLIN, "2026-01-01", None),
        ("0 30 2 * * *", NAIROBI, "2026-01-01", None),
    ],
)
def test_a_change_of_the_clock_that_upsets_a_schedule_is_known_before(
    cron: str, zone: ZoneInfo, since: str, change: tuple[str, str, bool] | None
) -> None:
    schedule = Schedule(cron, zone)
    found = schedule.upset_by(ms(since, zone))
    if change is None:
        assert found is None
        return
    assert found is not None
    shown = (found.first.isoformat(timespec="minutes"), found.behind.isoformat(timespec="minutes"), found.forward)
    assert shown == change
    # And so it is: that day the time is not met, or is met twice.
    day = [time for time in times(schedule, f"{change[0][:10]}T00:00", 10) if time.startswith(change[0][:10])]
    assert len(day) == (0 if found.forward else len({time[:16] for time in day}) * 2)
