"""A small OTLP collector: takes spans over HTTP as protobuf and keeps them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.trace import NoOpTracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rpc.http_server import serve_http


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it was exported; ids are hexadecimal, times Unix nanoseconds."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    links: tuple[str, ...]
    error: bool

    def overlaps(self, other: "Span") -> bool:
        """Whether both were open at one moment."""
        return self.start < other.end and other.start < self.end


@dataclass(slots=True)
class Collector:
    """
    Attributes:
        url: What OTEL_EXPORTER_OTLP_ENDPOINT is set to.
        spans: What came, in the order of its arrival.
        raw: The requests as they came, to search for what must not be in them.
    """

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace, by start."""
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.start)

    def is_whole(self, trace_id: str, root: str) -> bool:
        """Whether all of a trace has come: its root, the parent of every span, and the server's side of every call."""
        spans = self.trace(trace_id)
        ids, parents = {span.span_id for span in spans}, {span.parent_id for span in spans}
        roots = [span for span in spans if span.parent_id not in ids]
        called = [span for span in spans if span.kind == "client" and "rpc.system.name" in span.attributes]
        return [span.name for span in roots] == [root] and all(span.span_id in parents for span in called)

    def named(self, name: str, **attributes: Any) -> list[Span]:
        """The spans with a name and with these attributes (`workflow_id` is `workflow.id`)."""
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}
        return [
            span
            for span in self.spans
            if span.name == name and all(span.attributes.get(key) == value for key, value in wanted.items())
        ]

    async def take(self, request: Request) -> Response:
        """Answers POST /v1/traces."""
        body = await request.body()
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = str(_values(resource.resource.attributes)["service.name"])
            for scope in resource.scope_spans:
                self.spans += [_span(service, span) for span in scope.spans]
        return Response(ExportTraceServiceResponse().SerializeToString(), media_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Runs a collector on a port of its own."""
    collector = Collector()
    app = Starlette(routes=[Route("/v1/traces", collector.take, methods=["POST"])])
    server = await serve_http(
        app, listen="127.0.0.1:0", stop=asyncio.Event(), tracer_provider=NoOpTracerProvider(), grace_seconds=1
    )
    collector.url = f"http://127.0.0.1:{server.port}"
    try:
        yield collector
    finally:
        await server.stop()


def _span(service: str, message: SpanMessage) -> Span:
    return Span(
        service=service,
        name=message.name,
        kind=SpanMessage.SpanKind.Name(message.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        parent_id=message.parent_span_id.hex(),
        start=message.start_time_unix_nano,
        end=message.end_time_unix_nano,
        attributes=_values(message.attributes),
        links=tuple(link.trace_id.hex() for link in message.links),
        error=message.status.code == 2,
    )


def _values(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)
