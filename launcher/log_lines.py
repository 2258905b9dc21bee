"""The logs of the processes, for a person at a terminal."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

_SHOWN = {"warning", "error", "critical"}
_PLACED = ("time", "level", "event", "service", "exception")


def readable(line: str) -> str:
    """Returns a line of a log as text: an event of ours with its details and its traceback, anything else as it is."""
    event = _event(line)
    if event is None:
        return line
    traceback = f"\n{event['exception']}" if "exception" in event else ""
    return f"{_summary(event)}{traceback}"


@dataclass(slots=True)
class WarningsTail:
    """
    Follows one log and picks what is a warning or worse.

    Attributes:
        name: What the process is called.
        log: The log.
        position: Bytes read so far.
    """

    name: str
    log: Path
    position: int = 0

    def new_lines(self) -> Iterable[str]:
        """Yields what was added since the last call, as text; a traceback stays in the log."""
        with self.log.open("rb") as log:
            log.seek(self.position)
            for line in log:
                if not line.endswith(b"\n"):
                    # Half a line; the rest comes with the next look.
                    return
                self.position += len(line)
                shown = self._shown(line.decode(errors="replace").rstrip())
                if shown is not None:
                    yield shown

    def _shown(self, line: str) -> str | None:
        event = _event(line)
        if event is None:
            # Not an event of ours: a program that writes past its log has something to say.
            return f"{self.name}: {line}"
        if event["level"] not in _SHOWN:
            return None
        hint = f" (see {self.log})" if "exception" in event else ""
        return f"{event.get('service', self.name)}: {_summary(event)}{hint}"


def _event(line: str) -> dict[str, object] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and {"level", "event"} <= event.keys() else None


def _summary(event: dict[str, object]) -> str:
    details = " ".join(f"{key}={value}" for key, value in event.items() if key not in _PLACED)
    return f"{event['level']}: {event['event']} {details}".rstrip()
