"""The parts of the validator, and how they hang together."""

import asyncio
from collections.abc import Mapping

import structlog
from opentelemetry.trace import TracerProvider

from njia.validator.v1.validator_service_pb2_grpc import add_ValidatorServiceServicer_to_server
from rpc.scraping import scraped
from rpc.server import start_server
from services.validator.access import SCOPES
from services.validator.config import ValidatorConfig
from services.validator.refusals import REFUSALS
from services.validator.servicer import ValidatorServicer

SERVICE_NAME = "njia.validator.v1.ValidatorService"
GRACE_SECONDS = 10.0
"""How long calls that run may take to finish after the stop."""

_log = structlog.get_logger()


async def serve(environ: Mapping[str, str], tracer_provider: TracerProvider, stop: asyncio.Event) -> None:
    """
    Serves until `stop` is set, then drains.

    Raises:
        ConfigError: The environment does not make a configuration.
        ListenFailed: The address is taken.
    """
    config = ValidatorConfig.from_env(environ)
    servicer = ValidatorServicer()
    async with scraped("validator", environ) as meters:
        server = await start_server(
            listen=config.listen,
            register=lambda server: add_ValidatorServiceServicer_to_server(servicer, server),
            services=(SERVICE_NAME,),
            errors=REFUSALS,
            tracer_provider=tracer_provider,
            ready=_always_ready,
            protection=config.protection,
            scopes=SCOPES,
            meters=meters,
        )
        _log.info("serving", port=server.port)
        try:
            await stop.wait()
        finally:
            await server.stop(GRACE_SECONDS)


async def _always_ready() -> bool:
    """The validator needs nobody and keeps nothing."""
    return True
