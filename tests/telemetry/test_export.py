"""Spans leave by OTLP when the environment asks for it, and only then; a real HTTP server takes them."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import Status, StatusCode

from telemetry import tracing


class Collector:
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running collector."""
    running = Collector()
    yield running
    running.server.shutdown()
    running.server.server_close()


async def test_spans_reach_the_collector_before_shutdown_returns_and_are_masked(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "EXPORT_WITHIN_MS", 60_000)
    provider = tracing.provider("engine", {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{collector.url}/"})
    with provider.get_tracer("test").start_as_current_span("send to +254711000001") as span:
        span.set_attribute("to", ["+254711000001"])
        span.add_event("sent", {"number": "254711000001", "count": 1})
        span.set_status(Status(StatusCode.ERROR, "no route to +254711000001"))
    await tracing.shut_down(provider)

    (request,) = collector.requests
    (resource,) = request.resource_spans
    attributes = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert (attributes["service.name"], attributes["service.namespace"]) == ("engine", "njia")
    (exported,) = resource.scope_spans[0].spans
    assert exported.name == "send to +2547*****001"
    assert exported.events[0].name == "sent"
    assert b"711000" not in request.SerializeToString()


async def test_a_collector_that_does_not_answer_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "EXPORT_WITHIN_MS", 200)
    provider = tracing.provider("engine", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"})
    assert tracing.records(provider)
    await tracing.shut_down(provider)


class Silent:
    """Takes connections and requests, and answers nothing until `release` is set."""

    def __init__(self) -> None:
        self.requests = 0
        self.release = threading.Event()
        silent = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                silent.requests += 1
                silent.release.wait(60)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


async def test_a_collector_that_takes_spans_and_says_nothing_holds_up_neither_turns_nor_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing, "EXPORT_WITHIN_MS", 200)
    # So that no second batch goes out while this machine is busy making spans.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    silent = Silent()
    provider = tracing.provider("engine", {"OTEL_EXPORTER_OTLP_ENDPOINT": silent.url})
    tracer = provider.get_tracer("test")
    # More than twice what the queue holds; what does not fit is dropped, and that is said once.
    for _ in range(5000):
        tracer.start_span("a turn").end()
    await tracing.shut_down(provider)

    # Whoever waited for each batch had seen them all by now.
    assert silent.requests <= 1
    # The SDK says it anew every 20 s, and not for each span.
    assert len([record for record in caplog.records if "dropping" in record.msg]) < 10
    silent.release.set()
    silent.server.shutdown()
    silent.server.server_close()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "zipkin"},
    ],
)
def test_nothing_is_recorded_unless_asked_for(environ: dict[str, str]) -> None:
    assert not tracing.records(tracing.provider("engine", environ))


async def test_asking_for_the_exporter_alone_uses_the_standard_address() -> None:
    provider = tracing.provider("engine", {"OTEL_TRACES_EXPORTER": "otlp"})

    assert tracing.records(provider)
    await tracing.shut_down(provider)
