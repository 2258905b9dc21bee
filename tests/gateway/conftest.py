"""A gateway over a real validator and an engine that a test tells what to answer, and one over the whole platform."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from opentelemetry.trace import NoOpTracerProvider

import emulator.config
import emulator.server
from gateway.app import gateway_app
from launcher import valkey
from services.at_adapter import server as at_adapter
from services.engine import server as engine_server
from services.sessions import server as sessions
from services.validator import server as validator
from tests.gateway.contract import Contract
from tests.gateway.serving import Engine, served_gateway, start_engine

SMALL_BODY_BYTES = "20000"


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The gateway's own OpenAPI document."""
    clients: Any = None
    return Contract(gateway_app(clients, 1024, asyncio.Event()).openapi())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def validator_target() -> AsyncIterator[str]:
    """A real validator."""
    listen, stop = f"127.0.0.1:{valkey.free_port()}", asyncio.Event()
    serving = asyncio.create_task(validator.serve({"NJIA_VALIDATOR_LISTEN": listen}, NoOpTracerProvider(), stop))
    yield listen
    stop.set()
    await serving


@pytest.fixture(scope="module")
def standing_engine() -> Engine:
    """The engine of all tests of a file; see `engine`."""
    return Engine()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine_target(standing_engine: Engine) -> AsyncIterator[str]:
    """Where that engine serves."""
    server = await start_engine(standing_engine)
    yield f"127.0.0.1:{server.port}"
    await server.stop(0)


@pytest.fixture
def engine(standing_engine: Engine) -> Engine:
    """The engine behind the gateway, which has seen nothing yet and answers everything."""
    standing_engine.reset()
    return standing_engine


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(contract: Contract, validator_target: str, engine_target: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway; every answer is held against the OpenAPI document."""
    targets = {"ENGINE": engine_target, "VALIDATOR": validator_target}
    async with served_gateway(contract, targets, NJIA_MAX_BODY_BYTES=SMALL_BODY_BYTES) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(contract: Contract, valkey_server: valkey.ValkeyServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway over the whole platform: every service, Valkey, a local Africa's Talking."""
    modules = {"VALIDATOR": validator, "SESSIONS": sessions, "AT_ADAPTER": at_adapter, "ENGINE": engine_server}
    targets = {name: f"127.0.0.1:{valkey.free_port()}" for name in modules}
    environ = {
        **{f"NJIA_{name}_LISTEN": target for name, target in targets.items()},
        **{f"NJIA_{name}_TARGET": target for name, target in targets.items()},
        "NJIA_AT_ADAPTER_CALLBACKS_LISTEN": f"127.0.0.1:{valkey.free_port()}",
        "NJIA_REDIS_URL": valkey_server.url,
        "NJIA_ENGINE_DRAIN_SECONDS": "1",
        "NJIA_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "AT_API_KEY": "emulator",
    }
    async with AsyncExitStack() as parts:
        network = emulator.config.from_env({"NJIA_EMULATOR_LISTEN": "127.0.0.1:0"})
        environ["AT_BASE_URL"] = await parts.enter_async_context(emulator.server.running(network))
        stops = [asyncio.Event() for _ in modules]
        serving = [
            asyncio.create_task(module.serve(environ, NoOpTracerProvider(), stop))
            for module, stop in zip(modules.values(), stops, strict=True)
        ]
        async with served_gateway(contract, targets) as client:
            async with asyncio.timeout(30):
                while (await client.get("/health")).status_code != httpx.codes.OK:
                    await asyncio.sleep(0.05)
            yield client
        for stop in stops:
            stop.set()
        await asyncio.gather(*serving)
