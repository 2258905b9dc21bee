"""Spans of HTTP requests say what was asked for and keep secrets and phone numbers out."""

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, StatusCode

from telemetry.http_tracing import traced


@pytest.fixture
def app() -> FastAPI:
    """A few routes."""
    routes = FastAPI()

    @routes.post("/at/{token}/ussd")
    async def ussd(token: str) -> dict[str, str]:
        return {}

    @routes.get("/broken")
    async def broken() -> None:
        raise ValueError("+254711000001")

    @routes.get("/health")
    async def health() -> dict[str, str]:
        return {}

    return routes


async def test_a_request_is_named_by_its_route_and_joins_the_callers_trace(
    app: FastAPI, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    transport = httpx.ASGITransport(traced(app, provider))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        await client.post("/at/very-secret-token/ussd?msisdn=%2B254711000001", headers={"traceparent": parent})

    (span,) = spans.get_finished_spans()
    assert span.name == "POST /at/{token}/ussd"
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/at/{token}/ussd",
        "http.response.status_code": 200,
    }
    assert span.parent is not None
    assert format(span.parent.trace_id, "032x") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert "secret" not in span.to_json()


async def test_a_failed_request_is_an_error_without_the_text_of_the_exception(
    app: FastAPI, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    transport = httpx.ASGITransport(traced(app, provider), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/broken")).status_code == 500

    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert "711000" not in span.to_json()


async def test_health_checks_make_no_spans(app: FastAPI, provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(traced(app, provider)), base_url="http://test"
    ) as client:
        assert (await client.get("/health")).status_code == 200

    assert spans.get_finished_spans() == ()


def test_nothing_is_installed_where_nothing_is_recorded(app: FastAPI) -> None:
    assert traced(app, NoOpTracerProvider()) is app
