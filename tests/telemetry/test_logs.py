"""What a log line says. Logging is set up once a process, so each test runs a program of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest


def lines(program: str, level: str = "info") -> list[dict[str, Any]]:
    """Runs a program after `logs.configure` and returns the lines that it logged."""
    setup = f"import structlog, logging\nfrom telemetry import logs\nlogs.configure({{'NJIA_LOG_LEVEL': {level!r}}})\n"
    done = subprocess.run(
        [sys.executable, "-c", setup + "log = structlog.get_logger()\n" + program],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_is_json_with_time_level_service_and_event() -> None:
    (line,) = lines("logs.bind_service('engine')\nlog.info('started', nodes=3)")

    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "service": "engine", "event": "started", "nodes": 3}


def test_lines_inside_of_an_execution_and_a_span_carry_their_ids() -> None:
    program = """
from opentelemetry.sdk.trace import TracerProvider
with TracerProvider().get_tracer('t').start_as_current_span('s') as span, logs.execution('e-254711000001'):
    log.info('inside', trace=format(span.get_span_context().trace_id, '032x'))
log.info('outside')
"""
    inside, outside = lines(program)

    assert inside["trace_id"] == inside["trace"]
    assert len(inside["span_id"]) == 16
    assert inside["execution_id"] == "e-254711000001"
    assert not {"trace_id", "span_id", "execution_id"} & set(outside)


def test_a_phone_number_in_any_value_is_masked() -> None:
    program = """
try:
    raise ValueError('+254711000001')
except ValueError:
    log.exception('to +254711000001', to=['254711000001'])
"""
    (line,) = lines(program)

    assert "711000" not in json.dumps(line)
    assert line["event"] == "to +2547*****001"
    assert "ValueError: +2547*****001" in line["exception"]


def test_warnings_of_libraries_take_the_same_way_out() -> None:
    program = """
logging.getLogger('some.library').info('not shown')
logging.getLogger('some.library').warning('sent to %s', '+254711000001')
"""
    (line,) = lines(program)

    assert (line["level"], line["logger"], line["event"]) == ("warning", "some.library", "sent to +2547*****001")


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("ERROR", 1)])
def test_the_level_is_that_of_the_environment(level: str, shown: int) -> None:
    assert len(lines("log.debug('1'); log.info('2'); log.warning('3'); log.error('4')", level)) == shown


def test_an_unknown_level_is_said_and_counts_as_info() -> None:
    warning, line = lines("log.debug('1'); log.info('2')", "loud")

    assert (warning["level"], warning["value"]) == ("warning", "loud")
    assert line["event"] == "2"
