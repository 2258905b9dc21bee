"""An OTLP receiver that is not ours: Datadog's test agent, which keeps what it was sent and gives it back as JSON."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from clients.installing import Tools
from launcher.valkey import free_port

READY_SECONDS = 60.0
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Span:
    """
    A span as the receiver tells it.

    Attributes:
        service: Attribute service.name of its resource.
        kind: server, client or internal.
        parent_id: Empty where it is the first of its trace.
        start: Unix nanoseconds.
        end: Unix nanoseconds.
        attributes: Its own, each with the type that OTLP gave it.
        resource: Those of its resource.
        links: Traces that it names beside its own.
    """

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    links: Sequence[str]


@dataclass(frozen=True, slots=True)
class Receiver:
    """
    A receiver that runs.

    Attributes:
        url: What OTEL_EXPORTER_OTLP_ENDPOINT is set to.
    """

    url: str

    async def spans(self) -> list[Span]:
        """All spans that were received."""
        async with httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{self.url}/test/session/traces")
        found = []
        for request in answer.raise_for_status().json():
            for of_resource in request["resource_spans"]:
                resource = _values(of_resource["resource"]["attributes"])
                for of_scope in of_resource["scope_spans"]:
                    found += [_span(span, resource) for span in of_scope["spans"]]
        return found


@asynccontextmanager
async def receiving(tools: Tools, log: Path) -> AsyncIterator[Receiver]:
    """Runs the receiver on free ports of this machine."""
    ports = {option: str(free_port()) for option in ("--port", "--otlp-http-port", "--otlp-grpc-port")}
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            tools.receiver,
            *("--host", "127.0.0.1", "--disable-llmobs-data-forwarding"),
            *(part for option in ports.items() for part in option),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=log.parent,
            env={name: value for name, value in os.environ.items() if not name.startswith("DD_")},
        )
    try:
        receiver = Receiver(f"http://127.0.0.1:{ports['--otlp-http-port']}")
        async with asyncio.timeout(READY_SECONDS):
            while not await _answers(receiver):
                await asyncio.sleep(0.1)
        yield receiver
    finally:
        running.terminate()
        await running.wait()


async def _answers(receiver: Receiver) -> bool:
    try:
        await receiver.spans()
    except httpx.TransportError:
        return False
    return True


def _span(told: Mapping[str, Any], resource: Mapping[str, Any]) -> Span:
    return Span(
        service=str(resource["service.name"]),
        name=told["name"],
        kind=told["kind"].removeprefix("SPAN_KIND_").lower(),
        trace_id=told["trace_id"],
        span_id=told["span_id"],
        parent_id=told.get("parent_span_id", ""),
        start=int(told["start_time_unix_nano"]),
        end=int(told["end_time_unix_nano"]),
        attributes=_values(told.get("attributes", [])),
        resource=resource,
        links=[link["trace_id"] for link in told.get("links", [])],
    )


def _values(attributes: Any) -> dict[str, Any]:
    found = {}
    for attribute in attributes:
        ((kind, value),) = attribute["value"].items()
        # JSON holds no 64-bit integers, so that they are texts there.
        found[attribute["key"]] = int(value) if kind == "int_value" else value
    return found
