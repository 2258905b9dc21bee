"""An execution as it goes on: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import grpc
import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from gateway.access import may_go_on
from gateway.calls import failed
from gateway.clients import clients_of
from gateway.documents.executions import ExecutionSummary, NodeExecutionResult
from gateway.errors import refused
from gateway.parameters import Absent, ExecutionId, NoQuery
from gateway.responses import BAD_QUERY, NO_EXECUTION, SERVICE_REFUSALS
from njia.engine.v1 import engine_service_pb2 as pb
from rpc.documents import to_document
from rpc.guard import UNAUTHENTICATED

LONGEST_SECONDS = 900.0
"""A stream ends after so long; its reader comes back by itself and goes on behind the last event."""

HEARTBEAT_SECONDS = 15.0
"""A comment is sent when nothing happens for so long, so that nothing on the way takes the stream for dead."""

RETRY_MS = 1000
LARGEST_SEQUENCE = 2**32 - 1

EXAMPLE = (
    'retry: 1000\n\nid: 1\nevent: nodeResult\ndata: {"nodeId":"incoming","status":"success","durationMs":0,'
    '"executedAt":"2026-01-31T08:00:01.000Z","attempt":1,"visit":0}\n\n'
    'id: 1\nevent: execution\ndata: {"executionId":"exe_1","status":"completed"}\n\n'
)

LastEventId = Annotated[
    int | Absent,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=LARGEST_SEQUENCE,
        description="Id of the last event that was read; the stream goes on behind it.",
    ),
]

router = APIRouter(prefix="/api/workflows", tags=["Executions"])


@router.get(
    "/executions/{execution_id}/events",
    response_class=Response,
    responses={
        200: {
            "description": (
                f"Events until the execution has ended: `nodeResult` with a {NodeExecutionResult.__name__}, and"
                f" `execution` with an {ExecutionSummary.__name__} whenever it stands otherwise. Their id counts the"
                " node results. An event `error` holds an Error; the reader comes back by itself."
            ),
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
        204: {"description": "The execution has ended and the reader has seen all of it: nothing more will come."},
        **BAD_QUERY,
        **NO_EXECUTION,
        **SERVICE_REFUSALS,
    },
)
async def watch_execution(
    request: Request, execution_id: ExecutionId, _: Annotated[NoQuery, Query()], last_event_id: LastEventId = None
) -> Response:
    """Follows an execution: what its nodes answered so far, then each answer as it becomes durable, until the end."""
    call = clients_of(request).engine.WatchExecution(
        pb.WatchExecutionRequest(execution_id=execution_id, after_sequence=last_event_id or 0), timeout=LONGEST_SECONDS
    )
    try:
        first = await call.read()
    except grpc.aio.AioRpcError as error:
        raise failed(error) from None
    if last_event_id is not None and isinstance(first, pb.WatchExecutionResponse) and _has_ended(first):
        call.cancel()
        return Response(status_code=204)
    return StreamingResponse(
        _events(call, first, request.app.state.stopping, lambda: may_go_on(request)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    call: Any, message: Any, stopping: asyncio.Event, may_go_on: Callable[[], bool]
) -> AsyncIterator[bytes]:
    stopped = asyncio.create_task(stopping.wait())
    reading: asyncio.Task[Any] | None = None
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while message is not grpc.aio.EOF:
            yield _event(message)
            reading = asyncio.create_task(call.read())
            while not reading.done():
                await asyncio.wait({reading, stopped}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if stopped.done():
                    return
                if not may_go_on():
                    yield _written("error", refused(UNAUTHENTICATED).document())
                    return
                if not reading.done():
                    yield b": still here\n\n"
            message = reading.result()
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            yield _written("error", failed(error).document())
    finally:
        stopped.cancel()
        if reading is not None:
            reading.cancel()
        call.cancel()


def _event(message: pb.WatchExecutionResponse) -> bytes:
    if message.WhichOneof("event") == "node_result":
        return _written("nodeResult", to_document(message.node_result), message.sequence)
    return _written("execution", summary_of(message.execution), message.sequence)


def _written(name: str, document: dict[str, Any], number: int | None = None) -> bytes:
    head = f"event: {name}\n" if number is None else f"id: {number}\nevent: {name}\n"
    return head.encode() + b"data: " + orjson.dumps(document) + b"\n\n"


def _has_ended(message: pb.WatchExecutionResponse) -> bool:
    return message.WhichOneof("event") == "execution" and message.execution.HasField("completed_at")


def summary_of(execution: pb.ExecutionLog) -> dict[str, Any]:
    """Returns an execution without what its nodes answered."""
    document = to_document(execution)
    # Lists of messages are always present in a document; the engine leaves these empty in a summary.
    del document["nodeResults"], document["deliveryReports"]
    return document
