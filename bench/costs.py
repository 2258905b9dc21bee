"""What each kind of request costs in calls and trips, recorded from our services as they really run."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from bench.conversations import CONVERSATIONS, OURS, STEADY_TURNS, Request
from bench.ours import prepare, url_of
from bench.wire import Call, Trip, Wire
from launcher import addresses
from launcher.stack import ONE_PROCESS, Stack

TAIL_SECONDS = 0.15
"""How long to wait for what goes on behind an answer. A turn takes some milliseconds."""

WARM_UP = STEADY_TURNS + 2
"""Requests before the recording: a USSD session."""


@dataclass(frozen=True, slots=True)
class Step:
    """
    One thing that a service does for a request.

    Attributes:
        does: "trip" or "call".
        service: Who makes the trip, or is called.
        sent, received: Bytes.
        is_tail: Whether the engine answered before it was over, and so did not wait for it.
    """

    does: str
    service: str
    sent: int
    received: int
    is_tail: bool


Costs = Mapping[str, Sequence[Step]]
"""The steps of each kind of request, in order."""


def to_json(costs: Costs) -> str:
    """Writes costs."""
    return json.dumps({kind: [asdict(step) for step in steps] for kind, steps in costs.items()})


def from_json(text: str) -> Costs:
    """Reads costs."""
    return {kind: [Step(**step) for step in steps] for kind, steps in json.loads(text).items()}


async def record(directory: Path) -> Costs:
    """Runs our services behind counting proxies, sends one request of each kind and returns what they did."""
    wire = Wire()
    listens = addresses.free_listens()
    async with AsyncExitStack() as parts:
        environ: dict[str, str] = dict(listens)
        for name in ("ENGINE", "SESSIONS", "AT_ADAPTER", "VALIDATOR"):
            upstream = _port(listens[f"NJIA_{name}_LISTEN"])
            proxy = wire.grpc(name.lower(), lambda upstream=upstream: upstream)  # type: ignore[misc]
            environ[f"NJIA_{name}_TARGET"] = f"127.0.0.1:{await parts.enter_async_context(proxy)}"
        redis = await parts.enter_async_context(wire.redis(lambda: _port(urlsplit(stack.redis_url).netloc)))
        environ["NJIA_REDIS_URL"] = f"redis://127.0.0.1:{redis}/0"
        # What the engine looks for now and then is no part of a request.
        environ["NJIA_ENGINE_SCAN_MS"] = "60000"
        stack = Stack(directory, layout=ONE_PROCESS, environ=environ)
        await parts.enter_async_context(stack)
        await prepare(stack)
        costs: dict[str, Sequence[Step]] = {}
        async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
            for scenario, conversation in CONVERSATIONS.items():
                requests = conversation(OURS, "recorded-1")
                for _ in range(WARM_UP):
                    await _send(client, url_of(stack, scenario), next(requests))
                for request in requests:
                    await asyncio.sleep(TAIL_SECONDS)
                    wire.events.clear()
                    await _send(client, url_of(stack, scenario), request)
                    await asyncio.sleep(TAIL_SECONDS)
                    costs[request.kind] = _steps(wire.events)
                    if request.closes:
                        break
        return costs


async def _send(client: httpx.AsyncClient, url: str, request: Request) -> None:
    answer = await client.post(url + request.path, content=request.body, headers={"content-type": request.content_type})
    if answer.status_code != httpx.codes.OK or not request.accepts(answer.content):
        raise RuntimeError(f"{request.body!r} was answered {answer.status_code} {answer.text}")


def _steps(events: Sequence[Trip | Call]) -> Sequence[Step]:
    # The first call is the one that the engine gets.
    answered = next(event.ended for event in events if isinstance(event, Call))
    return [
        Step(
            "trip" if isinstance(event, Trip) else "call",
            event.service,
            event.sent,
            event.received,
            is_tail=event.ended > answered,
        )
        for event in events
    ]


def _port(listen: str) -> int:
    return int(listen.rpartition(":")[2])


def count(steps: Sequence[Step], does: str) -> int:
    """How many calls or trips there are."""
    return sum(step.does == does for step in steps)


def summary(costs: Costs) -> dict[str, dict[str, Any]]:
    """Calls and trips of each kind, with their bytes."""
    return {
        kind: {
            "calls": count(steps, "call"),
            "trips": count(steps, "trip"),
            "called": [step.service for step in steps if step.does == "call"],
            "tripsOf": [step.service for step in steps if step.does == "trip"],
            "callBytes": sum(step.sent + step.received for step in steps if step.does == "call"),
            "tripBytes": sum(step.sent + step.received for step in steps if step.does == "trip"),
        }
        for kind, steps in costs.items()
    }
