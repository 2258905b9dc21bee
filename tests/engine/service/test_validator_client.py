"""The engine's way to the validator, over a real channel to a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from opentelemetry.trace import NoOpTracerProvider

from launcher.valkey import free_port
from njia.validator.v1.validator_service_pb2_grpc import (
    ValidatorServiceStub,
    add_ValidatorServiceServicer_to_server,
)
from rpc.channels import open_channel
from services.engine.adapters.validator_grpc import ValidatorClient
from services.engine.errors import ValidatorUnavailable
from services.validator.servicer import ValidatorServicer
from tests.engine.service.platform import Flows

TRACING = NoOpTracerProvider()


@asynccontextmanager
async def validating(listen: str) -> AsyncIterator[None]:
    """A validator that takes calls, and is there within a moment."""
    server = grpc.aio.server()
    add_ValidatorServiceServicer_to_server(ValidatorServicer(), server)
    server.add_insecure_port(listen)
    await server.start()
    yield
    await server.stop(None)


async def test_a_validator_that_was_restarted_is_found_by_the_first_call(conformance: Flows) -> None:
    listen, flow = f"127.0.0.1:{free_port()}", conformance("sms-echo")
    async with open_channel(listen, TRACING) as channel:
        client = ValidatorClient(ValidatorServiceStub(channel))
        async with validating(listen):
            await client.compile(flow)
        with pytest.raises(ValidatorUnavailable):
            await client.compile(flow)
        async with validating(listen):
            # The channel pauses between two connects, and knows nothing of the new server.
            graph, _ = await client.compile(flow)
    assert graph.workflow_id == "example-sms-workflow-1"
