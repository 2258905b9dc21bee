"""A server on the web, and a client of the engine that may reach it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from services.engine.adapters.http.addresses import AllowList
from services.engine.adapters.http.client import WebClient
from services.engine.adapters.http.exchange import Exchange
from services.engine.adapters.http.tokens import AccessTokens
from workflow.ports import ClientCredentials, Credentials, HttpRequest

MAX_BYTES = 64 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """A request as the server got it; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """
    A server on a port of its own.

    Attributes:
        seen: What was asked, oldest first.
        handlers: What answers a path; any other one is answered with the request's own headers.
    """

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.path, headers, await request.read()))
        handler = self.handlers.get(request.path)
        return web.json_response(headers) if handler is None else await handler(request)

    def redirects(self, path: str, location: str, status: int = 302) -> None:
        async def handler(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": location})

        self.handlers[path] = handler


async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that is closed in the end."""
    server = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async for server in serving():
        yield server


@pytest.fixture
async def other_server() -> AsyncIterator[Server]:
    async for server in serving():
        yield server


async def _client(allowed: str) -> AsyncIterator[WebClient]:
    exchange = Exchange(AllowList.parse(allowed), MAX_BYTES)
    yield WebClient(exchange, AccessTokens(exchange))
    await exchange.close()
    # The loop closes what was open in its next round.
    await asyncio.sleep(0)


@pytest.fixture
async def client() -> AsyncIterator[WebClient]:
    """May reach this machine by its address."""
    async for client in _client("127.0.0.1"):
        yield client


@pytest.fixture
async def guarded_client() -> AsyncIterator[WebClient]:
    """May reach public addresses only."""
    async for client in _client(""):
        yield client


def request(
    url: str,
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    credentials: Credentials | ClientCredentials | None = None,
    timeout_ms: int = 10_000,
    max_redirects: int | None = 5,
    is_repeatable: bool | None = None,
    verifies_tls: bool = True,
) -> HttpRequest:
    return HttpRequest(
        method=method,
        url=url,
        headers=headers or {},
        body=body,
        credentials=credentials or Credentials(),
        timeout_ms=timeout_ms,
        max_redirects=max_redirects,
        verifies_tls=verifies_tls,
        is_repeatable=method not in ("POST", "PATCH") if is_repeatable is None else is_repeatable,
    )
