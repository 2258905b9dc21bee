"""Providers that keep their spans, and servers to make some."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import TracerProvider as ApiTracerProvider

from njia.sessions.v1 import sessions_service_pb2_grpc as stubs
from rpc.server import GrpcServer, start_server

SESSIONS = "njia.sessions.v1.SessionService"

StartSessions = Callable[[stubs.SessionServiceServicer, ApiTracerProvider], Awaitable[str]]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ended, of all providers of the test."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    """A provider that records."""
    recording = TracerProvider(shutdown_on_exit=False)
    recording.add_span_processor(SimpleSpanProcessor(spans))
    return recording


@pytest.fixture
async def start_sessions() -> AsyncIterator[StartSessions]:
    """Starts servers with a SessionService: target = await start_sessions(servicer, tracer_provider)."""
    servers: list[GrpcServer] = []

    async def ready() -> bool:
        return True

    async def start(servicer: Any, tracer_provider: ApiTracerProvider) -> str:
        server = await start_server(
            listen="127.0.0.1:0",
            register=lambda server: stubs.add_SessionServiceServicer_to_server(servicer, server),
            services=[SESSIONS],
            errors={},
            tracer_provider=tracer_provider,
            ready=ready,
        )
        servers.append(server)
        return f"127.0.0.1:{server.port}"

    yield start
    for server in servers:
        await server.stop(0)
