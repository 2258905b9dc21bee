"""The set as it is for outside clients: mutual TLS, API keys, tracing, metrics, two engines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher.replicas import replicated
from launcher.stack import ONE_PROCESS_EACH, Stack
from launcher.valkey import free_port
from rpc.api_keys import new_key
from rpc.callers import Scope
from tests.rpc.certificates import Authority

SCRAPED = ("validator", "engine", "sessions", "at_adapter")
"""Services whose metrics have a listener of their own."""


@dataclass(frozen=True, slots=True)
class Served:
    """
    A set that is not started yet.

    Attributes:
        stack: Its processes.
        api_key: A key that may do everything.
        engines: Addresses of its two engines, host:port, by the names of their processes.
        tls: The variables NJIA_TLS_…: our certificates, which clients show as well.
    """

    stack: Stack
    api_key: str
    engines: Mapping[str, str]
    tls: Mapping[str, str]


def served(directory: Path, spans_to: str) -> Served:
    """Returns a set that keeps its data in a directory and sends its spans to an address."""
    authority = Authority(directory, "authority")
    shown = authority.signed("shown")
    tls = {
        "NJIA_TLS_CA_FILE": str(authority.file),
        "NJIA_TLS_CERT_FILE": str(shown.certificate),
        "NJIA_TLS_KEY_FILE": str(shown.key),
    }
    key = new_key("clients", set(Scope))
    replicas = replicated(ONE_PROCESS_EACH, {"engine": 2})
    environ = {
        **replicas.environ,
        **tls,
        **{f"NJIA_{name.upper()}_METRICS_LISTEN": f"127.0.0.1:{free_port()}" for name in SCRAPED},
        "NJIA_API_KEYS": key.line,
        "NJIA_API_RATE_PER_SECOND": "10000",
        "NJIA_SERVICE_KEY": new_key("services", {Scope.READ}).key,
        "NJIA_ENGINE_LEASE_MS": "2000",
        "OTEL_EXPORTER_OTLP_ENDPOINT": spans_to,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    own = {
        name: {**its, "NJIA_ENGINE_METRICS_LISTEN": f"127.0.0.1:{free_port()}"} for name, its in replicas.own.items()
    }
    stack = Stack(directory, layout=replicas.layout, environ=environ, own=own)
    engines = {
        name: own.get(name, replicas.environ)["NJIA_ENGINE_LISTEN"] for name in replicas.layout if "engine" in name
    }
    return Served(stack, key.key, engines, tls)
