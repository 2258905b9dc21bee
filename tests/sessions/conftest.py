"""Stores of every kind, and the service over a real gRPC connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import NoOpTracerProvider

from launcher import valkey
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceStub, add_SessionServiceServicer_to_server
from rpc.channels import open_channel
from rpc.server import start_server
from services.sessions.memory_store import MemorySessionStore
from services.sessions.redis_store import RedisSessionStore
from services.sessions.refusals import REFUSALS
from services.sessions.server import SERVICE_NAME, serve
from services.sessions.servicer import SessionServicer
from services.sessions.store import SessionStore
from storage.connection import Client, connect
from tests import valkey_cluster

if TYPE_CHECKING:
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub

RETENTION_MS = 60_000
DEFAULT_TTL_MS = 300_000

Trips = Callable[[Awaitable[Any]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Service:
    """
    A running service.

    Attributes:
        sessions: Its stub.
        health: The stub of its health service.
    """

    sessions: "SessionServiceAsyncStub"
    health: Any

    async def status(self) -> int:
        """What health says now."""
        request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        answer = await self.health.Check(request, timeout=30)
        return int(answer.status)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    """A client of an empty Redis."""
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(params=["memory", "one server", "cluster"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """Where the data of `store` is; None in memory."""
    match request.param:
        case "one server":
            server: valkey.ValkeyServer = request.getfixturevalue("valkey_server")
            return server.url
        case "cluster":
            cluster: valkey_cluster.ValkeyCluster = request.getfixturevalue("valkey_cluster")
            return cluster.url
    return None


@pytest.fixture
async def store(store_url: str | None) -> AsyncIterator[SessionStore]:
    """An empty store, of each kind in turn."""
    if store_url is None:
        yield MemorySessionStore(RETENTION_MS)
        return
    client = connect(store_url)
    await client.flushall()
    yield RedisSessionStore(client, RETENTION_MS)
    await client.aclose()


@pytest.fixture
async def sessions(client: Client) -> AsyncIterator["SessionServiceAsyncStub"]:
    """The service on an empty Redis that nothing else asks, over a real connection."""
    async with _serve_sessions(client) as stub:
        yield stub


@pytest.fixture
async def sessions_without_redis() -> AsyncIterator["SessionServiceAsyncStub"]:
    """The service where no Redis listens."""
    client = connect(f"redis://127.0.0.1:{valkey.free_port()}/0")
    async with _serve_sessions(client) as stub:
        yield stub
    await client.aclose()


@asynccontextmanager
async def _serve_sessions(client: Client) -> AsyncIterator["SessionServiceAsyncStub"]:
    servicer = SessionServicer(RedisSessionStore(client, RETENTION_MS), DEFAULT_TTL_MS)

    async def ready() -> bool:
        return True

    server = await start_server(
        listen="127.0.0.1:0",
        register=lambda server: add_SessionServiceServicer_to_server(servicer, server),
        services=[SERVICE_NAME],
        errors=REFUSALS,
        tracer_provider=NoOpTracerProvider(),
        ready=ready,
    )
    async with open_channel(f"127.0.0.1:{server.port}", NoOpTracerProvider()) as channel:
        yield SessionServiceStub(channel)
    await server.stop(0)


@pytest.fixture
def run_service() -> Callable[[dict[str, str]], AbstractAsyncContextManager[Service]]:
    """Runs the whole service with an environment."""
    return _run_service


@asynccontextmanager
async def _run_service(environ: dict[str, str]) -> AsyncIterator[Service]:
    listen = f"127.0.0.1:{valkey.free_port()}"
    stop = asyncio.Event()
    running = asyncio.create_task(serve({"NJIA_SESSIONS_LISTEN": listen, **environ}, NoOpTracerProvider(), stop))
    async with open_channel(listen, NoOpTracerProvider()) as channel:
        await asyncio.wait({running, asyncio.ensure_future(_connected(channel))}, return_when="FIRST_COMPLETED")
        yield Service(SessionServiceStub(channel), health_pb2_grpc.HealthStub(channel))
    stop.set()
    await asyncio.wait_for(running, 30)


async def _connected(channel: grpc.aio.Channel) -> None:
    await asyncio.wait_for(channel.channel_ready(), 30)


@pytest.fixture
async def round_trips(client: Client) -> Trips:
    """
    Counts the round trips to Redis of a call: how often the server read from its connections.

    Nothing else may talk to the server meanwhile. The connections and scripts that the call needs must be known from
    an earlier call.
    """

    async def count(call: Awaitable[Any]) -> int:
        before = await _reads(client)
        await call
        # The reading of the counter itself is one.
        return await _reads(client) - before - 1

    return count


async def _reads(client: Client) -> int:
    return int((await client.info("stats"))["total_reads_processed"])


@pytest.fixture
def data_directory(tmp_path: Path) -> Path:
    """Where a server of the test's own keeps its data."""
    return tmp_path / "valkey"
