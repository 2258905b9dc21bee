"""`python -m services`: one or all, signals, and what it says when it cannot start. Each test runs real processes."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rpc.config import ConfigError
from services.__main__ import TARGETS, check_addresses, with_targets

LONG_SECONDS = 120.0
"""To load and end a process, on a busy machine too."""

Start = Callable[..., "subprocess.Popen[str]"]

PROGRAM = """
import os, sys
from services import __main__ as entry
entry.TARGETS = {name: "made_up_" + name for name in ("first", "second")}
entry.DRAIN_WITHIN_SECONDS = float(os.environ["DRAIN_SECONDS"])
entry.CANCEL_WITHIN_SECONDS = 0.3
sys.exit(entry.main(sys.argv[1:], os.environ))
"""

GOOD = """
import structlog
async def serve(environ, tracer_provider, stop):
    structlog.get_logger().info("serving")
    await stop.wait()
    print("{name} drained", flush=True)
"""

WITH_PROBLEMS = """
from rpc.config import ConfigError
async def serve(environ, tracer_provider, stop):
    raise ConfigError(["NJIA_SHARED: is bad", "NJIA_{name}: is not set"])
"""

DEAF = """
import asyncio, structlog
async def serve(environ, tracer_provider, stop):
    structlog.get_logger().info("serving")
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
"""

SLOW_TO_END = """
import asyncio, structlog
async def serve(environ, tracer_provider, stop):
    structlog.get_logger().info("serving")
    await stop.wait()
    await asyncio.sleep(60)
"""

BROKEN = """
async def serve(environ, tracer_provider, stop):
    raise KeyError("+254711000001")
"""

TAKEN = """
from rpc.listening import ListenFailed
async def serve(environ, tracer_provider, stop):
    raise ListenFailed("127.0.0.1:1", "taken")
"""

RETURNS = """
async def serve(environ, tracer_provider, stop):
    pass
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the entry with made-up services: start("all", first=GOOD, second=BROKEN)."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str, drain_seconds: float = LONG_SECONDS, **services: str) -> "subprocess.Popen[str]":
        for name, source in services.items():
            (tmp_path / f"made_up_{name}.py").write_text(source.replace("{name}", name.upper()))
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env={**os.environ, "PYTHONPATH": str(tmp_path), "DRAIN_SECONDS": str(drain_seconds)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def until_serving(process: "subprocess.Popen[str]", services: int) -> None:
    assert process.stderr is not None
    for _ in range(services):
        assert '"event":"serving"' in process.stderr.readline()


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LONG_SECONDS)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_every_service_those_that_others_call_last(start: Start, number: int) -> None:
    process = start("all", first=GOOD, second=GOOD)
    until_serving(process, 2)
    process.send_signal(number)

    code, out, err = end(process)
    assert (code, out) == (0, "SECOND drained\nFIRST drained\n")
    assert err.count('"event":"stopped"') == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_the_process_still_loads_ends_it_at_once(number: int) -> None:
    # What is imported is listed in a pipe that nobody reads on: the process stands still once it is full.
    listing = [sys.executable, "-v", "-m", "services", "all"]
    with subprocess.Popen(listing, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("import 'asyncio'" in line for line in process.stderr)
        process.send_signal(number)
        assert process.wait(timeout=LONG_SECONDS) == 0


def test_only_the_service_that_was_asked_for_is_loaded(start: Start) -> None:
    process = start("first", first=GOOD, second="raise SystemExit('loaded')")
    until_serving(process, 1)
    process.terminate()

    assert end(process)[0] == 0


def test_problems_of_all_configurations_are_listed_together(start: Start) -> None:
    code, _, err = end(start("all", first=WITH_PROBLEMS, second=WITH_PROBLEMS))

    assert code == 2
    assert err.splitlines() == [
        "error: the configuration cannot be used",
        "  NJIA_SHARED: is bad",
        "  NJIA_FIRST: is not set",
        "  NJIA_SECOND: is not set",
    ]


def test_a_configuration_that_cannot_be_used_says_so_beside_a_port_that_is_taken(start: Start) -> None:
    code, _, err = end(start("all", first=WITH_PROBLEMS, second=TAKEN))

    assert code == 2
    assert "NJIA_FIRST: is not set" in err
    assert "error: cannot listen on 127.0.0.1:1: taken" in err


def test_a_service_that_fails_ends_the_others_and_is_logged_masked(start: Start) -> None:
    code, _, err = end(start("all", first=GOOD, second=BROKEN))

    assert code == 1
    assert "KeyError" in err
    assert "711000" not in err


def test_a_service_that_ends_by_itself_is_a_failure(start: Start) -> None:
    code, _, err = end(start("all", first=RETURNS, second=GOOD))

    assert code == 1
    assert "first ended by itself" in err


@pytest.mark.parametrize("source", [SLOW_TO_END, DEAF])
def test_a_service_that_does_not_end_is_given_up_within_a_bound(start: Start, source: str) -> None:
    process = start("first", drain_seconds=0.3, first=source)
    until_serving(process, 1)
    process.terminate()

    code, _, err = end(process)
    assert code == 1
    assert "did not" in err


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    process = start("first", first=SLOW_TO_END)
    until_serving(process, 1)
    process.terminate()
    assert process.stderr is not None
    assert '"event":"stopping"' in process.stderr.readline()
    process.terminate()

    assert end(process)[0] == 128 + signal.SIGTERM


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["validator", "engine"]])
def test_wrong_arguments_are_answered_with_the_usage(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "services", *arguments], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m services NAME")


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "services", "validator"],
            env={**os.environ, "NJIA_VALIDATOR_LISTEN": listen},
            capture_output=True, text=True, check=False, timeout=LONG_SECONDS,
        )  # fmt: skip

    assert done.returncode == 1
    assert f"error: cannot listen on {listen}: " in done.stderr
    assert "set NJIA_VALIDATOR_LISTEN to another one" in done.stderr


