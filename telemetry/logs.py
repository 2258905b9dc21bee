"""
Structured logs: one JSON line an event on standard error, or coloured text when that is a terminal.

Every line has time, level, service and event; trace_id and span_id inside of a span; execution_id inside of an
execution. What Python's own logging gets from libraries takes the same way out.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from telemetry.masking import mask_value

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
"""Values of NJIA_LOG_LEVEL; the default is info."""

_OWN_IDS = frozenset({"time", "level", "trace_id", "span_id", "execution_id"})
"""Keys whose values this module makes or that are ids by construction; they are not masked."""

# A library's info lines ("started server process") say nothing that ours do not say.
_LIBRARY_LEVEL = logging.WARNING


def configure(environ: Mapping[str, str], stream: TextIO = sys.stderr) -> None:
    """
    Sets up logging of this process; called once, by the process entry.

    NJIA_LOG_LEVEL is debug, info, warning or error; anything else counts as info, with a warning.

    Args:
        environ: The environment.
        stream: Where the lines go.
    """
    asked = environ.get("NJIA_LOG_LEVEL", "").strip().lower() or "info"
    level = LEVELS.get(asked, logging.INFO)
    structlog.configure(
        processors=_processors(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=max(level, _LIBRARY_LEVEL), force=True)
    logging.captureWarnings(capture=True)
    if asked not in LEVELS:
        structlog.get_logger().warning("NJIA_LOG_LEVEL is not one of debug, info, warning, error", value=asked)


def bind_service(name: str) -> None:
    """Puts the service's name on every line of this task and of the tasks that it starts."""
    structlog.contextvars.bind_contextvars(service=name)


@contextmanager
def execution(execution_id: str) -> Iterator[None]:
    """Puts the execution's id on every line logged inside, and inside of tasks started there."""
    with structlog.contextvars.bound_contextvars(execution_id=execution_id):
        yield


def _processors(stream: TextIO) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_trace,
    ]
    if stream.isatty():
        return [
            *shared,
            structlog.processors.format_exc_info,
            _mask,
            structlog.dev.ConsoleRenderer(timestamp_key="time"),
        ]
    return [*shared, structlog.processors.format_exc_info, _mask, _render_json]


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: value if key in _OWN_IDS else mask_value(value) for key, value in event.items()}


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {key: event.pop(key) for key in ("time", "level", "service", "event") if key in event}
    return orjson.dumps({**first, **event}, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _ToStructlog(logging.Handler):
    """Hands the records of Python's own logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: dict[str, Any] = {"logger": record.name}
            if record.exc_info:
                fields["exc_info"] = record.exc_info
            # A level that structlog does not know (a library's own) counts as the next lower one it knows.
            known = max((level for level in LEVELS.values() if level <= record.levelno), default=logging.DEBUG)
            structlog.get_logger().log(known, record.getMessage(), **fields)
        except Exception:  # noqa: BLE001 (a broken record must not break what logged it)
            self.handleError(record)
