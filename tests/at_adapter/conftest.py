"""A real adapter, a real emulator and a real engine servicer for every test that asks for them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from emulator.config import EmulatorConfig
from emulator.server import running as running_emulator
from launcher.valkey import free_port
from njia.at_adapter.v1.at_adapter_service_pb2 import SendSmsRequest
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceStub
from njia.engine.v1.engine_service_pb2 import (
    HandleDeliveryReportRequest,
    HandleDeliveryReportResponse,
    HandleSmsRequest,
    HandleSmsResponse,
    HandleUssdEndRequest,
    HandleUssdEndResponse,
    HandleUssdRequest,
    HandleUssdResponse,
    Reply,
)
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceServicer, add_EngineServiceServicer_to_server
from njia.engine.v1.money_pb2 import (
    HandleAirtimeStatusRequest,
    HandleAirtimeStatusResponse,
    HandlePaymentRequest,
    HandlePaymentResponse,
)
from njia.engine.v1.voice_pb2 import (
    HandleVoiceEndRequest,
    HandleVoiceEndResponse,
    HandleVoiceRequest,
    HandleVoiceResponse,
)
from rpc import patient_channel
from rpc.server import GrpcServer, start_server
from rpc.status import CallRefused, Refusal
from services.at_adapter.callbacks import engine as calling
from services.at_adapter.server import serve
from storage.connection import Client, connect

READY_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """A running adapter: its gRPC stub, where its callbacks are, and the event that stops it."""

    stub: Any
    target: str
    callbacks: httpx.AsyncClient
    stop: asyncio.Event
    serving: "asyncio.Task[None]"


@dataclass(slots=True)
class Emulator:
    """A running emulator and its control API."""

    url: str
    control: httpx.AsyncClient

    async def fault(self, **fault: Any) -> None:
        answer = await self.control.post("/control/faults", json={"product": "sms", **fault})
        assert answer.status_code == 201, answer.text

    async def let_go(self) -> None:
        """Answers what a fault makes slow."""
        assert (await self.control.delete("/control/faults")).is_success

    async def messages(self) -> list[dict[str, Any]]:
        answer = await self.control.get("/control/messages", params={"limit": 1000})
        return list(answer.json()["messages"])


@dataclass(slots=True)
class RecordingEngine(EngineServiceServicer):
    """An engine that notes what it is asked and answers what the test says."""

    ussd: list[HandleUssdRequest] = field(default_factory=list)
    sms: list[HandleSmsRequest] = field(default_factory=list)
    reports: list[HandleDeliveryReportRequest] = field(default_factory=list)
    ends: list[HandleUssdEndRequest] = field(default_factory=list)
    voice: list[HandleVoiceRequest] = field(default_factory=list)
    voice_ends: list[HandleVoiceEndRequest] = field(default_factory=list)
    said: HandleVoiceResponse = field(default_factory=HandleVoiceResponse)
    airtime: list[HandleAirtimeStatusRequest] = field(default_factory=list)
    payments: list[HandlePaymentRequest] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    reply: Reply = field(default_factory=lambda: Reply(kind="con", text="Welcome"))
    refusal: Refusal | None = None
    think_seconds: float = 0.0

    async def HandleUssd(self, request: HandleUssdRequest, context: Any) -> HandleUssdResponse:
        self.ussd.append(request)
        await self._think()
        return HandleUssdResponse(reply=self.reply)

    async def HandleSms(self, request: HandleSmsRequest, context: Any) -> HandleSmsResponse:
        self.sms.append(request)
        await self._think()
        return HandleSmsResponse(execution_id="exec-1")

    async def HandleUssdEnd(self, request: HandleUssdEndRequest, context: Any) -> HandleUssdEndResponse:
        self.ends.append(request)
        await self._think()
        return HandleUssdEndResponse(execution_id="exec-1")

    async def HandleVoice(self, request: HandleVoiceRequest, context: Any) -> HandleVoiceResponse:
        self.voice.append(request)
        await self._think()
        return self.said

    async def HandleVoiceEnd(self, request: HandleVoiceEndRequest, context: Any) -> HandleVoiceEndResponse:
        self.voice_ends.append(request)
        await self._think()
        return HandleVoiceEndResponse(execution_id="exec-1")

    async def HandleDeliveryReport(
        self, request: HandleDeliveryReportRequest, context: Any
    ) -> HandleDeliveryReportResponse:
        self.reports.append(request)
        await self._think()
        return HandleDeliveryReportResponse(execution_id="exec-1")

    async def HandleAirtimeStatus(
        self, request: HandleAirtimeStatusRequest, context: Any
    ) -> HandleAirtimeStatusResponse:
        self.airtime.append(request)
        await self._think()
        return HandleAirtimeStatusResponse(execution_id="exec-1")

    async def HandlePayment(self, request: HandlePaymentRequest, context: Any) -> HandlePaymentResponse:
        self.payments.append(request)
        await self._think()
        return HandlePaymentResponse(execution_id="exec-1")

    async def _think(self) -> None:
        self.heard.set()
        await asyncio.sleep(self.think_seconds)
        if self.refusal is not None:
            raise CallRefused(self.refusal)


class StartAdapter(Protocol):
    """Starts an adapter with these variables on top of the usual ones."""

    async def __call__(self, tracer_provider: TracerProvider = ..., **variables: str) -> Adapter: ...


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    """A client of the test's own."""
    async with connect(redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """One emulator for all tests, in a loop of its own: starting one for each takes longer than most tests."""
    config = EmulatorConfig(
        listen="127.0.0.1:0",
        callbacks_url="http://127.0.0.1:1",
        callback_token=None,
        api_key="emulator",
        delivery_reports=False,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = running_emulator(config)
    yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
    asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@pytest.fixture
async def emulator(emulator_url: str) -> AsyncIterator[Emulator]:
    """The emulator as it starts; what a test leaves in it ends with the test, and writes no log into that of others."""
    async with httpx.AsyncClient(base_url=emulator_url, timeout=30, trust_env=False) as control:
        yield Emulator(emulator_url, control)
        await control.post("/control/reset")


@pytest.fixture
async def start_adapter(redis_url: str) -> AsyncIterator[StartAdapter]:
    async with AsyncExitStack() as running:

        async def start(tracer_provider: TracerProvider | None = None, **variables: str) -> Adapter:
            return await running.enter_async_context(
                _running_adapter({"NJIA_REDIS_URL": redis_url, **variables}, tracer_provider or NoOpTracerProvider())
            )

        yield start


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that gives up on an engine that is away sooner than a person would like."""
    monkeypatch.setattr(patient_channel, "CONNECT_WITHIN_SECONDS", 0.3)
    monkeypatch.setattr(calling, "REPEAT_WITHIN_SECONDS", 0.5)


@pytest.fixture
async def adapter(start_adapter: StartAdapter, emulator: Emulator) -> Adapter:
    """An adapter that sends to the emulator and takes no callbacks."""
    return await start_adapter(AT_BASE_URL=emulator.url)


@asynccontextmanager
async def _running_adapter(environ: Mapping[str, str], tracer_provider: TracerProvider) -> AsyncIterator[Adapter]:
    grpc_port, http_port = free_port(), free_port()
    listens = {
        "NJIA_AT_ADAPTER_LISTEN": f"127.0.0.1:{grpc_port}",
        "NJIA_AT_ADAPTER_CALLBACKS_LISTEN": f"127.0.0.1:{http_port}",
    }
    stop = asyncio.Event()
    serving = asyncio.create_task(serve({**listens, **environ}, tracer_provider, stop))
    target = f"127.0.0.1:{grpc_port}"
    async with (
        grpc.aio.insecure_channel(target) as channel,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{http_port}", timeout=30, trust_env=False) as callbacks,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        # The health service is there before the rest is; the callbacks come last.
        await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=READY_WITHIN_SECONDS)
        if "NJIA_ENGINE_TARGET" in environ:
            await _answers(callbacks, serving)
        try:
            yield Adapter(AtAdapterServiceStub(channel), target, callbacks, stop, serving)
        finally:
            stop.set()
            await serving


async def _answers(callbacks: httpx.AsyncClient, serving: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        while not serving.done():
            try:
                await callbacks.get("/health")
            except httpx.ConnectError:
                await asyncio.sleep(0.01)
            else:
                return


@dataclass(slots=True)
class EngineProcess:
    """An engine that can go away and come back at the same address."""

    servicer: RecordingEngine
    target: str
    _server: GrpcServer | None = None

    async def start(self) -> None:
        async def ready() -> bool:
            return True

        self._server = await start_server(
            listen=self.target,
            register=lambda server: add_EngineServiceServicer_to_server(self.servicer, server),
            services=("njia.engine.v1.EngineService",),
            errors={},
            tracer_provider=NoOpTracerProvider(),
            ready=ready,
        )

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(0)
            self._server = None


@pytest.fixture
async def engine() -> AsyncIterator[EngineProcess]:
    process = EngineProcess(RecordingEngine(), f"127.0.0.1:{free_port()}")
    await process.start()
    yield process
    await process.stop()


@dataclass(slots=True)
class RawServer:
    """A server that takes whole requests and then does what the test says with the connection."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    act: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None

    def answer(self, status: str, body: bytes, *headers: str) -> None:
        """Answers every request so from now on."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        raw = "\r\n".join(lines).encode() + body

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(raw)
            await writer.drain()

        self.act = write

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                self.requests.append(head + await reader.readexactly(length))
                assert self.act is not None
                await self.act(writer)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture
async def raw_server() -> AsyncIterator[RawServer]:
    raw = RawServer()
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield raw
    server.close()


@pytest.fixture
def sms() -> Callable[..., SendSmsRequest]:
    """Makes a request that is right but for what the test changes."""

    def make(key: str = "key-1", to: tuple[str, ...] = ("+254711000001",), **fields: Any) -> SendSmsRequest:
        return SendSmsRequest(**{"idempotency_key": key, "to": to, "message": "Hello", **fields})

    return make
