"""The HTTP server starts, serves, drains and ends without touching signals."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rpc.http_server import HttpServer, serve_http
from rpc.listening import ListenFailed

Serve = Callable[..., Awaitable[HttpServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server for a route."""
    servers: list[HttpServer] = []

    async def serve_one(endpoint: Any, stop: asyncio.Event | None = None, **settings: Any) -> HttpServer:
        server = await serve_http(
            Starlette(routes=[Route("/", endpoint)]),
            listen=settings.get("listen", "127.0.0.1:0"),
            stop=stop or asyncio.Event(),
            tracer_provider=NoOpTracerProvider(),
            grace_seconds=settings.get("grace_seconds", 2),
        )
        servers.append(server)
        return server

    yield serve_one
    for server in servers:
        await server.stop()


async def until_refused(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                _, late = await asyncio.open_connection("127.0.0.1", port)
            except (ConnectionRefusedError, ConnectionResetError):
                return
            late.close()
            await asyncio.sleep(0.01)


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def test_it_answers_and_says_nothing_about_itself(serve: Serve) -> None:
    server = await serve(hello)
    async with httpx.AsyncClient() as client:
        response = await client.get(f"http://127.0.0.1:{server.port}/")

    assert response.text == "hello"
    assert {"server", "date"} & set(response.headers) == set()


async def test_signal_handlers_stay_as_they_are(serve: Serve) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    await serve(hello)

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_a_stop_lets_a_running_request_finish_and_takes_no_new_one(serve: Serve) -> None:
    entered, finish, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> PlainTextResponse:
        entered.set()
        await finish.wait()
        return PlainTextResponse("finished")

    server = await serve(slow, stop)
    async with httpx.AsyncClient() as client:
        running = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
        await entered.wait()
        stop.set()
        await until_refused(server.port)
        finish.set()
        assert (await running).text == "finished"


async def test_a_port_in_use_is_named(serve: Serve) -> None:
    server = await serve(hello)

    with pytest.raises(ListenFailed, match=f"127.0.0.1:{server.port}: Address already in use"):
        await serve(hello, listen=f"127.0.0.1:{server.port}")


async def test_a_host_that_is_not_this_machine_is_named(serve: Serve) -> None:
    with pytest.raises(ListenFailed, match=r"192\.0\.2\.1:0"):
        await serve(hello, listen="192.0.2.1:0")
