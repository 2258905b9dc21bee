"""What the gateway says of the platform's health."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.gateway.contract import Contract
from tests.gateway.serving import Engine, served_gateway, start_engine


async def never() -> bool:
    """A service whose Redis does not answer."""
    return False


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """An address that takes connections and never says anything."""
    connections = []

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in connections:
        writer.close()
    server.close()


STATES = {
    "validator": "serving",
    "engine": "not_serving",
    "sessions": "unreachable",
    "at_adapter": "unreachable",
}


async def test_each_service_is_named_with_its_state_though_one_of_them_says_nothing(
    contract: Contract, validator_target: str, silent: str
) -> None:
    engine = await start_engine(Engine(), ready=never)
    targets = {"VALIDATOR": validator_target, "ENGINE": f"127.0.0.1:{engine.port}", "AT_ADAPTER": silent}

    async with served_gateway(contract, targets) as client:
        async with asyncio.timeout(30):
            # One that serves has a second to say so, which a busy machine may not have for it.
            while (answer := await client.get("/health")).json()["services"] != STATES:
                await asyncio.sleep(0.05)
        alive = await client.get("/livez")
    await engine.stop(0)

    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
