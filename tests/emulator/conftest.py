"""A running emulator and, outside of it, a small real HTTP server in the platform's place."""

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import pytest_asyncio
from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from emulator import config
from emulator.server import running
from rpc.http_server import serve_http

DEADLINE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass(slots=True)
class Platform:
    """Records what it gets and answers what a test queued, else 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: dict[str, deque[Response | Callable[[], Awaitable[Response]]]] = field(default_factory=dict)

    def will_answer(self, path: str, *answers: Response | Callable[[], Awaitable[Response]]) -> None:
        self.answers.setdefault(path, deque()).extend(answers)

    def screens(self, *texts: str) -> None:
        self.will_answer("/at/ussd", *(PlainTextResponse(text) for text in texts))

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.received.append(Received(request.url.path, body, dict(request.headers)))
        queued = self.answers.get(request.url.path)
        if not queued:
            return PlainTextResponse("CON more" if request.url.path == "/at/ussd" else "")
        answer = queued.popleft()
        return answer if isinstance(answer, Response) else await answer()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_platform() -> AsyncIterator[Platform]:
    recorder = Platform()
    app = Starlette(routes=[Route("/{path:path}", recorder.take, methods=["POST"])])
    server = await serve_http(
        app, listen="127.0.0.1:0", stop=asyncio.Event(), tracer_provider=NoOpTracerProvider(), grace_seconds=1
    )
    recorder.url = f"http://127.0.0.1:{server.port}"
    yield recorder
    await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_emulator(standing_platform: Platform) -> AsyncIterator[str]:
    """The emulator serves a whole module, since a web server takes a third of a second to stop."""
    environment = {
        "NJIA_EMULATOR_LISTEN": "127.0.0.1:0",
        "NJIA_EMULATOR_CALLBACKS": standing_platform.url,
        "NJIA_EMULATOR_DELIVERY_REPORTS": "false",
    }
    async with running(config.from_env(environment)) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_client(standing_emulator: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=standing_emulator, trust_env=False, timeout=30) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def client(standing_client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of an emulator that is as it was at its start."""
    assert (await standing_client.post("/control/reset")).status_code == 200
    return standing_client


@pytest.fixture
def emulator_url(client: httpx.AsyncClient, standing_emulator: str) -> str:
    return standing_emulator


@pytest.fixture
def platform(client: httpx.AsyncClient, standing_platform: Platform) -> Platform:
    """A platform that got nothing yet; the emulator was put back before, so nothing is on its way."""
    standing_platform.received.clear()
    standing_platform.answers.clear()
    return standing_platform


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    """Waits until a condition, awaited where it must be, is true and returns it; DEADLINE_SECONDS at most."""

    async def wait(condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                value = condition()
                if inspect.isawaitable(value):
                    value = await value
                if value:
                    return value
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def send(client: httpx.AsyncClient) -> Callable[..., Awaitable[httpx.Response]]:
    """Posts a form as an SDK does; a field given as None is left out."""

    async def post(
        path: str = "/api/version1/messaging",
        *,
        key: str | None = "emulator",
        accept: str = "application/json",
        **form: Any,
    ) -> httpx.Response:
        fields = {"username": "sandbox", "to": "+254711000001", "message": "hello", **form}
        headers = {"Accept": accept} | ({"apiKey": key} if key is not None else {})
        return await client.post(
            path, data={name: value for name, value in fields.items() if value is not None}, headers=headers
        )

    return post
