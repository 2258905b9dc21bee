"""Real processes: one set for most tests, one process a service for those that kill some."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from launcher.stack import ONE_PROCESS, ONE_PROCESS_EACH, Stack
from launcher.valkey import free_port
from rpc.api_keys import new_key
from rpc.callers import Scope
from tests.e2e.collecting import Collector, collecting
from tests.e2e.counting import Proxy, counting
from tests.e2e.driving import Platform

SCRAPED = ("validator", "engine", "sessions", "at_adapter")
"""Services whose metrics have a listener of their own."""

PATIENT = {"NJIA_AT_READ_TIMEOUT_MS": "60000"}
"""Sends that a test holds up are waited for."""


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def standing_platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Every service in one process, as `make run` has it; no test kills any of it."""
    directory = tmp_path_factory.mktemp("together")
    environ = {
        "NJIA_ENGINE_SETTLE_MS": "2000",
        "NJIA_ENGINE_SCAN_MS": "50",
        "NJIA_HTTP_ALLOW": "127.0.0.1",
        **PATIENT,
    }
    async with Stack(directory, layout=ONE_PROCESS, environ=environ) as running, Platform(running) as platform:
        yield platform
    check_logs(directory)


@pytest_asyncio.fixture(loop_scope="session")
async def platform(standing_platform: Platform) -> AsyncIterator[Platform]:
    """The standing set; faults that a test leaves behind are taken back."""
    yield standing_platform
    await standing_platform.control.delete("/control/faults")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def standing_separate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Each service in a process of its own, with a short lease, so that taking over is quick."""
    directory = tmp_path_factory.mktemp("separate")
    environ = {
        "NJIA_ENGINE_LEASE_MS": "2000",
        "NJIA_ENGINE_SCAN_MS": "100",
        "NJIA_HTTP_ALLOW": "127.0.0.1",
        **PATIENT,
    }
    async with Stack(directory, layout=ONE_PROCESS_EACH, environ=environ) as running, Platform(running) as platform:
        yield platform
    check_logs(directory)


@pytest_asyncio.fixture(loop_scope="session")
async def separate(standing_separate: Platform) -> AsyncIterator[Platform]:
    """The set to kill parts of; a test leaves it running."""
    yield standing_separate
    await standing_separate.control.delete("/control/faults")


@dataclass(frozen=True, slots=True)
class Observed:
    """
    A set whose spans go to a collector and whose trips to Redis go through a counting proxy.

    Attributes:
        key: An API key that may do everything; `platform` uses it.
        reading_key: An API key that may read.
    """

    platform: Platform
    collector: Collector
    redis: Proxy
    key: str
    reading_key: str


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def observed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Observed]:
    """Every service in one process, with tracing, metrics and API keys on."""
    key, reading = new_key("tests", set(Scope)), new_key("readers", {Scope.READ})
    directory = tmp_path_factory.mktemp("observed")
    async with collecting() as collector, counting() as redis:
        environ = {
            "NJIA_REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "NJIA_USSD_BUDGET_MS": "1500",
            **PATIENT,
            "NJIA_API_KEYS": f"{key.line};{reading.line}",
            "NJIA_API_RATE_PER_SECOND": "10000",
            **{f"NJIA_{name.upper()}_METRICS_LISTEN": f"127.0.0.1:{free_port()}" for name in SCRAPED},
        }
        stack = Stack(directory, layout=ONE_PROCESS, environ=environ)
        address = urlsplit(stack.redis_url)
        assert address.port is not None
        redis.upstream = address.port
        async with stack, Platform(stack, key.key) as platform:
            # Reports come when they like and would be counted to whatever runs then.
            await platform.control.patch("/control/settings", json={"deliveryReports": False})
            yield Observed(platform, collector, redis, key.key, reading.key)
    check_logs(directory)


def check_logs(directory: Path) -> None:
    """No run of these tests may leave a phone number in clear, a traceback, or a line that is no event in a log."""
    problems = []
    for log in (directory / "logs").glob("*.log"):
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                problems.append(f"{log.name}: no event: {line}")
                continue
            if re.search(r"254711\d{6}", line) or "exception" in event or "Traceback" in line:
                problems.append(f"{log.name}: {line}")
    assert not problems, "\n".join(problems[:20])
