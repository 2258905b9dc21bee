"""A real engine over a real Valkey, with a real validator, sessions service, AT adapter and emulator, in one loop."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import NoOpTracerProvider

import emulator.config
import emulator.server
from launcher.valkey import free_port
from njia.engine.v1.admin_service_pb2_grpc import AdminServiceStub
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceStub
from njia.workflow.v1 import workflow_pb2
from services.at_adapter import server as at_adapter
from services.engine import server as engine
from services.sessions import server as sessions
from services.validator import server as validator
from tests.engine.service.platform import Flow, Flows, MakeFlow, Platform, StartPlatform

CONFORMANCE = Path(__file__).parents[2] / "conformance"
READY_SECONDS = 30.0


@pytest.fixture
async def platform(redis_url: str) -> AsyncIterator[Platform]:
    async with _running(redis_url, {}) as started:
        yield started


@pytest.fixture
async def start_platform(redis_url: str) -> AsyncIterator[StartPlatform]:
    """Starts the services with settings of the test's own."""
    async with AsyncExitStack() as parts:
        yield lambda **settings: parts.enter_async_context(_running(redis_url, settings))


@asynccontextmanager
async def _running(redis_url: str, settings: Mapping[str, str]) -> AsyncIterator[Platform]:
    listens = {name: f"127.0.0.1:{free_port()}" for name in ("VALIDATOR", "ENGINE", "SESSIONS", "AT_ADAPTER")}
    other_engine = f"127.0.0.1:{free_port()}"
    environ = {
        **{f"NJIA_{name}_LISTEN": listen for name, listen in listens.items()},
        **{f"NJIA_{name}_TARGET": listen for name, listen in listens.items()},
        "NJIA_AT_ADAPTER_CALLBACKS_LISTEN": f"127.0.0.1:{free_port()}",
        "NJIA_REDIS_URL": redis_url,
        "NJIA_ENGINE_DRAIN_SECONDS": "1",
        # All share one loop: what a busy machine holds up for some seconds is neither dead nor lost.
        "NJIA_ENGINE_LEASE_MS": "60000",
        "NJIA_AT_READ_TIMEOUT_MS": "60000",
        "AT_API_KEY": "emulator",
        **settings,
    }
    async with AsyncExitStack() as parts:
        phone_network = emulator.config.from_env({"NJIA_EMULATOR_LISTEN": "127.0.0.1:0"})
        environ["AT_BASE_URL"] = await parts.enter_async_context(emulator.server.running(phone_network))
        stops = {name: asyncio.Event() for name in listens}
        serving = [
            asyncio.create_task(module.serve(environ, NoOpTracerProvider(), stops[name]))
            for name, module in (
                ("VALIDATOR", validator),
                ("SESSIONS", sessions),
                ("AT_ADAPTER", at_adapter),
                ("ENGINE", engine),
            )
        ]
        stops["OTHER"] = asyncio.Event()
        environ_of_other = {**environ, "NJIA_ENGINE_LISTEN": other_engine}
        serving.append(asyncio.create_task(engine.serve(environ_of_other, NoOpTracerProvider(), stops["OTHER"])))
        listens["OTHER"] = other_engine
        channels = {name: grpc.aio.insecure_channel(listen) for name, listen in listens.items()}
        for channel in channels.values():
            parts.push_async_callback(channel.close)
        await asyncio.gather(*(_serving(channel) for channel in channels.values()))
        yield Platform(
            EngineServiceStub(channels["ENGINE"]),
            EngineServiceStub(channels["OTHER"]),
            WorkflowServiceStub(channels["ENGINE"]),
            SessionServiceStub(channels["SESSIONS"]),
            environ["AT_BASE_URL"],
            stops["VALIDATOR"],
            stops["ENGINE"],
            AdminServiceStub(channels["ENGINE"]),
            WorkflowServiceStub(channels["OTHER"]),
        )
        for stop in stops.values():
            stop.set()
        await asyncio.gather(*serving)


async def _serving(channel: grpc.aio.Channel) -> None:
    check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
    async with asyncio.timeout(READY_SECONDS):
        while True:
            answer = await check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def conformance() -> Flows:
    """A flow that was written elsewhere, by name."""
    return lambda name: workflow_pb2.WorkflowSource(workflow_json=(CONFORMANCE / f"{name}.json").read_text())


@pytest.fixture
def flow() -> MakeFlow:
    """Makes a flow of a trigger, nodes and edges written as source > target."""

    def make(
        workflow_id: str, trigger: Mapping[str, Any], nodes: list[Flow], edges: list[str], **more: Any
    ) -> workflow_pb2.WorkflowSource:
        document = {
            "metadata": {
                "workflowId": workflow_id,
                "version": 1,
                "name": workflow_id,
                "description": "for a test",
                "createdBy": "tests",
                "createdAt": "2026-01-01T00:00:00Z",
            },
            "trigger": {"id": "start", "config": {}, **trigger},
            "nodes": nodes,
            "edges": [dict(zip(("source", "target"), edge.split(" > "), strict=True)) for edge in edges],
            **more,
        }
        return workflow_pb2.WorkflowSource(workflow_json=json.dumps(document))

    return make
