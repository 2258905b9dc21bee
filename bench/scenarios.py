"""What is measured: a screen of a USSD menu, and an SMS that is answered."""

import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.load import Request, post

FORM, JSON = "application/x-www-form-urlencoded", "application/json"

HOPS = 16
"""Screens of one session; the first one opens the session and is not steady, so sessions are made long."""

STEPS = ("1", "0")
"""From home to the prices and back, over and over."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    Attributes:
        ours: Requests for the real services.
        bare: Requests for the bare chain.
        our_front: Which service takes the requests: its address's name in the stack.
        our_processes: Processes that a request passes through.
    """

    name: str
    ours: Callable[[int], AsyncIterator[Request]]
    bare: Callable[[int], AsyncIterator[Request]]
    our_front: str
    our_processes: tuple[str, ...]
    bare_processes: tuple[str, ...]
    calls: str


async def ussd_turns(path: str, number: int) -> AsyncIterator[Request]:
    """Sessions that walk from screen to screen."""
    for round_ in itertools.count():
        session, text = f"ATUid_bench_{number}_{round_}_{time.time_ns()}", ""
        for hop in range(HOPS):
            body = urlencode(
                {
                    "sessionId": session,
                    "phoneNumber": "+254711000001",
                    "networkCode": "63902",
                    "serviceCode": "*384*1#",
                    "text": text,
                }
            )
            yield post(path, FORM, body.encode(), b"CON ")
            text = "*".join(part for part in (text, STEPS[hop % 2]) if part)


async def sms_echoes(path: str) -> AsyncIterator[Request]:
    """Calls that run a saved flow which sends one SMS."""
    body = json.dumps(
        {"workflowId": "bench-echo", "triggerPayload": {"msisdn": "+254711000001", "message": "hi"}}
    ).encode()
    while True:
        yield post(path, JSON, body, b'{"executionId"')


ECHO = {
    "metadata": {
        "workflowId": "bench-echo",
        "version": 1,
        "name": "Echo",
        "description": "Sends back what came in.",
        "createdBy": "bench",
        "createdAt": "2026-01-01T00:00:00Z",
    },
    "trigger": {"id": "in", "type": "SMS_RECEIVED", "config": {"keyword": "BENCH"}},
    "nodes": [{"id": "out", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "You said: {{message}}"}}],
    "edges": [{"source": "in", "target": "out"}],
}

SCENARIOS = (
    Scenario(
        "USSD turn",
        lambda number: ussd_turns("/at/ussd", number),
        lambda number: ussd_turns("/ussd", number),
        "callbacks",
        ("at_adapter", "engine", "sessions", "valkey"),
        ("front", "middle", "leaf", "valkey"),
        "2 RPCs, 4 Redis round trips",
    ),
    Scenario(
        "SMS echo",
        lambda _: sms_echoes("/api/workflows/execute"),
        lambda _: sms_echoes("/execute"),
        "gateway",
        ("gateway", "engine", "at_adapter", "emulator", "valkey"),
        ("front", "middle", "sender", "outside", "valkey"),
        "2 RPCs, 5 Redis round trips (the flow is looked up by its name), 1 HTTP request",
    ),
)
