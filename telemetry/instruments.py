"""
Every metric, once: its name, unit, attributes and the services that emit it.

Names and units are those of the OpenTelemetry conventions where there is one, else njia first. Prometheus shows
njia.node.duration in s as njia_node_duration_seconds, and a counter with _total behind. No attribute holds a phone
number or anything that a person typed, and every attribute has a bound (docs/limits.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from telemetry import attributes


class Kind(StrEnum):
    """How values of a metric add up."""

    COUNTER = auto()
    HISTOGRAM = auto()
    GAUGE = auto()


@dataclass(frozen=True, slots=True)
class Instrument:
    """
    One metric.

    Attributes:
        unit: As UCUM writes it; in braces what is counted.
        attributes: What its values are told apart by.
        services: Who emits it.
        bounds: Upper bounds of the buckets of a histogram, in its unit.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    attributes: Sequence[str]
    services: Sequence[str]
    bounds: Sequence[float] = ()


_GRPC_SERVICES = ("validator", "engine", "sessions", "at_adapter")
_ENGINE, _ADAPTER = ("engine",), ("at_adapter",)
# A screen must leave within 8 s; what is slower than 10 s nobody waits for.
_CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 10.0)
_NODES = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

RPC_SERVER_DURATION: Final = Instrument(
    "rpc.server.call.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that gRPC calls took at the server",
    (attributes.RPC_METHOD, attributes.RPC_STATUS),
    _GRPC_SERVICES,
    _CALLS,
)
TLS_CERTIFICATE_END: Final = Instrument(
    "njia.tls.certificate.not_after",
    Kind.GAUGE,
    "s",
    "When the certificate that the service shows ends, Unix time; only where it has one",
    (),
    (*_GRPC_SERVICES, "gateway"),
)
HTTP_SERVER_DURATION: Final = Instrument(
    "http.server.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that HTTP requests took at the server",
    (attributes.HTTP_METHOD, attributes.HTTP_ROUTE, attributes.HTTP_STATUS_CODE),
    ("gateway", "at_adapter"),
    _CALLS,
)
EXECUTIONS: Final = Instrument(
    "njia.executions",
    Kind.COUNTER,
    "{execution}",
    "Executions that ended, without rehearsals",
    (attributes.WORKFLOW_ID, attributes.EXECUTION_STATUS),
    _ENGINE,
)
NODE_DURATION: Final = Instrument(
    "njia.node.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that attempts of nodes took, without waits for people and timers",
    (attributes.NODE_TYPE, attributes.NODE_STATUS),
    _ENGINE,
    _NODES,
)
NODE_FAILURES: Final = Instrument(
    "njia.node.failures",
    Kind.COUNTER,
    "{attempt}",
    "Attempts of nodes that failed",
    (attributes.NODE_TYPE, attributes.ERROR_TYPE),
    _ENGINE,
)
NODE_RETRIES: Final = Instrument(
    "njia.node.retries",
    Kind.COUNTER,
    "{attempt}",
    "Attempts of nodes after the first",
    (attributes.NODE_TYPE,),
    _ENGINE,
)
WAITS: Final = Instrument(
    "njia.waits",
    Kind.COUNTER,
    "{wait}",
    "Waits that executions came to rest in",
    (attributes.WAIT_KIND,),
    _ENGINE,
)
DROP_OFFS: Final = Instrument(
    "njia.screen.drop_offs",
    Kind.COUNTER,
    "{person}",
    "People who left at a screen or in a call: they hung up, or did not answer in time",
    (attributes.WORKFLOW_ID, attributes.NODE_ID),
    _ENGINE,
)
LIVE_RUNS: Final = Instrument(
    "njia.engine.live_runs", Kind.GAUGE, "{execution}", "Executions that run in this process now", (), _ENGINE
)
LIVE_RUNS_ROOM: Final = Instrument(
    "njia.engine.room", Kind.GAUGE, "{execution}", "How many more executions may begin in this process now", (), _ENGINE
)
GRAPHS_READY: Final = Instrument(
    "njia.engine.graphs_ready", Kind.GAUGE, "{graph}", "Compiled flows kept in memory", (), _ENGINE
)
GRAPH_LOOKUPS: Final = Instrument(
    "njia.engine.graph_lookups",
    Kind.COUNTER,
    "{lookup}",
    "Compiled flows that were asked for, by where they were found: memory, or store (Redis or the validator)",
    (attributes.FOUND_IN,),
    _ENGINE,
)
USSD_TURN_DURATION: Final = Instrument(
    "njia.ussd.turn.duration",
    Kind.HISTOGRAM,
    "s",
    "Time from a USSD callback to its screen: con, end, or unavailable where the engine made none",
    (attributes.USSD_SCREEN,),
    _ADAPTER,
    _CALLS,
)
PROVIDER_DURATION: Final = Instrument(
    "njia.at.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that sends to Africa's Talking took, by product and by what became of them",
    (attributes.PROVIDER_PRODUCT, attributes.PROVIDER_OUTCOME),
    _ADAPTER,
    _CALLS,
)
SMS_SEGMENTS: Final = Instrument(
    "njia.sms.segments", Kind.COUNTER, "{segment}", "Parts of SMS that Africa's Talking took", (), _ADAPTER
)
PROVIDER_COST: Final = Instrument(
    "njia.at.cost",
    Kind.COUNTER,
    "{money}",
    "What Africa's Talking asked for SMS and airtime, less its discount, in units of the currency",
    (attributes.PROVIDER_PRODUCT, attributes.CURRENCY),
    _ADAPTER,
)
SENDS_UNDER_WAY: Final = Instrument(
    "njia.at.sends.under_way",
    Kind.GAUGE,
    "{send}",
    "Sends that hold a place in this process",
    (attributes.PROVIDER_PRODUCT,),
    _ADAPTER,
)
SENDS_QUEUED: Final = Instrument(
    "njia.at.sends.queued",
    Kind.GAUGE,
    "{send}",
    "Sends that wait for a place in this process",
    (attributes.PROVIDER_PRODUCT,),
    _ADAPTER,
)
OUTBOX_DEPTH: Final = Instrument(
    "njia.at.outbox.depth", Kind.GAUGE, "{report}", "Reports that wait for the engine, over all adapters", (), _ADAPTER
)

INSTRUMENTS: Final[Sequence[Instrument]] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Instrument)
)
"""All of them."""
