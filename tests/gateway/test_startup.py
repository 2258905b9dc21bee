"""How the gateway starts and stops."""

import asyncio

import httpx
import pytest
from opentelemetry.trace import NoOpTracerProvider

from gateway import server
from gateway.config import GatewayConfig
from launcher.valkey import free_port
from njia.engine.v1 import engine_service_pb2 as pb
from rpc.config import ConfigError
from rpc.listening import ListenFailed
from rpc.protection import UNPROTECTED
from tests.gateway.serving import Context, Engine


def test_an_empty_environment_is_a_gateway_for_this_machine() -> None:
    assert GatewayConfig.from_env({}) == GatewayConfig(
        listen="127.0.0.1:8080",
        validator_target="127.0.0.1:50051",
        engine_target="127.0.0.1:50052",
        sessions_target="127.0.0.1:50053",
        at_adapter_target="127.0.0.1:50054",
        max_body_bytes=1_048_576,
        cors_origins=(),
        tls=None,
        protection=UNPROTECTED,
    )


def test_every_problem_of_an_environment_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        GatewayConfig.from_env(
            {"NJIA_GATEWAY_LISTEN": "everywhere", "NJIA_ENGINE_TARGET": "engine", "NJIA_MAX_BODY_BYTES": "1"}
        )

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "NJIA_GATEWAY_LISTEN",
        "NJIA_ENGINE_TARGET",
        "NJIA_MAX_BODY_BYTES",
    ]


async def test_an_address_that_is_taken_is_told_by_name() -> None:
    taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    listen = f"127.0.0.1:{taken.sockets[0].getsockname()[1]}"

    with pytest.raises(ListenFailed, match=listen):
        await server.serve({"NJIA_GATEWAY_LISTEN": listen}, NoOpTracerProvider(), asyncio.Event())
    taken.close()


async def test_a_call_that_runs_is_answered_before_the_gateway_stops(engine: Engine, engine_target: str) -> None:
    entered, go_on, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def wait(_: Context) -> pb.GetExecutionResponse:
        entered.set()
        await go_on.wait()
        return pb.GetExecutionResponse(execution=pb.ExecutionLog(execution_id="ex-1"))

    engine.behaviour = wait
    listen = f"127.0.0.1:{free_port()}"
    environ = {"NJIA_GATEWAY_LISTEN": listen, "NJIA_ENGINE_TARGET": engine_target}
    serving = asyncio.create_task(server.serve(environ, NoOpTracerProvider(), stop))
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=f"http://{listen}", trust_env=False) as client:
        while not await answers(client):
            await asyncio.sleep(0.01)
        running = asyncio.create_task(client.get("/api/workflows/executions/ex-1"))
        await entered.wait()
        stop.set()
        go_on.set()
        answer = await running
        await serving

    assert (answer.status_code, answer.json()["executionId"]) == (200, "ex-1")


async def answers(client: httpx.AsyncClient) -> bool:
    """Whether the gateway takes calls."""
    try:
        return (await client.get("/livez")).is_success
    except httpx.ConnectError:
        return False
