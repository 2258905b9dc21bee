"""The health check of the image."""

import asyncio

from opentelemetry.trace import NoOpTracerProvider

from launcher import addresses
from launcher.probe import are_well
from rpc.server import start_server


async def test_a_container_is_well_while_each_service_in_it_says_so() -> None:
    answers = {"engine": True, "sessions": True}
    servers = {}
    environ = addresses.free_listens()
    for name in ("engine", "sessions"):

        async def ready(name: str = name) -> bool:
            return answers[name]

        servers[name] = await start_server(
            listen=environ[f"NJIA_{name.upper()}_LISTEN"],
            register=lambda _: None,
            services=(),
            errors={},
            tracer_provider=NoOpTracerProvider(),
            ready=ready,
        )

    async def becomes(well: bool) -> None:
        async with asyncio.timeout(30):
            while await asyncio.to_thread(are_well, environ) is not well:
                await asyncio.sleep(0.05)

    await becomes(well=True)
    answers["sessions"] = False
    await becomes(well=False)
    await servers["sessions"].stop(0)
    await becomes(well=True)
    await servers["engine"].stop(0)
    await becomes(well=False)
