"""
Callers of the platform, as good clients are: what got no answer is asked again, the same way.

Each caller does one thing after the other until the load is over, and finishes what it began.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import aiohttp

from services.at_adapter.callbacks.ussd import UNAVAILABLE_TEXT
from tests.chaos.facts import Facts, Talk
from tests.chaos.flows import ANSWER_SECONDS, ANSWERS_KEYWORD, APOLOGY, ORDERS, SHORT_CODE, SURVEY, SURVEY_CODE

CALL_SECONDS = 12.0
"""Deadline of one attempt; Africa's Talking waits 10 s for a screen."""

ANSWERED_WITHIN_SECONDS = 90.0
"""A caller that has no answer by then found a defect."""

APOLOGIES_FOR_SECONDS = 15.0
"""A callback whose answer is the apology for longer than that was closed by it: leases are far shorter."""

HANGING_UP_SECONDS = ANSWER_SECONDS / 4
"""Who hangs up does so in the last part of the load, so that the flow still waits when all is looked at."""

PAUSE_SECONDS = 0.2


class Answer(NamedTuple):
    """Status and body of an answer over HTTP."""

    status: int
    body: Any


class Stuck(Exception):
    """Nobody answered within ANSWERED_WITHIN_SECONDS."""


class Callers:
    """
    Those who use the platform.

    Args:
        client: For all of them.
        gateway_url: The REST API.
        callback_urls: Where USSD callbacks are taken, one an adapter.
        emulator_url: Where phones send their SMS.
        facts: What they were told.
        chance: Decides what they do.
    """

    def __init__(
        self,
        client: aiohttp.ClientSession,
        gateway_url: str,
        callback_urls: Sequence[str],
        emulator_url: str,
        facts: Facts,
        chance: random.Random,
    ) -> None:
        self._client = client
        self._gateway_url = gateway_url
        self._callback_urls = callback_urls
        self._emulator_url = emulator_url
        self._facts = facts
        self._chance = chance
        self._numbers = iter(range(1, 1_000_000))
        self._hanging_up_from = math.inf

    async def run(self, count: Mapping[str, int], until: float) -> None:
        """Runs so many callers of each kind side by side; they begin nothing new once `until` (monotonic) is past."""
        self._hanging_up_from = until - HANGING_UP_SECONDS
        kinds: Mapping[str, Callable[[int], Awaitable[None]]] = {
            "orders": self._order,
            "talks": self._talk,
            "conversations": self._conversation,
            "texts": self._text,
        }
        async with asyncio.TaskGroup() as callers:
            for kind, how_many in count.items():
                for _ in range(how_many):
                    callers.create_task(self._one_after_the_other(kinds[kind], until))

    async def _one_after_the_other(self, what: Callable[[int], Awaitable[None]], until: float) -> None:
        while time.monotonic() < until:
            number = next(self._numbers)
            try:
                await what(number)
            except Stuck as stuck:
                self._facts.problems.append(f"{what.__name__} {number}: {stuck}")
            await asyncio.sleep(self._chance.uniform(0.0, 0.2))

    async def _order(self, number: int) -> None:
        key = f"order-{number}"
        payload = {"msisdn": _phone(number), "message": "ORDER", "amount": self._chance.choice((10, 90))}
        document = await self._execute({"workflowId": ORDERS, "triggerPayload": payload}, key)
        self._facts.orders[key] = document["executionId"]
        if self._chance.random() < 0.15:
            again = await self._execute({"workflowId": ORDERS, "triggerPayload": payload}, key)
            self._facts.counts["repeats of answered calls"] += 1
            if again["executionId"] != document["executionId"]:
                self._facts.problems.append(f"{key} is {document['executionId']} and {again['executionId']}")

    async def _talk(self, number: int) -> None:
        talk = Talk(f"ATUid_chaos_{number}")
        self._facts.talks.append(talk)
        text = ""
        for entry in ("", *self._entries()):
            text = f"{text}*{entry}" if text else entry
            talk.typed += entry
            talk.ended = entry == "9"
            screen = await self._screen(talk, number, text)
            if screen is None:
                talk.closed = True
                self._facts.counts["talks closed by the apology"] += 1
                return
            expected = _screen_of("END" if talk.ended else "CON", talk)
            if screen != expected:
                self._facts.problems.append(f"{talk.session_id} at {text!r} shows {screen!r}, not {expected!r}")
            talk.screens[text] = screen
            self._facts.counts["screens"] += 1
            if self._chance.random() < 0.2:
                await self.repeat(talk, number, self._chance.choice(list(talk.screens)))
            await asyncio.sleep(self._chance.uniform(0.0, 0.4))

    async def repeat(self, talk: Talk, number: int, text: str) -> None:
        """Has the network deliver an answered callback again: the answer must be the same."""
        screen = await self._screen(talk, number, text)
        self._facts.counts["repeats of answered callbacks"] += 1
        if screen != talk.screens[text]:
            self._facts.problems.append(
                f"{talk.session_id} at {text!r} showed {talk.screens[text]!r}, then {screen!r} (None: the apology)"
            )

    async def _conversation(self, number: int) -> None:
        """The survey over REST: each input is an execute with a key of its own."""
        key = f"conversation-{number}"
        payload = {"msisdn": _phone(number)}
        document = await self._execute({"workflowId": SURVEY, "triggerPayload": payload}, f"{key}-0")
        talk = Talk(document["sessionId"])
        self._facts.conversations.append(talk)
        await self._shown(document, talk, "con")
        for turn, entry in enumerate(self._entries(), start=1):
            talk.typed += entry
            talk.ended = entry == "9"
            body = {"workflowId": SURVEY, "sessionId": talk.session_id, "triggerPayload": {"input": entry}}
            document = await self._execute(body, f"{key}-{turn}")
            await self._shown(document, talk, "end" if talk.ended else "con")
            if self._chance.random() < 0.15:
                await self._execute(body, f"{key}-{turn}")
                self._facts.counts["repeats of answered calls"] += 1

    async def _text(self, number: int) -> None:
        """An SMS, which the emulator delivers again until the platform says that it has it."""
        message_id = f"chaos-sms-{number}"
        body = {"from": _phone(number), "to": SHORT_CODE, "text": f"{ANSWERS_KEYWORD} {number}", "id": message_id}
        async with self._client.post(f"{self._emulator_url}/control/sms", json=body) as response:
            response.raise_for_status()

        async def delivered() -> bool:
            async with self._client.get(f"{self._emulator_url}/control/sms/{message_id}") as response:
                return bool((await response.json())["delivered"])

        await self._until(delivered, f"the SMS {message_id}")
        self._facts.texts.append(message_id)
        if self._chance.random() < 0.2:
            async with self._client.post(f"{self._emulator_url}/control/sms/{message_id}/repeat"):
                self._facts.counts["repeats of answered callbacks"] += 1

    def _entries(self) -> list[str]:
        """What a person types; towards the end of the load some hang up and are waited for."""
        entries = [self._chance.choice("234") for _ in range(self._chance.randint(1, 4))]
        if self._chance.random() < 0.5:
            # Once only: a node that still runs when a loop asks for it twice more runs once more.
            entries.insert(self._chance.randrange(len(entries) + 1), "1")
        hangs_up = time.monotonic() > self._hanging_up_from and self._chance.random() < 0.15
        return entries if hangs_up else [*entries, "9"]

    async def _shown(self, document: Mapping[str, Any], talk: Talk, kind: str) -> None:
        """Waits until the execution says what it must say now; its engine may have died on the way."""
        expected = {"kind": kind, "text": _screen_of(kind, talk).partition(" ")[2]}
        last: Any = document

        async def shown() -> bool:
            nonlocal last
            if last.get("reply") != expected:
                last = (await self.rest("GET", f"/api/workflows/executions/{document['executionId']}")).body
            return bool(last.get("reply") == expected)

        await self._until(shown, lambda: f"the session {talk.session_id} must show {expected}: {last}")
        self._facts.counts["screens"] += 1

    async def _screen(self, talk: Talk, number: int, text: str) -> str | None:
        """Posts a callback until there is a screen; None when it is the apology and stays it."""
        form = {
            "sessionId": talk.session_id,
            "phoneNumber": _phone(number),
            "serviceCode": SURVEY_CODE,
            "networkCode": "63902",
            "text": text,
        }
        since: float | None = None
        found: str | None = None

        async def answered() -> bool:
            nonlocal since, found
            url = f"{self._chance.choice(self._callback_urls)}/at/ussd"
            async with self._client.post(url, data=form) as response:
                found = await response.text()
            if response.status != 200 or found == f"END {UNAVAILABLE_TEXT}":
                self._facts.counts["callbacks answered 'not available'"] += 1
                return False
            if found != f"END {APOLOGY}":
                return True
            self._facts.counts["apologies"] += 1
            since = since or time.monotonic()
            return time.monotonic() - since > APOLOGIES_FOR_SECONDS

        await self._until(answered, lambda: f"the callback {talk.session_id} {text!r} ({found})")
        return None if found == f"END {APOLOGY}" else found

    async def _execute(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        answer = await self.rest("POST", "/api/workflows/execute", body, key)
        if answer.status != 200:
            raise Stuck(f"{body} with the key {key} was refused: {answer}")
        return dict(answer.body)

    async def rest(self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str = "") -> Answer:
        """Calls the REST API until it answers with something else than "not now"."""
        answer = Answer(0, None)
        headers = {"Idempotency-Key": key} if key else {}

        async def answered() -> bool:
            nonlocal answer
            url = f"{self._gateway_url}{path}"
            async with self._client.request(method, url, json=body, headers=headers) as response:
                answer = Answer(response.status, await response.json())
            if answer.status < 500 and answer.status != 429 and not _is_busy(answer):
                return True
            self._facts.counts[f"calls answered {answer.status}"] += 1
            return False

        await self._until(answered, lambda: f"{method} {path} {body} {key} ({answer})")
        return answer

    async def _until(self, answered: Callable[[], Awaitable[bool]], what: str | Callable[[], str]) -> None:
        deadline = time.monotonic() + ANSWERED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    if await answered():
                        return
            except (aiohttp.ClientError, OSError, TimeoutError):
                self._facts.counts["calls that got no answer"] += 1
            await asyncio.sleep(PAUSE_SECONDS)
        raise Stuck(f"no answer within {ANSWERED_WITHIN_SECONDS:g} s: {what if isinstance(what, str) else what()}")


def number_of(talk: Talk) -> int:
    """The caller's number of a talk by callback."""
    return int(talk.session_id.rpartition("_")[2])


def _is_busy(answer: Answer) -> bool:
    return answer.status == 409 and isinstance(answer.body, dict) and answer.body.get("code") == "SESSION_BUSY"


def _screen_of(kind: str, talk: Talk) -> str:
    if kind.lower() == "end":
        return f"{kind} Bye {talk.typed}"
    return f"{kind} So far: {talk.typed or 'nothing'}"


def _phone(number: int) -> str:
    return f"+2547{number:08}"
