"""Shows the warnings and errors of the processes on the terminal while everything else stays in their logs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

_SHOWN = {"warning", "error", "critical"}
_CONTEXT = ("time", "level", "event", "service", "exception")


@dataclass(slots=True)
class WarningsTail:
    """
    Follows one log.

    Attributes:
        name: What the process is called.
        log: The log.
        position: Bytes read so far.
    """

    name: str
    log: Path
    position: int = 0

    def new_lines(self) -> Iterable[str]:
        """Yields what has been added since the last call and is a warning or worse, one line each, for a person."""
        with self.log.open("rb") as log:
            log.seek(self.position)
            for line in log:
                if not line.endswith(b"\n"):
                    # Half a line; the rest comes with the next look.
                    return
                self.position += len(line)
                shown = self._shown(line)
                if shown is not None:
                    yield shown

    def _shown(self, line: bytes) -> str | None:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            # Not one of our lines: a program that says something outside of its log has something to say.
            return f"{self.name}: {line.decode(errors='replace').rstrip()}"
        if not isinstance(event, dict) or event.get("level") not in _SHOWN:
            return None
        details = " ".join(f"{key}={value}" for key, value in event.items() if key not in _CONTEXT)
        hint = f" (see {self.log})" if "exception" in event else ""
        return f"{event.get('service', self.name)}: {event['level']}: {event.get('event')} {details}".rstrip() + hint