def test_two_services_on_one_port_are_named() -> None:
    with pytest.raises(ConfigError) as told:
        check_addresses(
            tuple(TARGETS),
            {
                "NJIA_GATEWAY_LISTEN": "127.0.0.1:50053",
                "NJIA_ENGINE_LISTEN": "127.0.0.1:50053",
                "NJIA_AT_ADAPTER_METRICS_LISTEN": "127.0.0.1:8090",
            },
        )
    assert [problem.split(":")[0] for problem in told.value.problems] == [
        "NJIA_AT_ADAPTER_METRICS_LISTEN",
        "NJIA_ENGINE_LISTEN",
        "NJIA_GATEWAY_LISTEN",
    ]
    assert all("NJIA_SESSIONS_LISTEN" in problem for problem in told.value.problems[1:])
    # One that listens everywhere leaves the port to nobody.
    with pytest.raises(ConfigError) as told:
        check_addresses(["gateway", "engine"], {"NJIA_GATEWAY_LISTEN": "0.0.0.0:50052"})
    assert told.value.problems[0].startswith("NJIA_ENGINE_LISTEN: 127.0.0.1:50052 is that of NJIA_GATEWAY_LISTEN")
    # Each is alone in its process.
    check_addresses(["engine"], {"NJIA_ENGINE_LISTEN": "127.0.0.1:50053"})


def test_services_in_one_process_need_no_key_of_theirs_from_the_operator() -> None:
    assert len(with_targets({"NJIA_API_KEYS": "a line"})["NJIA_SERVICE_KEY"]) >= 32
    assert "NJIA_SERVICE_KEY" not in with_targets({})
    assert with_targets({"NJIA_API_KEYS": "a line", "NJIA_SERVICE_KEY_FILE": "/key"}).get("NJIA_SERVICE_KEY") is None


def test_a_gateway_that_nothing_protects_does_not_start_beyond_this_machine() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services", "gateway"],
        env={**os.environ, "NJIA_GATEWAY_LISTEN": "0.0.0.0:0"},
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert ended.returncode == 2
    assert "NJIA_GATEWAY_LISTEN: 0.0.0.0:0 can be reached from other machines" in ended.stderr
