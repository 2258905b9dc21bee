"""
The listener that Prometheus scrapes: GET /metrics and nothing else, apart from what a service serves.

It is protected as all else: where there are keys it asks for one with the scope `read`, and where there are none it
listens on this machine alone.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import grpc
import structlog
from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rpc.callers import Scope
from rpc.config import Environment
from rpc.guard import Guard, only_one
from rpc.http_server import serve_http
from rpc.protection import read_protection
from rpc.status import CallRefused
from telemetry.metrics import UNMETERED, Meters

GRACE_SECONDS = 1.0

_REFUSED = {
    grpc.StatusCode.UNAUTHENTICATED: (401, {"WWW-Authenticate": "Bearer"}),
    grpc.StatusCode.PERMISSION_DENIED: (403, {}),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (429, {"Retry-After": "1"}),
}
"""What the guard refuses with, over HTTP."""

_log = structlog.get_logger()


@asynccontextmanager
async def scraped(service: str, environ: Mapping[str, str]) -> AsyncIterator[Meters]:
    """
    Serves the metrics of a service while the block runs, on NJIA_<SERVICE>_METRICS_LISTEN; without it there are none.

    Raises:
        ConfigError: The variable is no address, or one that other machines reach and nothing protects.
        ListenFailed: The address is taken.
    """
    environment = Environment(environ)
    name = f"NJIA_{service.upper()}_METRICS_LISTEN"
    listen = environment.optional_listen(name)
    environment.check()
    if listen is None:
        yield UNMETERED
        return
    guard = read_protection(environment, grpc={}, http={name: listen}).guard()
    environment.check()
    # The SDK is loaded only where it is used: it costs a quarter of a second at start.
    from telemetry.exposition import CONTENT_TYPE, Exposition

    exposition = Exposition(service)

    async def metrics(request: Request) -> Response:
        refusal = _refusal(guard, request)
        if refusal is not None:
            return refusal
        return Response(await exposition.text(), headers={"Content-Type": CONTENT_TYPE})

    # Its own stop: the last scrape of a service that drains is the one that says how it went.
    server = await serve_http(
        Starlette(routes=[Route("/metrics", metrics)]),
        listen=listen,
        stop=asyncio.Event(),
        tracer_provider=NoOpTracerProvider(),
        grace_seconds=GRACE_SECONDS,
    )
    _log.info("metrics", port=server.port)
    try:
        yield exposition.meters
    finally:
        await server.stop()
        exposition.close()


def _refusal(guard: Guard | None, request: Request) -> Response | None:
    """Returns what a scrape without a key that may read is answered; None where it may go on."""
    if guard is None:
        return None
    try:
        guard.admit(only_one(request.headers.getlist("authorization")), Scope.READ)
    except CallRefused as problem:
        status, headers = _REFUSED[problem.refusal.code]
        return PlainTextResponse(f"{problem.refusal.message}\n", status, headers)
    return None
