"""The OpenTelemetry SDK for metrics and its exporter for Prometheus; loaded only where metrics are exposed."""

import asyncio

import structlog
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from telemetry import attributes
from telemetry.metrics import Meters

REFRESH_SECONDS = 1.0
"""How long what is looked up before a scrape may take; then the scrape does without."""

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Media type of what `Exposition.text` returns."""

_log = structlog.get_logger()


class Exposition:
    """
    The metrics of one service, as Prometheus reads them.

    Attributes:
        meters: Makes the instruments.
    """

    def __init__(self, service: str) -> None:
        # A registry of its own: the one of the process would mix the services that share it.
        self._registry = CollectorRegistry()
        # Each metric has at most 2000 rows, the SDK's own bound; what is beyond is one row for all.
        reader = PrometheusMetricReader(scope_info_enabled=False, registry=self._registry)
        resource = Resource.create({attributes.SERVICE_NAME: service, attributes.SERVICE_NAMESPACE: "njia"})
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        self.meters = Meters(self._provider.get_meter("njia"), recording=True)

    async def text(self) -> bytes:
        """Returns all metrics in the text format of Prometheus."""
        for refresh in self.meters.refreshes:
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await refresh()
            except Exception as problem:  # noqa: BLE001 (one value that is not known must not hide the others)
                _log.warning("a metric could not be looked up", why=repr(problem))
        # Writing some thousand rows takes milliseconds, which calls need not wait for.
        return await asyncio.to_thread(generate_latest, self._registry)

    def close(self) -> None:
        """Ends the provider."""
        self._provider.shutdown()
