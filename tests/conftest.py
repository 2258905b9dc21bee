"""What every layer of tests shares: one real Valkey server a test run and one real cluster, empty for each test."""

import os

# gRPC's fork handlers run in a child before it becomes its own program, sometimes abort it there, and write lines of
# their own into its log. The processes that tests start never use gRPC between fork and exec. gRPC reads this as it is
# imported, so it stands above everything that may import it.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"

import asyncio
import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

import launcher.stack
import rpc.readiness
import storage.connection
from launcher import valkey
from tests import valkey_cluster as valkey_cluster_process

# Thousands of tests are collected, and none of what they are made of is garbage before they have run.
gc.disable()

# A shell starts what runs in its background with Ctrl-C ignored, and processes hand that on. Those that tests start are
# pressed Ctrl-C in as at a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A port is taken some time after it was found free, and another worker must not find it free meanwhile.
MOST_WORKERS = 8
valkey.FREE_PORTS = valkey.FREE_PORTS[
    int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % MOST_WORKERS :: MOST_WORKERS
]

# In the processes of the tests everybody shares one event loop, and a busy machine is no reason to fail.
storage.connection.CONNECT_SECONDS = 30.0
storage.connection.POOL_WAIT_SECONDS = 60.0
storage.connection.ANSWER_SECONDS = 60.0
storage.connection.LOOK_SECONDS = 30.0
rpc.readiness.ANSWER_WITHIN_SECONDS = 30.0
launcher.stack.READY_WITHIN_SECONDS = 240.0
valkey.READY_WITHIN_SECONDS = 60.0

# Nor is it one for Hypothesis, whose deadline for an example is 0.2 s.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

# The tracebacks of structlog's own default show every variable, and hold up the event loop for a second each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

ONE_SERVER, CLUSTER = "one server", "cluster"


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[valkey.ValkeyServer]:
    """A real Valkey process that lives as long as the test run."""
    directory: Path = tmp_path_factory.mktemp("valkey")
    server = asyncio.run(valkey.start(directory, valkey.free_port(), fsync="no"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[valkey_cluster_process.ValkeyCluster]:
    """A real cluster of three masters that lives as long as the test run."""
    cluster = asyncio.run(valkey_cluster_process.start(tmp_path_factory.mktemp("cluster")))
    yield cluster
    cluster.stop()


@pytest.fixture
def store_kind() -> str:
    """What `redis_url` is the address of: one server; tests marked with also_on_a_cluster run on a cluster too."""
    return ONE_SERVER


@pytest.fixture
def running_store(
    store_kind: str, request: pytest.FixtureRequest
) -> valkey.ValkeyServer | valkey_cluster_process.ValkeyCluster:
    """The server or the cluster that `redis_url` names, whatever it holds."""
    store: valkey.ValkeyServer | valkey_cluster_process.ValkeyCluster = request.getfixturevalue(
        "valkey_cluster" if store_kind == CLUSTER else "valkey_server"
    )
    return store


@pytest.fixture
async def redis_url(running_store: valkey.ValkeyServer | valkey_cluster_process.ValkeyCluster) -> str:
    """The address of an empty Redis."""
    if isinstance(running_store, valkey_cluster_process.ValkeyCluster):
        await running_store.empty()
    else:
        async with Redis.from_url(running_store.url) as client:
            await client.flushall()
    return running_store.url


@pytest.fixture
def impatient_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what asks a store that says nothing."""
    monkeypatch.setattr("storage.connection.ANSWER_SECONDS", 2.0)
    monkeypatch.setattr("storage.connection.LOOK_SECONDS", 0.8)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs the tests that are marked so against both kinds of store."""
    if metafunc.definition.get_closest_marker("also_on_a_cluster") and "redis_url" in metafunc.fixturenames:
        metafunc.parametrize("store_kind", [ONE_SERVER, CLUSTER])


def pytest_collection_finish() -> None:
    """What was collected stays: the collector of garbage need not look at it again and again."""
    gc.freeze()
    gc.enable()


LONG_FIRST = ("chaos", "e2e", "cluster", "engine/restarts", "launcher", "engine/service")
"""Folders whose files take long, the longest first; so none of them is left to one worker when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes long before the rest. Files go to the workers in this order."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.parent.relative_to(tests).as_posix()
        return next((at for at, long in enumerate(LONG_FIRST) if folder.startswith(long)), len(LONG_FIRST))

    items.sort(key=place)
