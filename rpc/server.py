"""A gRPC server as every service runs it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from opentelemetry.trace import TracerProvider

from rpc import reflection
from rpc.authentication import Authentication
from rpc.callers import Scope
from rpc.interceptors import Afterwards, RefusalInterceptor
from rpc.limits import LONGEST_CALL_MS, LONGEST_CONNECTION_MS, MAX_MESSAGE_BYTES, SHORTEST_PING_INTERVAL_MS
from rpc.listening import ListenFailed, parse_listen
from rpc.protection import UNPROTECTED, Protection
from rpc.readiness import Readiness
from rpc.status import ErrorTable
from rpc.tasks import end_task
from rpc.tls import Tls
from telemetry import grpc_metrics, grpc_tracing
from telemetry.instruments import TLS_CERTIFICATE_END
from telemetry.metrics import UNMETERED, Meters

MAX_CONCURRENT_CALLS = 2000
"""Calls of the services that run at once; a call beyond is refused with SERVER_BUSY and RetryInfo."""

CALLS_HEADROOM = 500
"""Calls beyond those, so that refusals and health checks get through; beyond it gRPC itself refuses, without reason."""

OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.http2.min_ping_interval_without_data_ms", SHORTEST_PING_INTERVAL_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_connection_age_ms", LONGEST_CONNECTION_MS),
    ("grpc.max_connection_age_grace_ms", LONGEST_CALL_MS),
    # Without this a second process takes the same port silently and gets a part of the calls.
    ("grpc.so_reuseport", 0),
)
"""Channel arguments of every server."""


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """
    A server that answers calls.

    Attributes:
        port: The TCP port that it took.
    """

    port: int
    _server: grpc.aio.Server
    _readiness: Readiness
    _following: asyncio.Task[None]

    async def stop(self, grace_seconds: float) -> None:
        """
        Takes no new call, lets those that run finish, and ends.

        Health says NOT_SERVING from the start, and calls are still taken for the moment in which clients that follow
        it leave. A call that runs for more than `grace_seconds` after that is cancelled.
        """
        await self._readiness.send_away()
        await end_task(self._following)
        await self._server.stop(grace_seconds)


async def start_server(
    *,
    listen: str,
    register: Callable[[grpc.aio.Server], None],
    services: Sequence[str],
    errors: ErrorTable,
    tracer_provider: TracerProvider,
    ready: Callable[[], Awaitable[bool]],
    protection: Protection = UNPROTECTED,
    scopes: Mapping[str, Scope] = MappingProxyType({}),
    afterwards: Mapping[str, Afterwards] = MappingProxyType({}),
    meters: Meters = UNMETERED,
) -> GrpcServer:
    """
    Starts a server with health service, reflection, tracing, deadlines, keys and the translation of errors.

    Args:
        listen: Address to bind, host:port; port 0 takes any free one.
        register: Adds the servicers.
        services: Full names of the services registered, such as njia.engine.v1.EngineService.
        errors: The refusal of every domain error that a servicer may raise.
        tracer_provider: Where the spans of the calls go; nothing is installed when it does not record.
        ready: Asked every second; health says NOT_SERVING when it answers false, raises or takes too long.
        protection: Who may call, and the certificate.
        scopes: What each method asks for, by its full name; ADMIN where it is not listed.
        afterwards: What is done behind a method that has succeeded, by its full name.
        meters: Where the times of the calls go, and when the certificate ends; nothing is installed where nobody looks.

    Raises:
        ListenFailed: The address is taken or not of this machine.
    """
    guard = protection.guard()
    if protection.tls is not None:
        ends_at = protection.tls.ends_at
        meters.read(TLS_CERTIFICATE_END, lambda: ends_at)
    server = grpc.aio.server(
        interceptors=(
            *(() if guard is None else (Authentication(guard, scopes),)),
            *grpc_metrics.server_interceptors(meters),
            *grpc_tracing.server_interceptors(tracer_provider),
            RefusalInterceptor(services, errors, MAX_CONCURRENT_CALLS, afterwards),
        ),
        options=OPTIONS,
        maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS + CALLS_HEADROOM,
    )
    register(server)
    readiness = Readiness(services, ready)
    health_pb2_grpc.add_HealthServicer_to_server(readiness.servicer, server)
    reflection.enable(server, (*services, health.SERVICE_NAME))
    port = _bind(server, listen, protection.tls)
    await readiness.publish()
    await readiness.take_calls()
    try:
        await server.start()
    except BaseException:
        # Another service of the process failed meanwhile: a server that nobody stops complains after the loop is gone.
        await server.stop(None)
        raise
    return GrpcServer(port, server, readiness, asyncio.create_task(readiness.follow()))


def _bind(server: grpc.aio.Server, listen: str, tls: Tls | None) -> int:
    credentials = None if tls is None else tls.server_credentials()
    try:
        parse_listen(listen)
        if credentials is None:
            return server.add_insecure_port(listen)
        return server.add_secure_port(listen, credentials)
    except ValueError as problem:
        raise ListenFailed(listen, str(problem)) from None
    except RuntimeError:
        raise ListenFailed(listen, "the port is in use, or the address is not of this machine") from None
