"""
What a client sends, and what it must be answered.

Both sides get the same requests. Ours must be answered with what the flow says; the bare chain sends back words of the
request, so a mixed-up answer is noticed on either side.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.flows import ECHO, ECHO_KEYWORD, ECHO_SHORT_CODE, MENU_CODE, screen

OURS = "ours"
BARE = "bare"

STEADY_TURNS = 8
"""Screens of a USSD session between the first and the last one."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """
    Attributes:
        kind: What the cost of it is recorded under.
        closes: Whether the client may stop after it.
        accepts: Tells whether an answer of status 200 is the right one.
    """

    kind: str
    path: str
    content_type: str
    body: bytes
    closes: bool
    accepts: Callable[[bytes], bool]


Conversation = Iterator[Request]
"""Requests of one client without end; each is sent when the one before was answered."""


def ussd(side: str, client: str) -> Conversation:
    """Sessions of one phone after the other: dial, order a few times, leave."""
    number = 0
    while True:
        number += 1
        fields = {"sessionId": f"bench-{client}-{number}", "phoneNumber": phone(client), "serviceCode": MENU_CODE}
        entries = [str(turn % 9 + 1) for turn in range(STEADY_TURNS)]
        for typed in range(STEADY_TURNS + 2):
            last = typed == STEADY_TURNS + 1
            text = "*".join([*entries[:typed], *(["0"] if last else [])])
            expected = screen(text) if side == OURS else bare_screen(text)
            body = urlencode({**fields, "networkCode": "63902", "text": text}).encode()
            yield Request(kind_of_ussd(text), "/at/ussd", FORM, body, last, expected.encode().__eq__)


def execute(side: str, client: str) -> Conversation:
    """The echo flow, sent along with an SMS that it answers."""
    number = 0
    while True:
        number += 1
        message = f"hello {client} {number}"
        body = json.dumps({"workflow": ECHO, "triggerPayload": {"msisdn": phone(client), "message": message}}).encode()
        yield Request("execute", "/api/workflows/execute", JSON, body, True, _executed(side, message.encode()))


def incoming(side: str, client: str) -> Conversation:
    """SMS from a phone to the published echo flow."""
    del side
    number = 0
    while True:
        number += 1
        fields = {
            "id": f"bench-{client}-{number}",
            "from": phone(client),
            "to": ECHO_SHORT_CODE,
            "text": f"{ECHO_KEYWORD} hello {client} {number}",
            "date": "2026-01-01 00:00:00",
            "networkCode": "63902",
        }
        yield Request("incoming", "/at/sms", FORM, urlencode(fields).encode(), True, b"OK".__eq__)


CONVERSATIONS: Mapping[str, Callable[[str, str], Conversation]] = {
    "ussd": ussd,
    "execute": execute,
    "incoming": incoming,
}


def kind_of_ussd(text: str) -> str:
    """The kind of the request with this cumulative text."""
    if not text:
        return "ussd first"
    return "ussd last" if text.endswith("*0") else "ussd steady"


def phone(client: str) -> str:
    """A phone number of Kenya for a client, whose name ends with a number."""
    return f"+2547110{int(client.rpartition('-')[2]):05}"


def bare_screen(text: str) -> str:
    """What the bare chain answers to a text: a screen of the same length as ours."""
    return f"CON {text[-20:]:->70}"


def _executed(side: str, message: bytes) -> Callable[[bytes], bool]:
    def accepts(body: bytes) -> bool:
        if message not in body:
            return False
        if side == BARE:
            return True
        answer: dict[str, Any] = json.loads(body)
        return (answer["status"], answer["output"]["status"]) == ("completed", "Success")

    return accepts
