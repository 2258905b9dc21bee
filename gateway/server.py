"""The parts of the gateway, and how they hang together."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import grpc
import structlog
from grpc_health.v1.health_pb2_grpc import HealthStub
from opentelemetry.trace import TracerProvider

from gateway.app import gateway_app
from gateway.clients import Clients
from gateway.config import GatewayConfig
from njia.engine.v1.admin_service_pb2_grpc import AdminServiceStub
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceStub
from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceStub
from rpc.channels import open_channel
from rpc.http_server import serve_http
from telemetry.exposition import Exposition

GRACE_SECONDS = 10.0

_log = structlog.get_logger()


async def serve(environ: Mapping[str, str], tracer_provider: TracerProvider, stop: asyncio.Event) -> None:
    """
    Serves until `stop` is set, then drains.

    Raises:
        ConfigError: The environment does not make a configuration.
        ListenFailed: The address is taken.
    """
    config = GatewayConfig.from_env(environ)
    async with AsyncExitStack() as parts:

        def channel(target: str) -> grpc.aio.Channel:
            opened = open_channel(target, tracer_provider, config.protection)
            parts.push_async_callback(opened.close)
            return opened

        validator, engine = channel(config.validator_target), channel(config.engine_target)
        sessions, at_adapter = channel(config.sessions_target), channel(config.at_adapter_target)
        clients = Clients(
            validator=ValidatorServiceStub(validator),
            engine=EngineServiceStub(engine),
            workflows=WorkflowServiceStub(engine),
            admin=AdminServiceStub(engine),
            sessions=SessionServiceStub(sessions),
            health={
                "validator": HealthStub(validator),
                "engine": HealthStub(engine),
                "sessions": HealthStub(sessions),
                "at_adapter": HealthStub(at_adapter),
            },
        )
        exposition = Exposition("gateway")
        parts.callback(exposition.close)
        app = gateway_app(clients, config.max_body_bytes, stop, config.protection.guard(), config.cors_origins)
        app.state.exposition = exposition
        server = await serve_http(
            app,
            listen=config.listen,
            stop=stop,
            tracer_provider=tracer_provider,
            grace_seconds=GRACE_SECONDS,
            tls=config.tls,
            meters=exposition.meters,
        )
        parts.push_async_callback(server.stop)
        _log.info("serving", port=server.port, asks_for_keys=config.protection.asks_for_keys)
        await stop.wait()
