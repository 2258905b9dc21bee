"""The engine's way to the validator, over a real channel to a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from opentelemetry.trace import NoOpTracerProvider

from launcher.valkey import free_port
from njia.engine.v1 import engine_service_pb2 as engine_pb
from njia.validator.v1 import validator_service_pb2 as pb
from njia.validator.v1.validator_service_pb2_grpc import (
    ValidatorServiceStub,
    add_ValidatorServiceServicer_to_server,
)
from njia.workflow.v1 import workflow_pb2
from rpc.channels import open_channel
from services.engine.adapters import validator_grpc
from services.engine.adapters.validator_grpc import ValidatorClient
from services.engine.errors import ValidatorUnavailable
from services.validator.servicer import ValidatorServicer
from tests.engine.service.platform import Flows, MakeFlow, StartPlatform

TRACING = NoOpTracerProvider()


class Slow(ValidatorServicer):
    """
    A validator that takes its time for flows that hold the word slow.

    Attributes:
        asked: Set once it was asked for one.
        enough: Lets it answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.enough = asyncio.Event(), asyncio.Event()

    async def CompileWorkflow(self, request: pb.CompileWorkflowRequest, context: Any) -> pb.CompileWorkflowResponse:
        if "slow" in request.source.workflow_json:
            self.asked.set()
            await self.enough.wait()
        return await super().CompileWorkflow(request, context)


@asynccontextmanager
async def validating(listen: str, servicer: ValidatorServicer | None = None) -> AsyncIterator[None]:
    """A validator that takes calls, and is there within a moment."""
    server = grpc.aio.server()
    add_ValidatorServiceServicer_to_server(servicer or ValidatorServicer(), server)
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


async def test_a_flow_that_compiles_slowly_keeps_no_other_waiting(
    start_platform: StartPlatform, flow: MakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validator_grpc, "CALL_SECONDS", 40.0)
    listen, slow = f"127.0.0.1:{free_port()}", Slow()
    check = {"id": "check", "type": "CONDITION", "config": {"expression": "1 == 1"}}

    def execute(name: str) -> engine_pb.ExecuteRequest:
        return engine_pb.ExecuteRequest(workflow=flow(name, {"type": "SMS_RECEIVED"}, [check], ["start > check"]))

    async with validating(listen, slow):
        platform = await start_platform(NJIA_VALIDATOR_TARGET=listen)
        waiting: Any = platform.engine.Execute(execute("slow"), timeout=60)
        await slow.asked.wait()
        quick = await platform.engine.Execute(execute("quick"), timeout=60)
        assert not waiting.done()
        slow.enough.set()
        last = await waiting
    assert quick.result.status == last.result.status == workflow_pb2.EXECUTION_STATUS_COMPLETED
