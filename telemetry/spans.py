"""
Every kind of span, once: its name, the services that emit it, where it stands in a trace and what it carries.

Names are made of attributes, so that a name never tells what no attribute may: route templates and never paths, node
types and never texts. What else a trace holds was brought by the caller.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import SpanKind

from telemetry import attributes

_ATTRIBUTE = re.compile(r"{([a-z_.]+)}")


@dataclass(frozen=True, slots=True)
class SpanType:
    """
    One kind of span.

    Attributes:
        template: Its name; an attribute in braces stands for its value.
        kind: Which side of a call it is.
        services: Who emits it.
        below: Templates of the spans that it may be a child of.
        begins: Whether it may begin a trace, or go on with that of a caller who is not of the platform.
        always: What every one of them carries.
        at_times: What it may carry beside.
    """

    template: str
    kind: SpanKind
    services: Sequence[str]
    below: Sequence[str]
    begins: bool
    always: Sequence[str]
    at_times: Sequence[str] = ()

    def named(self, values: Mapping[str, Any]) -> str:
        """Returns the name of a span with these attributes; those that it has not are left out."""
        return _ATTRIBUTE.sub(lambda found: str(values.get(found[1], "")), self.template).strip()


HTTP_REQUEST: Final = SpanType(
    f"{{{attributes.HTTP_METHOD}}} {{{attributes.HTTP_ROUTE}}}",
    SpanKind.SERVER,
    ("gateway", "at_adapter"),
    below=(),
    begins=True,
    always=(attributes.HTTP_METHOD,),
    at_times=(attributes.HTTP_ROUTE, attributes.HTTP_STATUS_CODE, attributes.ERROR_TYPE, attributes.SESSION_ID),
)
"""A request to the REST API, or a callback of Africa's Talking. Without a route none serves it."""

_RPC = f"{{{attributes.RPC_METHOD}}}"
_RUN = "run execution"
_NODE = f"execute {{{attributes.NODE_TYPE}}}"

RPC_CALL: Final = SpanType(
    _RPC,
    SpanKind.CLIENT,
    ("gateway", "at_adapter", "engine"),
    below=(HTTP_REQUEST.template, _RPC, _RUN, _NODE),
    # A report that had to wait for the engine is handed over by nobody's request.
    begins=True,
    always=(attributes.RPC_SYSTEM, attributes.RPC_METHOD, attributes.RPC_STATUS),
    at_times=(attributes.ERROR_TYPE,),
)
"""A gRPC call at the side that makes it."""

RPC_SERVED: Final = SpanType(
    _RPC,
    SpanKind.SERVER,
    ("validator", "engine", "sessions", "at_adapter"),
    below=(_RPC,),
    begins=True,
    always=(attributes.RPC_SYSTEM, attributes.RPC_METHOD, attributes.RPC_STATUS),
    at_times=(attributes.ERROR_TYPE,),
)
"""The same call at the side that answers it."""

RUN: Final = SpanType(
    _RUN,
    SpanKind.INTERNAL,
    ("engine",),
    below=(_RPC,),
    # Timers, schedules and what another engine left.
    begins=True,
    always=(
        attributes.WORKFLOW_ID,
        attributes.WORKFLOW_VERSION,
        attributes.EXECUTION_ID,
        attributes.EXECUTION_DRY_RUN,
    ),
    at_times=(attributes.EXECUTION_STATUS, attributes.ERROR_TYPE),
)
"""What an execution does between two rests; it links to the one before. Without a status it broke off."""

NODE: Final = SpanType(
    _NODE,
    SpanKind.INTERNAL,
    ("engine",),
    below=(_RUN,),
    begins=False,
    always=(
        attributes.WORKFLOW_ID,
        attributes.WORKFLOW_VERSION,
        attributes.EXECUTION_ID,
        attributes.NODE_ID,
        attributes.NODE_TYPE,
        attributes.NODE_ATTEMPT,
        attributes.NODE_VISIT,
    ),
    at_times=(attributes.NODE_STATUS, attributes.ERROR_TYPE),
)
"""One attempt of a node."""

SEND: Final = SpanType(
    f"{{{attributes.PROVIDER_OPERATION}}}",
    SpanKind.CLIENT,
    ("at_adapter",),
    below=(_RPC,),
    begins=False,
    always=(attributes.PROVIDER_OPERATION,),
    at_times=(
        attributes.RECIPIENT_COUNT,
        attributes.PROVIDER_STATUS_CODE,
        attributes.HTTP_STATUS_CODE,
        attributes.ERROR_TYPE,
    ),
)
"""One request to Africa's Talking."""

SPAN_TYPES: Final[Sequence[SpanType]] = (HTTP_REQUEST, RPC_CALL, RPC_SERVED, RUN, NODE, SEND)
"""All of them."""

CALLS: Final[Mapping[str, Sequence[str]]] = {
    "gateway": ("validator", "engine", "sessions"),
    "at_adapter": ("engine",),
    "engine": ("validator", "sessions", "at_adapter"),
}
"""Which service calls which, each with a span at both ends. Health is asked for without any."""
