"""Real gateways over HTTP, and an engine that keeps what it is asked and refuses what a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from opentelemetry.trace import NoOpTracerProvider

from gateway import server as gateway_server
from launcher.valkey import free_port
from njia.engine.v1 import engine_service_pb2 as pb, workflow_service_pb2 as registry_pb
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceServicer, add_EngineServiceServicer_to_server
from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceServicer, add_WorkflowServiceServicer_to_server
from njia.workflow.v1 import workflow_pb2
from rpc.callers import caller_name
from rpc.protection import UNPROTECTED, Protection
from rpc.server import GrpcServer, start_server
from rpc.status import CallRefused, Refusal
from services.engine.access import SCOPES
from tests.gateway.contract import Contract

NOWHERE = "127.0.0.1:1"
"""Nothing listens there."""

READY_SECONDS = 30.0

Context = grpc.aio.ServicerContext[Any, Any]
Ready = Callable[[], Awaitable[bool]]


class Engine(EngineServiceServicer, WorkflowServiceServicer):
    """
    Keeps the requests that reach it, and answers or refuses as the test says.

    Attributes:
        requests: What came, newest last.
        seconds_left: What each call had left of its deadline.
        callers: Who made each call.
        refusal: What every call is refused with.
        behaviour: What GetExecution does beside; for failures that no refusal describes.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets all that came and all that was said."""
        self.requests: list[Any] = []
        self.seconds_left: list[float] = []
        self.callers: list[str] = []
        self.refusal: Refusal | None = None
        self.behaviour: Callable[[Context], Awaitable[pb.GetExecutionResponse]] | None = None

    async def Execute(self, request: pb.ExecuteRequest, context: Context) -> pb.ExecuteResponse:
        self._note(request, context)
        completed = workflow_pb2.EXECUTION_STATUS_COMPLETED
        return pb.ExecuteResponse(result=pb.ExecutionResult(execution_id="ex-1", status=completed))

    async def GetExecution(self, request: pb.GetExecutionRequest, context: Context) -> pb.GetExecutionResponse:
        self._note(request, context)
        if self.behaviour is not None:
            return await self.behaviour(context)
        log = pb.ExecutionLog(execution_id=request.execution_id, status=workflow_pb2.EXECUTION_STATUS_COMPLETED)
        log.started_at.GetCurrentTime()
        return pb.GetExecutionResponse(execution=log)

    async def ListExecutions(self, request: pb.ListExecutionsRequest, context: Context) -> pb.ListExecutionsResponse:
        self._note(request, context)
        return pb.ListExecutionsResponse()

    async def SaveWorkflow(
        self, request: registry_pb.SaveWorkflowRequest, context: Context
    ) -> registry_pb.SaveWorkflowResponse:
        self._note(request, context)
        return registry_pb.SaveWorkflowResponse()

    async def PublishWorkflow(
        self, request: registry_pb.PublishWorkflowRequest, context: Context
    ) -> registry_pb.PublishWorkflowResponse:
        self._note(request, context)
        saved = registry_pb.Workflow(workflow_id=request.ref.workflow_id, version=request.ref.version)
        saved.saved_at.GetCurrentTime()
        return registry_pb.PublishWorkflowResponse(workflow=saved)

    async def DeleteWorkflow(
        self, request: registry_pb.DeleteWorkflowRequest, context: Context
    ) -> registry_pb.DeleteWorkflowResponse:
        self._note(request, context)
        return registry_pb.DeleteWorkflowResponse()

    def _note(self, request: Any, context: Context) -> None:
        self.requests.append(request)
        self.callers.append(caller_name())
        self.seconds_left.append(context.time_remaining() or 0)
        if self.refusal is not None:
            raise CallRefused(self.refusal)


async def always() -> bool:
    """A service that is ready."""
    return True


async def start_engine(engine: Engine, ready: Ready = always, protection: Protection = UNPROTECTED) -> GrpcServer:
    """Serves a hand-written engine over real gRPC."""

    def register(server: grpc.aio.Server) -> None:
        add_EngineServiceServicer_to_server(engine, server)
        add_WorkflowServiceServicer_to_server(engine, server)

    return await start_server(
        listen="127.0.0.1:0",
        register=register,
        services=("njia.engine.v1.EngineService", "njia.engine.v1.WorkflowService"),
        errors={},
        tracer_provider=NoOpTracerProvider(),
        ready=ready,
        protection=protection,
        scopes=SCOPES,
    )


@asynccontextmanager
async def served_gateway(
    contract: Contract, targets: Mapping[str, str], authority: Path | None = None, **settings: str
) -> AsyncIterator[httpx.AsyncClient]:
    """
    Runs the gateway as its process would, and gives a client that holds every answer against the contract.

    Args:
        targets: Address of each service, such as {"ENGINE": "127.0.0.1:50052"}; those left out do not exist.
        authority: Who signed the gateway's certificate, where it has one.
        settings: More of the environment.
    """
    listen, stop = f"127.0.0.1:{free_port()}", asyncio.Event()
    environ = {f"NJIA_{name}_TARGET": NOWHERE for name in ("VALIDATOR", "ENGINE", "SESSIONS", "AT_ADAPTER")}
    environ |= {f"NJIA_{name}_TARGET": target for name, target in targets.items()}
    serving = asyncio.create_task(
        gateway_server.serve({**environ, "NJIA_GATEWAY_LISTEN": listen, **settings}, NoOpTracerProvider(), stop)
    )

    async def check(response: httpx.Response) -> None:
        if response.request.method != "OPTIONS" and response.request.url.path.startswith(("/api", "/health", "/livez")):
            await response.aread()
            contract.check(response)

    try:
        async with httpx.AsyncClient(
            base_url=f"{'http' if authority is None else 'https'}://{listen}",
            timeout=60,
            trust_env=False,
            verify=True if authority is None else ssl.create_default_context(cafile=authority),
            event_hooks={"response": [check]},
        ) as client:
            await _listening(client, serving)
            yield client
    finally:
        stop.set()
        await serving


async def _listening(client: httpx.AsyncClient, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not serving.done():
            try:
                await client.get("/livez")
            except httpx.ConnectError:
                await asyncio.sleep(0.01)
            else:
                return
    await serving
