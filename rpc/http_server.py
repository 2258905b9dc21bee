"""An HTTP server as the gateway and the callback listener run it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from opentelemetry.trace import TracerProvider

from rpc.http_connection import MAX_CONNECTIONS, PATIENCE, Patience, Terms, connections, refuse_for_want_of_room
from rpc.listening import ListenFailed, parse_listen
from rpc.tls import HttpTls
from telemetry import http_metrics, http_tracing
from telemetry.instruments import TLS_CERTIFICATE_END
from telemetry.metrics import UNMETERED, Meters

KEEP_ALIVE_SECONDS = 75
"""An idle connection is closed after it; longer than the idle time of the usual load balancers (60)."""

ACCEPT_BACKLOG = 1024
"""Connections that the kernel holds until they are accepted."""

_POLL_SECONDS = 0.01


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own: only the process entry listens to signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class HttpServer:
    """
    A server that answers requests.

    Attributes:
        port: The TCP port that it took.
    """

    port: int
    _server: uvicorn.Server
    _serving: asyncio.Task[None]
    _stopping: asyncio.Task[None]

    async def stop(self) -> None:
        """Takes no new request, lets those that run finish within the grace time, and ends."""
        self._stopping.cancel()
        with suppress(asyncio.CancelledError):
            await self._stopping
        self._server.should_exit = True
        await self._serving


async def serve_http(
    app: http_tracing.App,
    *,
    listen: str,
    stop: asyncio.Event,
    tracer_provider: TracerProvider,
    grace_seconds: float,
    tls: HttpTls | None = None,
    meters: Meters = UNMETERED,
    patience: Patience = PATIENCE,
    max_connections: int = MAX_CONNECTIONS,
) -> HttpServer:
    """
    Starts a server and returns once it accepts connections.

    Args:
        app: The ASGI application. Its lifespan events are not sent; the caller builds and closes what it needs.
        listen: Address to bind, host:port; port 0 takes any free one.
        stop: Once set, the server takes no new request and drains by itself.
        tracer_provider: Where the spans of the requests go; nothing is installed when it does not record.
        grace_seconds: How long requests that run may take to finish after the stop; then they are cancelled.
        tls: Certificate and key; None: plain HTTP.
        meters: Where the times of the requests go, and when the certificate ends; nothing is installed where nobody
            looks.
        patience: How long a client may take for what it sends.
        max_connections: Connections and requests at once; a request beyond it is answered 503.

    Raises:
        ListenFailed: The address is taken or not of this machine.
    """
    listener = _bind(listen)
    port: int = listener.getsockname()[1]
    if tls is not None:
        ends_at = tls.ends_at
        meters.read(TLS_CERTIFICATE_END, lambda: ends_at)
    refusing = http_metrics.measured(refuse_for_want_of_room, meters)
    server = _Server(
        uvicorn.Config(
            http_metrics.measured(http_tracing.traced(app, tracer_provider), meters),
            http=connections(Terms(patience, max_connections, refusing)),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=ACCEPT_BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, round(grace_seconds)),
            ssl_context_factory=None if tls is None else lambda *_: tls.context,
        )
    )
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        if serving.done():
            await serving
            raise ListenFailed(listen, "the HTTP server ended at once")
        await asyncio.sleep(_POLL_SECONDS)
    return HttpServer(port, server, serving, asyncio.create_task(_stop_when(stop, server)))


async def _stop_when(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True


def _bind(listen: str) -> socket.socket:
    try:
        host, port = parse_listen(listen)
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except ValueError as problem:
        raise ListenFailed(listen, str(problem)) from None
    except socket.gaierror as problem:
        raise ListenFailed(listen, problem.strerror or "the host is not known") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Listening now makes a taken port show here and not inside of uvicorn, which would end the process.
        listener.listen(ACCEPT_BACKLOG)
    except OSError as problem:
        listener.close()
        raise ListenFailed(listen, problem.strerror or str(problem)) from None
    listener.setblocking(False)
    return listener
