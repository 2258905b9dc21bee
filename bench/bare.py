"""
The processes of the bare chain: `python -m bench.bare PLAN NAME…`, each name at_adapter, gateway, engine or sessions.

They stand where ours stand, with as many processes: what a chain costs that has all of the calls and none of the work.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import uvloop
from opentelemetry.trace import NoOpTracerProvider

from bench.bare_grpc import BareAdapter, BareEngine, BareSessions
from bench.bare_http import bare_callbacks, bare_gateway
from bench.bare_plan import Plan, from_json
from bench.bare_redis import Trips
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import (
    AtAdapterServiceStub,
    add_AtAdapterServiceServicer_to_server,
)
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub, add_EngineServiceServicer_to_server
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceStub, add_SessionServiceServicer_to_server
from rpc.channels import open_channel
from rpc.http_server import serve_http
from rpc.server import OPTIONS
from storage.connection import connect

NAMES = ("sessions", "engine", "at_adapter", "gateway")


async def serve(plan: Plan, names: Sequence[str]) -> None:
    """Serves until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tracer = NoOpTracerProvider()
    async with AsyncExitStack() as parts:
        redis = connect(plan.redis_url)
        parts.push_async_callback(redis.aclose)
        trips = Trips(redis)
        await trips.prepare([step for steps in plan.steps.values() for step in steps if step.does == "trip"])

        def stub(kind: Any, service: str) -> Any:
            channel = open_channel(f"127.0.0.1:{plan.ports[service]}", tracer)
            parts.push_async_callback(channel.close)
            return kind(channel)

        for name in names:
            if name in plan.ports:
                server = grpc.aio.server(options=OPTIONS)
                match name:
                    case "sessions":
                        add_SessionServiceServicer_to_server(BareSessions(plan, trips), server)  # type: ignore[abstract]  # what is not measured is not there
                    case "engine":
                        engine = BareEngine(  # type: ignore[abstract]  # the same
                            plan, trips, stub(SessionServiceStub, "sessions"), stub(AtAdapterServiceStub, "at_adapter")
                        )
                        add_EngineServiceServicer_to_server(engine, server)
                    case "at_adapter":
                        provider = await parts.enter_async_context(aiohttp.ClientSession())
                        adapter = BareAdapter(plan, trips, provider)  # type: ignore[abstract]  # the same
                        add_AtAdapterServiceServicer_to_server(adapter, server)
                server.add_insecure_port(f"127.0.0.1:{plan.ports[name]}")
                await server.start()
                parts.push_async_callback(server.stop, 1)
            if name in plan.front_ports:
                app = (bare_gateway if name == "gateway" else bare_callbacks)(stub(EngineServiceStub, "engine"))
                front = await serve_http(
                    app,
                    listen=f"127.0.0.1:{plan.front_ports[name]}",
                    stop=stop,
                    tracer_provider=tracer,
                    grace_seconds=1,
                )
                parts.push_async_callback(front.stop)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(from_json(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2:]))
