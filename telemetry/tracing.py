"""Where spans go: one provider a service, so that service.name is right when several share a process."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace

from telemetry import attributes
from telemetry.spans import SpanType

EXPORT_WITHIN_MS = 5_000
"""How long the spans still held may take to leave at shutdown."""

DEFAULT_ENDPOINT = "http://localhost:4318"
"""Where an OTLP collector listens for HTTP, by the OpenTelemetry specification."""

_log = structlog.get_logger()


def provider(service_name: str, environ: Mapping[str, str]) -> trace.TracerProvider:
    """
    Returns the provider of a service: it exports by OTLP over HTTP when the environment asks for it, else is a no-op.

    It exports when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, or OTEL_TRACES_EXPORTER
    is otlp; never when OTEL_SDK_DISABLED is true or OTEL_TRACES_EXPORTER is something else. The exporter and the SDK
    read the other OTEL_ variables (headers, time-outs, sampler, batch sizes) themselves from the process environment.

    Args:
        service_name: The service.name of its spans, such as engine. OTEL_SERVICE_NAME is not used: one process may
            hold several services.
        environ: The environment.
    """
    endpoint = _endpoint(environ)
    if endpoint is None:
        return trace.NoOpTracerProvider()
    # The SDK is loaded only where it is used: it costs a quarter of a second at start.
    from telemetry.exporting import exporting_provider

    return exporting_provider(service_name, endpoint)


def records(tracer_provider: trace.TracerProvider) -> bool:
    """Tells whether spans of this provider go anywhere. Nothing is installed for one that does not record."""
    return not isinstance(tracer_provider, trace.NoOpTracerProvider)


@contextmanager
def span_of(
    tracer: trace.Tracer, declared: SpanType, values: Mapping[str, Any], **options: Any
) -> Iterator[trace.Span]:
    """
    Makes a span with these attributes and has it current; the options are those of `start_as_current_span`.

    What fails inside is told by its type alone: the message of an exception may hold what a person typed or a request
    held. The log has it, masked.
    """
    with tracer.start_as_current_span(
        declared.named(values),
        kind=declared.kind,
        attributes=values,
        record_exception=False,
        set_status_on_exception=False,
        **options,
    ) as span:
        try:
            yield span
        except Exception as problem:
            span.set_attribute(attributes.ERROR_TYPE, type(problem).__name__)
            span.set_status(trace.Status(trace.StatusCode.ERROR))
            raise


async def shut_down(tracer_provider: trace.TracerProvider) -> None:
    """Sends the spans still held and closes the provider; gives up after EXPORT_WITHIN_MS."""
    if not records(tracer_provider):
        return
    # Loaded by `provider` already.
    from telemetry.exporting import flush_and_close

    # The SDK blocks while it sends.
    await asyncio.to_thread(flush_and_close, tracer_provider, EXPORT_WITHIN_MS)


def _endpoint(environ: Mapping[str, str]) -> str | None:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    exporters = [name.strip() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()]
    if exporters and "otlp" not in exporters:
        if exporters != ["none"]:
            _log.warning("only the otlp exporter of traces is built in; spans are not exported", exporters=exporters)
        return None
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        _log.warning("traces are exported as http/protobuf, the one protocol built in", asked_for=protocol)
    traces = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip()
    if traces:
        return traces
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or (DEFAULT_ENDPOINT if exporters else "")
    return f"{base.rstrip('/')}/v1/traces" if base else None
