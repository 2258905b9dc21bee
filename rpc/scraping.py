"""The listener that Prometheus scrapes: GET /metrics and nothing else, apart from what a service serves."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rpc.config import Environment
from rpc.http_server import serve_http
from telemetry.metrics import UNMETERED, Meters

GRACE_SECONDS = 1.0

_log = structlog.get_logger()


@asynccontextmanager
async def scraped(service: str, environ: Mapping[str, str]) -> AsyncIterator[Meters]:
    """
    Serves the metrics of a service while the block runs, on NJIA_<SERVICE>_METRICS_LISTEN; without it there are none.

    Raises:
        ConfigError: The variable is no address.
        ListenFailed: The address is taken.
    """
    environment = Environment(environ)
    listen = environment.optional_listen(f"NJIA_{service.upper()}_METRICS_LISTEN")
    environment.check()
    if listen is None:
        yield UNMETERED
        return
    # The SDK is loaded only where it is used: it costs a quarter of a second at start.
    from telemetry.exposition import CONTENT_TYPE, Exposition

    exposition = Exposition(service)

    async def metrics(_: Request) -> Response:
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
