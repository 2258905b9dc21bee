"""The HTTP server starts, serves, drains and ends without touching signals."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import orjson
import pytest
from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from rpc.http_connection import MAX_CONNECTIONS, MAX_HEAD_BYTES, PATIENCE, Patience
from rpc.http_server import HttpServer, serve_http
from rpc.listening import ListenFailed

LONG_SECONDS = 30.0
"""Far beyond what anything here takes, on a busy machine too."""

Serve = Callable[..., Awaitable[HttpServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server for a route."""
    servers: list[HttpServer] = []

    async def serve_one(endpoint: Any, stop: asyncio.Event | None = None, **settings: Any) -> HttpServer:
        server = await serve_http(
            Starlette(routes=[Route("/", endpoint, methods=["GET", "POST"])]),
            listen=settings.get("listen", "127.0.0.1:0"),
            stop=stop or asyncio.Event(),
            tracer_provider=NoOpTracerProvider(),
            grace_seconds=settings.get("grace_seconds", LONG_SECONDS),
            patience=settings.get("patience", PATIENCE),
            max_connections=settings.get("max_connections", MAX_CONNECTIONS),
        )
        servers.append(server)
        return server

    yield serve_one
    for server in servers:
        await server.stop()


async def until_refused(port: int) -> None:
    async with asyncio.timeout(30):
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
    async with httpx.AsyncClient(timeout=LONG_SECONDS) as client:
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
    async with httpx.AsyncClient(timeout=LONG_SECONDS) as client:
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


async def talk(server: HttpServer, *parts: bytes) -> tuple[str, bytes]:
    """Sends the parts, then nothing more, and returns the head and the body of what comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(LONG_SECONDS):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return head.decode(), body


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


POST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\n\r\n"
SOON = Patience(head=0.2, body=0.2, answer=0.2)


@pytest.mark.parametrize(
    ("sent", "late"),
    [(b"GET / HTTP/1.1\r\nhost: he", "headers"), (POST + b"a few", "body")],
    ids=["headers", "body"],
)
async def test_who_does_not_send_a_request_to_its_end_is_told_and_sent_away(
    serve: Serve, sent: bytes, late: str
) -> None:
    server = await serve(echo, patience=SOON)
    head, body = await talk(server, sent)
    assert head.startswith("HTTP/1.1 408 Request Timeout\r\n")
    assert "connection: close" in head
    assert orjson.loads(body) == {
        "error": "Request timeout",
        "message": f"the {late} did not come within 0.2 s",
        "code": "REQUEST_TOO_SLOW",
    }


async def test_a_byte_now_and_then_does_not_keep_a_connection(serve: Serve) -> None:
    server = await serve(echo, patience=SOON)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(POST)
    async with asyncio.timeout(LONG_SECONDS):
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"a")
                await writer.drain()
                with suppress(TimeoutError):
                    assert b" 408 " in await asyncio.wait_for(reader.readline(), 0.02)
                    break
    writer.close()


async def test_a_connection_that_asks_nothing_is_closed_without_a_word(serve: Serve) -> None:
    assert await talk(await serve(echo, patience=SOON)) == ("", b"")


async def test_a_client_is_not_blamed_for_the_time_that_an_answer_takes(serve: Serve) -> None:
    finish = asyncio.Event()

    async def slow(request: Request) -> PlainTextResponse:
        if request.method == "GET":
            await finish.wait()
        return PlainTextResponse(f"{request.method} {await request.body()!r}")

    server = await serve(slow, patience=SOON)
    get = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
    post = b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 4\r\n\r\n"
    asyncio.get_running_loop().call_later(3 * SOON.body, finish.set)
    # While the first one is answered, nothing more is read: the body of the second one waits in the network.
    head, rest = await talk(server, get + post, b"body")
    assert head.startswith("HTTP/1.1 200")
    assert rest.startswith(b"GET b''HTTP/1.1 200")
    assert rest.endswith(b"POST b'body'")


async def test_who_does_not_take_an_answer_is_cut_off(serve: Serve) -> None:
    ended = asyncio.Event()

    async def endless(_request: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield bytes(65536)
                    # What is sent to nobody is sent at once, and nothing else would get a turn.
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(parts())

    server = await serve(endless, patience=SOON)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        async with asyncio.timeout(LONG_SECONDS):
            await ended.wait()


async def test_headers_without_an_end_are_refused(serve: Serve) -> None:
    server = await serve(hello)
    head, body = await talk(server, b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * MAX_HEAD_BYTES)
    assert head.startswith("HTTP/1.1 431 ")
    assert orjson.loads(body)["code"] == "HEADERS_TOO_LARGE"


async def test_what_is_no_http_is_refused(serve: Serve) -> None:
    head, body = await talk(await serve(hello), b"hello\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ")
    assert orjson.loads(body)["code"] == "INVALID_HTTP"


async def test_who_is_refused_for_want_of_room_is_told_when_to_come_again(serve: Serve) -> None:
    server = await serve(hello, max_connections=2)
    async with httpx.AsyncClient(timeout=LONG_SECONDS) as first, httpx.AsyncClient(timeout=LONG_SECONDS) as second:
        assert (await first.get(f"http://127.0.0.1:{server.port}/")).text == "hello"
        # The connection of the first one is kept open, and this is the second.
        refused = await second.get(f"http://127.0.0.1:{server.port}/")
        await first.aclose()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["code"] == "SERVER_BUSY"
