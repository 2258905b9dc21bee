"""The OpenTelemetry SDK and its exporter; loaded only when spans are exported."""

import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, TracerProvider as ApiTracerProvider
from opentelemetry.util.types import Attributes, AttributeValue

from telemetry import attributes
from telemetry.masking import mask_text


class MaskingExporter(SpanExporter):
    """The last line of defence: masks what looks like a phone number in the spans, then hands them on."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Exports masked copies. Runs on the exporter's own thread."""
        if self._closed:
            return SpanExportResult.FAILURE
        return self._exporter.export([_masked(span) for span in spans])

    def shutdown(self) -> None:
        """Closes the exporter: what it sends now is its last batch."""
        if not self._closed:
            self._closed = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Sends what the exporter holds."""
        return self._exporter.force_flush(timeout_millis)


class ExportingProvider(TracerProvider):
    """
    Sends its spans in batches.

    Attributes:
        exporter: Takes the batches.
    """

    def __init__(self, resource: Resource, exporter: SpanExporter) -> None:
        # The process entry closes every provider; an exit handler would do it a second time.
        super().__init__(resource=resource, shutdown_on_exit=False)
        self.exporter = exporter
        self.add_span_processor(BatchSpanProcessor(exporter))


def exporting_provider(service_name: str, endpoint: str) -> ExportingProvider:
    """
    Returns a provider that sends its spans in batches.

    Args:
        service_name: The service.name of the spans.
        endpoint: URL that takes OTLP traces over HTTP.
    """
    resource = Resource.create({attributes.SERVICE_NAME: service_name, attributes.SERVICE_NAMESPACE: "njia"})
    return ExportingProvider(resource, MaskingExporter(OTLPSpanExporter(endpoint=endpoint)))


def flush_and_close(provider: ApiTracerProvider, within_ms: int) -> None:
    """Sends the spans still held, for so long at most, and closes the provider."""
    if isinstance(provider, ExportingProvider):
        # The SDK heeds no limit of its own: it waits for every batch until the exporter gives it up (10 s each), and
        # half a minute behind that. A daemon keeps no process from ending.
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        closing.join(within_ms / 1000)
        provider.exporter.shutdown()


def _masked(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=mask_text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_masked_attributes(span.attributes),
        events=[
            Event(mask_text(event.name), _masked_attributes(event.attributes), event.timestamp) for event in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, mask_text(span.status.description or "") or None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _masked_attributes(values: Attributes) -> Attributes:
    return {name: _masked_value(value) for name, value in (values or {}).items()}


def _masked_value(value: AttributeValue) -> AttributeValue:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Sequence) and value and isinstance(value[0], str):
        return [mask_text(str(part)) for part in value]
    return value
