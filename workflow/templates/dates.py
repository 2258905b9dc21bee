"""The filter that writes times."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from workflow.templates.errors import FilterError
from workflow.templates.formatting import Formatting
from workflow.templates.signature import ArgumentError, Work

DEFAULT_FORMAT = "%Y-%m-%d %H:%M"
FIRST_MILLISECOND_VALUE = 100_000_000_000
"""Numbers from here on are milliseconds: as seconds they would be beyond the year 5138."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DIRECTIVE = re.compile(r"%(-?.?)", re.DOTALL)
DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda time: f"{time.year:04}",
    "y": lambda time: f"{time.year % 100:02}",
    "m": lambda time: f"{time.month:02}",
    "-m": lambda time: str(time.month),
    "d": lambda time: f"{time.day:02}",
    "-d": lambda time: str(time.day),
    "H": lambda time: f"{time.hour:02}",
    "-H": lambda time: str(time.hour),
    "I": lambda time: f"{_half_day_hour(time):02}",
    "-I": lambda time: str(_half_day_hour(time)),
    "M": lambda time: f"{time.minute:02}",
    "S": lambda time: f"{time.second:02}",
    "p": lambda time: "AM" if time.hour < 12 else "PM",
    "A": lambda time: _DAYS[time.weekday()],
    "a": lambda time: _DAYS[time.weekday()][:3],
    "B": lambda time: _MONTHS[time.month - 1],
    "b": lambda time: _MONTHS[time.month - 1][:3],
    "z": lambda time: time.strftime("%z"),
    "Z": lambda time: time.tzname() or "",
    "%": lambda _: "%",
}
"""Directives of strftime that do not depend on the machine; a `-` leaves out the leading zero."""


def date(pattern: Any = DEFAULT_FORMAT, timezone: Any = None) -> Work:
    """
    `date(pattern, timezone)` writes a time, `%Y-%m-%d %H:%M` unless told otherwise, names in English.

    The value is ISO 8601 text, or a number: Unix time in seconds, in milliseconds from 100,000,000,000 on. Text without
    an offset is in the zone that it is written in, so it does not move. `pattern` takes the directives
    above, and has one of them at least: DD/MM/YYYY is a mistake. `timezone` is an IANA name; without it the zone of the
    formatting.
    """
    if not isinstance(pattern, str):
        raise ArgumentError('the format is a text in quotes, such as "%d/%m/%Y"')
    pieces = _pieces(pattern)
    fixed_zone = None if timezone is None else _fixed_zone(timezone)

    def write(value: object, formatting: Formatting) -> str:
        zone = fixed_zone or _zone(formatting.timezone)
        if zone is None:
            raise FilterError("date", f"{formatting.timezone[:60]!r} is no time zone such as Africa/Nairobi")
        time = _time(value, zone)
        return "".join(piece if isinstance(piece, str) else piece(time) for piece in pieces)

    return write


def _pieces(pattern: str) -> list[str | Callable[[datetime], str]]:
    pieces: list[str | Callable[[datetime], str]] = []
    position = 0
    for directive in _DIRECTIVE.finditer(pattern):
        if directive[1] not in DIRECTIVES:
            known = " ".join(f"%{name}" for name in DIRECTIVES)
            raise ArgumentError(f"{directive[0]} is not known in a format; known are {known}")
        pieces += [pattern[position : directive.start()], DIRECTIVES[directive[1]]]
        position = directive.end()
    if not pieces:
        raise ArgumentError('the format names no part of a time; write it as in "%d/%m/%Y %H:%M"')
    return [*pieces, pattern[position:]]


def _half_day_hour(time: datetime) -> int:
    return time.hour % 12 or 12


def _fixed_zone(name: Any) -> tzinfo:
    zone = _zone(name) if isinstance(name, str) else None
    if zone is None:
        raise ArgumentError('the time zone is an IANA name in quotes, such as "Africa/Nairobi"')
    return zone


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # No such zone; no legal name; a folder of zones.
        return None


def _time(value: object, zone: tzinfo) -> datetime:
    try:
        match value:
            case str():
                time = datetime.fromisoformat(value.strip())
                return time.replace(tzinfo=zone) if time.tzinfo is None else time.astimezone(zone)
            case int() | float() if not isinstance(value, bool):
                seconds = value / 1000 if abs(value) >= FIRST_MILLISECOND_VALUE else value
                return datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        pass
    raise FilterError("date", "the value is no time; it takes ISO 8601 text or Unix seconds")
