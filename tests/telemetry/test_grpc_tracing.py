"""Spans of calls through two real servers."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from njia.sessions.v1 import sessions_service_pb2 as pb, sessions_service_pb2_grpc as stubs
from rpc.channels import open_channel
from rpc.status import CallRefused, Refusal

GET = "njia.sessions.v1.SessionService/GetSession"
FIND = "njia.sessions.v1.SessionService/FindSession"


class Back(stubs.SessionServiceServicer):
    """The called service."""

    entered: asyncio.Event
    cancelled: asyncio.Event

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.GetSessionResponse:
        if request.session_id == "lost":
            raise CallRefused(Refusal(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", "no such session"))
        if request.session_id == "down":
            raise CallRefused(Refusal(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "no Redis"))
        if request.session_id == "slow":
            self.entered.set()
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        return pb.GetSessionResponse()


class Front(stubs.SessionServiceServicer):
    """A service that calls the other one."""

    def __init__(self, back: Any) -> None:
        self.back = back

    async def FindSession(self, request: pb.FindSessionRequest, context: Any) -> pb.FindSessionResponse:
        await asyncio.gather(*(self.back.GetSession(pb.GetSessionRequest(), timeout=30) for _ in range(2)))
        return pb.FindSessionResponse()


def by_name(spans: InMemorySpanExporter, name: str, kind: SpanKind) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if (span.name, span.kind) == (name, kind)]


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def parent_id(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def until_spans(spans: InMemorySpanExporter, count: int) -> None:
    async with asyncio.timeout(30):
        while len(spans.get_finished_spans()) < count:
            await asyncio.sleep(0.01)


async def test_one_trace_runs_through_both_servers(
    start_sessions: Any, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    back = await start_sessions(Back(), provider)
    async with open_channel(back, provider) as to_back:
        front = await start_sessions(Front(stubs.SessionServiceStub(to_back)), provider)
        async with open_channel(front, provider) as to_front:
            with provider.get_tracer("test").start_as_current_span("turn"):
                await stubs.SessionServiceStub(to_front).FindSession(pb.FindSessionRequest(), timeout=30)
    await until_spans(spans, 7)

    (root,) = by_name(spans, "turn", SpanKind.INTERNAL)
    (find_sent,) = by_name(spans, FIND, SpanKind.CLIENT)
    (find_served,) = by_name(spans, FIND, SpanKind.SERVER)
    gets_sent = by_name(spans, GET, SpanKind.CLIENT)
    gets_served = by_name(spans, GET, SpanKind.SERVER)
    assert parent_id(find_sent) == span_id(root)
    assert parent_id(find_served) == span_id(find_sent)
    assert [parent_id(span) for span in gets_sent] == [span_id(find_served)] * 2
    assert {parent_id(span) for span in gets_served} == {span_id(span) for span in gets_sent}
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 1
    assert dict(find_served.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": FIND,
        "rpc.response.status_code": "OK",
    }


@pytest.mark.parametrize(
    ("session_id", "reason", "code", "server_status"),
    [
        ("lost", "SESSION_NOT_FOUND", "NOT_FOUND", StatusCode.UNSET),
        ("down", "STORE_UNAVAILABLE", "UNAVAILABLE", StatusCode.ERROR),
    ],
)
async def test_a_refusal_is_told_by_code_and_reason_and_is_no_exception(
    start_sessions: Any, provider: TracerProvider, spans: InMemorySpanExporter,
    session_id: str, reason: str, code: str, server_status: StatusCode,
) -> None:  # fmt: skip
    async with open_channel(await start_sessions(Back(), provider), provider) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await stubs.SessionServiceStub(channel).GetSession(pb.GetSessionRequest(session_id=session_id), timeout=30)
        await until_spans(spans, 2)

    (sent,), (served,) = by_name(spans, GET, SpanKind.CLIENT), by_name(spans, GET, SpanKind.SERVER)
    assert (served.attributes or {})["error.type"] == reason
    assert (sent.attributes or {})["error.type"] == code
    assert {(span.attributes or {})["rpc.response.status_code"] for span in (served, sent)} == {code}
    assert (sent.status.status_code, served.status.status_code) == (StatusCode.ERROR, server_status)
    assert not sent.events
    assert not served.events


async def test_a_cancelled_call_ends_at_the_server_and_both_spans_end(
    start_sessions: Any, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    back = Back()
    async with open_channel(await start_sessions(back, provider), provider) as channel:
        stub: Any = stubs.SessionServiceStub(channel)

        async def call() -> None:
            await stub.GetSession(pb.GetSessionRequest(session_id="slow"), timeout=30)

        calling = asyncio.create_task(call())
        await asyncio.wait_for(back.entered.wait(), 30)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await asyncio.wait_for(back.cancelled.wait(), 30)
        await until_spans(spans, 2)

    assert {(span.attributes or {})["rpc.response.status_code"] for span in spans.get_finished_spans()} == {"CANCELLED"}


async def test_a_call_that_runs_out_of_time_is_an_error_of_the_client_span(
    start_sessions: Any, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    async with open_channel(await start_sessions(Back(), provider), provider) as channel:
        await channel.channel_ready()
        with pytest.raises(grpc.aio.AioRpcError):
            await stubs.SessionServiceStub(channel).GetSession(pb.GetSessionRequest(session_id="slow"), timeout=0.5)
        await until_spans(spans, 1)

    (sent,) = by_name(spans, GET, SpanKind.CLIENT)
    assert (sent.attributes or {})["rpc.response.status_code"] == "DEADLINE_EXCEEDED"
    assert sent.status.status_code is StatusCode.ERROR


async def test_metadata_of_the_caller_goes_along(start_sessions: Any, provider: TracerProvider) -> None:
    seen: dict[str, str] = {}

    class Reader(stubs.SessionServiceServicer):
        async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.GetSessionResponse:
            seen.update(dict(context.invocation_metadata()))
            return pb.GetSessionResponse()

    async with open_channel(await start_sessions(Reader(), provider), provider) as channel:
        await stubs.SessionServiceStub(channel).GetSession(
            pb.GetSessionRequest(), timeout=30, metadata=(("x-own", "1"),)
        )

    assert seen["x-own"] == "1"
    assert seen["traceparent"].startswith("00-")


async def test_health_checks_make_no_spans_on_either_side(
    start_sessions: Any, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    target = await start_sessions(Back(), provider)
    async with open_channel(target, provider) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=30)
        await stubs.SessionServiceStub(channel).GetSession(pb.GetSessionRequest(), timeout=30)
    await until_spans(spans, 2)

    assert [span.name for span in spans.get_finished_spans()] == [GET, GET]
