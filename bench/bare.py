"""
The bare chain: an HTTP server, two echo gRPC services and plain Redis commands, with the libraries that ours use.

It makes as many RPCs and Redis round trips as a real turn and does nothing else: `python -m bench.bare PART`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

import aiohttp
import grpc
import redis.asyncio
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from njia.at_adapter.v1 import at_adapter_service_pb2 as at_pb, at_adapter_service_pb2_grpc as at_grpc
from njia.engine.v1 import engine_service_pb2 as engine_pb, engine_service_pb2_grpc as engine_grpc
from njia.sessions.v1 import sessions_service_pb2 as sessions_pb, sessions_service_pb2_grpc as sessions_grpc

STATE = b"s" * 1500
"""About what the state of a menu takes."""

SCREEN = "Market day\n1. Today's prices\n2. Sell maize\n3. Leave"


class Middle(engine_grpc.EngineServiceServicer):
    """Stands where the engine stands: three Redis round trips and one RPC for a screen, two and one for an SMS."""

    def __init__(self, store: redis.asyncio.Redis, environ: Mapping[str, str]) -> None:
        self._store = store
        self._leaf = sessions_grpc.SessionServiceStub(grpc.aio.insecure_channel(environ["BARE_LEAF"]))
        self._sender = at_grpc.AtAdapterServiceStub(grpc.aio.insecure_channel(environ["BARE_SENDER"]))

    async def HandleUssd(self, request: Any, context: Any) -> engine_pb.HandleUssdResponse:
        await self._store.get(request.session_id)
        await self._store.set(request.session_id, STATE)
        await self._leaf.CommitSession(
            sessions_pb.CommitSessionRequest(session_id=request.session_id, commit_id="1"), timeout=5
        )
        await self._store.set(request.session_id, b"1")
        return engine_pb.HandleUssdResponse(reply=engine_pb.Reply(kind="con", text=SCREEN), execution_id="exe")

    async def Execute(self, request: Any, context: Any) -> engine_pb.ExecuteResponse:
        await self._store.set("execution", STATE)
        await self._sender.SendSms(
            at_pb.SendSmsRequest(idempotency_key="key", to=["+254711000001"], message="You said: hi"), timeout=5
        )
        await self._store.set("execution", STATE)
        return engine_pb.ExecuteResponse(result=engine_pb.ExecutionResult(execution_id="exe", output_json="{}"))


class Leaf(sessions_grpc.SessionServiceServicer):
    """Stands where the sessions service stands: one Redis round trip."""

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store

    async def CommitSession(self, request: Any, context: Any) -> sessions_pb.CommitSessionResponse:
        await self._store.set(f"leaf:{request.session_id}", b"1")
        return sessions_pb.CommitSessionResponse(session=sessions_pb.Session(session_id=request.session_id, version=2))


class Sender(at_grpc.AtAdapterServiceServicer):
    """Stands where the AT adapter stands: a Redis round trip, one HTTP request, a Redis round trip."""

    def __init__(self, store: redis.asyncio.Redis, url: str) -> None:
        self._store = store
        self._url = url
        self._http = aiohttp.ClientSession()

    async def SendSms(self, request: Any, context: Any) -> at_pb.SendSmsResponse:
        await self._store.set("send", b"1")
        async with self._http.post(self._url, data={"to": request.to[0], "message": request.message}) as answer:
            await answer.read()
        await self._store.set("send", b"2")
        return at_pb.SendSmsResponse(summary="Sent", recipients=[at_pb.SmsRecipient(number=request.to[0])])


def front(middle: str) -> Starlette:
    """The HTTP side of the chain."""
    stub = engine_grpc.EngineServiceStub(grpc.aio.insecure_channel(middle))

    async def ussd(request: Request) -> Response:
        form = await request.form()
        answer = await stub.HandleUssd(
            engine_pb.HandleUssdRequest(session_id=str(form["sessionId"]), text=str(form["text"])), timeout=5
        )
        return PlainTextResponse(f"CON {answer.reply.text}")

    async def execute(request: Request) -> Response:
        body = await request.body()
        answer = await stub.Execute(engine_pb.ExecuteRequest(trigger_payload_json=body.decode()), timeout=5)
        return Response(b'{"executionId":"%s"}' % answer.result.execution_id.encode(), media_type="application/json")

    return Starlette(routes=[Route("/ussd", ussd, methods=["POST"]), Route("/execute", execute, methods=["POST"])])


def outside() -> Starlette:
    """Stands where Africa's Talking stands."""

    async def accept(request: Request) -> Response:
        await request.form()
        return Response(b'{"SMSMessageData":{}}', 201, media_type="application/json")

    return Starlette(routes=[Route("/", accept, methods=["POST"])])


async def serve(part: str, environ: Mapping[str, str]) -> None:
    """Runs one part until SIGTERM."""
    store = redis.asyncio.Redis.from_url(environ["BARE_REDIS"], protocol=2)
    server = grpc.aio.server()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    match part:
        case "middle":
            engine_grpc.add_EngineServiceServicer_to_server(Middle(store, environ), server)  # type: ignore[abstract]
        case "leaf":
            sessions_grpc.add_SessionServiceServicer_to_server(Leaf(store), server)  # type: ignore[abstract]
        case "sender":
            at_grpc.add_AtAdapterServiceServicer_to_server(Sender(store, environ["BARE_OUTSIDE"]), server)
    server.add_insecure_port(environ["BARE_LISTEN"])
    await server.start()
    await stop.wait()
    await server.stop(1)


async def serve_http(part: str, environ: Mapping[str, str]) -> None:
    """Runs one of the HTTP parts; its channel belongs to this loop."""
    app = front(environ["BARE_MIDDLE"]) if part == "front" else outside()
    host, _, port = environ["BARE_LISTEN"].partition(":")
    config = uvicorn.Config(
        app, host=host, port=int(port), log_config=None, access_log=False, lifespan="off", http="httptools"
    )
    await uvicorn.Server(config).serve()


def main(part: str, environ: Mapping[str, str]) -> None:
    """Runs one part: front, outside, middle, leaf or sender."""
    uvloop.run(serve_http(part, environ) if part in ("front", "outside") else serve(part, environ))


if __name__ == "__main__":
    main(sys.argv[1], os.environ)
