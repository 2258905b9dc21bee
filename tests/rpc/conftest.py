"""A real server on a free port with a hand-written SessionService, and what it needs to be called."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry.trace import NoOpTracerProvider

from njia.sessions.v1 import sessions_service_pb2 as pb, sessions_service_pb2_grpc as stubs
from rpc.channels import open_channel
from rpc.server import GrpcServer, start_server
from rpc.status import ErrorTable, Refusal

SESSIONS = "njia.sessions.v1.SessionService"


class SessionLostError(Exception):
    """A domain error with a field."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id


ERRORS: ErrorTable = {
    SessionLostError: lambda error: Refusal(
        grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", f"no session {error.session_id}", {"id": error.session_id}
    ),
}

Behaviour = Callable[[pb.GetSessionRequest], Awaitable[pb.GetSessionResponse]]


@dataclass(slots=True)
class Sessions(stubs.SessionServiceServicer):
    """Answers GetSession with what the test says."""

    behaviour: Behaviour
    entered: bool = False
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.GetSessionResponse:
        self.entered = True
        try:
            return await self.behaviour(request)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@dataclass(frozen=True, slots=True)
class Running:
    """The server, its servicer and a stub to it."""

    server: GrpcServer
    servicer: Sessions
    channel: grpc.aio.Channel
    stub: "stubs.SessionServiceAsyncStub"

    async def get(self, session_id: str = "s", timeout: float | None = 30) -> pb.GetSessionResponse:
        return await self.stub.GetSession(pb.GetSessionRequest(session_id=session_id), timeout=timeout)

    async def out_of_time(self) -> grpc.aio.AioRpcError:
        """
        The error of a call whose time is over while it is served.

        Where a busy machine takes longer to bring it there, it is made again, with twice the time.
        """
        seconds = 0.1
        while True:
            try:
                await self.get(timeout=seconds)
            except grpc.aio.AioRpcError as error:
                if self.servicer.entered:
                    return error
                seconds *= 2


async def always_ready() -> bool:
    return True


async def echo(request: pb.GetSessionRequest) -> pb.GetSessionResponse:
    return pb.GetSessionResponse(session=pb.Session(session_id=request.session_id))


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
def session_lost() -> type[Exception]:
    """The domain error that the table of the server lists."""
    return SessionLostError


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers for a test: await start(behaviour, ready=…, tracer_provider=…)."""
    started: list[Running] = []

    async def start_one(behaviour: Behaviour = echo, **settings: Any) -> Running:
        servicer = Sessions(behaviour)
        provider = settings.pop("tracer_provider", NoOpTracerProvider())
        client_provider = settings.pop("client_provider", provider)
        server = await start_server(
            listen=settings.pop("listen", "127.0.0.1:0"),
            register=lambda server: stubs.add_SessionServiceServicer_to_server(servicer, server),
            services=[SESSIONS],
            errors=ERRORS,
            tracer_provider=provider,
            ready=settings.pop("ready", always_ready),
        )
        assert not settings
        channel = open_channel(f"127.0.0.1:{server.port}", client_provider)
        running = Running(server, servicer, channel, stubs.SessionServiceStub(channel))
        started.append(running)
        return running

    yield start_one
    for running in started:
        await running.channel.close()
        await running.server.stop(0)
