"""The engine's way to the validator, over a real channel to a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from opentelemetry.trace import NoOpTracerProvider

from launcher.valkey import free_port
from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceStub
from rpc.channels import open_channel
from services.engine.adapters.validator_grpc import ValidatorClient
from services.engine.errors import ValidatorUnavailable
from services.validator import server as validator
from tests.engine.service.platform import Flows

TRACING = NoOpTracerProvider()


@asynccontextmanager
async def validating(listen: str) -> AsyncIterator[None]:
    """A validator that takes calls."""
    stop = asyncio.Event()
    serving = asyncio.create_task(validator.serve({"NJIA_VALIDATOR_LISTEN": listen}, TRACING, stop))
    async with grpc.aio.insecure_channel(listen) as probe:
        await probe.channel_ready()
    yield
    stop.set()
    await serving


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
