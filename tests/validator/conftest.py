"""A real validator on a port of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest
from opentelemetry.trace import NoOpTracerProvider

from njia.validator.v1.validator_service_pb2_grpc import (
    ValidatorServiceStub,
    add_ValidatorServiceServicer_to_server,
)
from rpc.channels import open_channel
from rpc.server import start_server
from services.validator.refusals import REFUSALS
from services.validator.server import SERVICE_NAME
from services.validator.servicer import ValidatorServicer

if TYPE_CHECKING:
    # The generated code has this name for type checkers alone.
    from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceAsyncStub


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    """A connection to a validator that serves in this process."""

    async def ready() -> bool:
        return True

    servicer = ValidatorServicer()
    server = await start_server(
        listen="127.0.0.1:0",
        register=lambda server: add_ValidatorServiceServicer_to_server(servicer, server),
        services=(SERVICE_NAME,),
        errors=REFUSALS,
        tracer_provider=NoOpTracerProvider(),
        ready=ready,
    )
    connection = open_channel(f"127.0.0.1:{server.port}", NoOpTracerProvider())
    yield connection
    await connection.close()
    await server.stop(0)
    await asyncio.sleep(0)


@pytest.fixture
def validator(channel: grpc.aio.Channel) -> "ValidatorServiceAsyncStub":
    """The generated client of that validator."""
    return ValidatorServiceStub(channel)
