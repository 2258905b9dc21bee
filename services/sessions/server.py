"""The parts of the sessions service, and how they hang together."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

import structlog
from opentelemetry.trace import TracerProvider

from njia.sessions.v1.sessions_service_pb2_grpc import add_SessionServiceServicer_to_server
from rpc.callers import caller_name
from rpc.scraping import scraped
from rpc.server import start_server
from rpc.tasks import end_task
from services.sessions.access import SCOPES
from services.sessions.audited import AUDITED
from services.sessions.config import SessionsConfig
from services.sessions.index_upkeep import IndexUpkeep
from services.sessions.redis_store import RedisSessionStore
from services.sessions.refusals import REFUSALS
from services.sessions.servicer import SessionServicer
from storage.audit import AuditLog, noting
from storage.connection import connect, disconnect
from storage.outages import Store

SERVICE_NAME = "njia.sessions.v1.SessionService"
GRACE_SECONDS = 10.0
"""How long calls that run may take to finish after the stop."""

_log = structlog.get_logger()


async def serve(environ: Mapping[str, str], tracer_provider: TracerProvider, stop: asyncio.Event) -> None:
    """
    Serves until `stop` is set, then drains.

    Redis may be down at the start: calls fail with UNAVAILABLE, and health says NOT_SERVING, until it answers.

    Raises:
        ConfigError: The environment does not make a configuration.
        ListenFailed: The address is taken.
    """
    config = SessionsConfig.from_env(environ)
    retention_ms = config.retention_seconds * 1000
    async with AsyncExitStack() as parts:
        meters = await parts.enter_async_context(scraped("sessions", environ))
        client = connect(config.redis_url)
        parts.push_async_callback(disconnect, client)
        upkeep = asyncio.create_task(IndexUpkeep(client, retention_ms).run())
        parts.push_async_callback(end_task, upkeep)
        servicer = SessionServicer(RedisSessionStore(client, retention_ms), config.ttl_seconds * 1000)
        server = await start_server(
            listen=config.listen,
            register=lambda server: add_SessionServiceServicer_to_server(servicer, server),
            services=(SERVICE_NAME,),
            errors=REFUSALS,
            tracer_provider=tracer_provider,
            ready=Store(client, config.redis_url).answers,
            protection=config.protection,
            scopes=SCOPES,
            afterwards=noting(AuditLog(client), AUDITED, caller_name, _now_ms),
            meters=meters,
        )
        parts.push_async_callback(server.stop, GRACE_SECONDS)
        _log.info("serving", port=server.port)
        await stop.wait()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
