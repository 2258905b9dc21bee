"""Faults on demand: a queue of them for each product, taken one a request."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from starlette.responses import Response

from emulator.api.answers import AUTHENTICATION_INVALID, NoAnswer, text_answer
from emulator.document import Document

Product = Literal["sms", "account", "airtime", "payments", "voice"]
"""
sms is every request that sends; account is the request for the balance; payments is every payment request; voice is
one that places calls. Fetching incoming SMS takes no fault.
"""

Times = Annotated[int, Field(ge=1, le=100_000)]


class HttpStatus(Document):
    """The request is refused with this status and nothing is recorded. Default texts are those of akka-http."""

    kind: Literal["http_status"]
    product: Product
    times: Times = 1
    status: Annotated[int, Field(ge=400, le=599)]
    retry_after_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None
    body: Annotated[str, Field(max_length=10_000)] | None = None


class Slow(Document):
    """The request is carried out at once and answered only after the delay, or once all faults are dropped."""

    kind: Literal["slow"]
    product: Product
    times: Times = 1
    delay_ms: Annotated[int, Field(ge=1, le=120_000)]


class LostAnswer(Document):
    """The request is carried out; then the connection is closed without an answer."""

    kind: Literal["lost_answer"]
    product: Product
    times: Times = 1


class Refused(Document):
    """The connection is closed without an answer and nothing is carried out."""

    kind: Literal["refused"]
    product: Product
    times: Times = 1


class EmptyRecipients(Document):
    """The whole request is rejected inside a 201: this message and an empty list of recipients."""

    kind: Literal["empty_recipients"]
    product: Literal["sms"]
    times: Times = 1
    message: Annotated[str, Field(max_length=200)] = "InvalidSenderId"


class RowStatus(Document):
    """One recipient, or all when no number is given, get this status code; codes below 200 accept the message."""

    kind: Literal["row_status"]
    product: Literal["sms"]
    times: Times = 1
    status_code: Annotated[int, Field(ge=100, le=599)]
    number: str | None = None


class RowRefused(Document):
    """Every recipient is refused inside a 201 with this message; for a checkout it is the description."""

    kind: Literal["row_refused"]
    product: Literal["airtime", "payments"]
    times: Times = 1
    message: Annotated[str, Field(min_length=1, max_length=200)] = "Insufficient balance"


Fault = Annotated[
    HttpStatus | Slow | LostAnswer | Refused | EmptyRecipients | RowStatus | RowRefused, Field(discriminator="kind")
]
fault_adapter: TypeAdapter[Fault] = TypeAdapter(Fault)

MAX_QUEUED = 1_000
"""Most faults that wait for one product."""

_TEXTS = {
    401: AUTHENTICATION_INVALID,
    429: "Too Many Requests",
    500: "There was an internal server error.",
    503: "The server is currently unavailable (because it is overloaded or down for maintenance).",
}


class TooManyFaults(Exception):
    """The queue of this product is full."""


class Faults:
    """The faults that wait, first in, first out; `taken` counts those that happened."""

    def __init__(self) -> None:
        self._queues: dict[Product, deque[tuple[Fault, int]]] = {
            "sms": deque(),
            "account": deque(),
            "airtime": deque(),
            "payments": deque(),
            "voice": deque(),
        }
        self.taken = 0
        self._dropped = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Queues a fault. Raises TooManyFaults."""
        queue = self._queues[fault.product]
        if len(queue) >= MAX_QUEUED:
            raise TooManyFaults(fault.product)
        queue.append((fault, fault.times))

    def take(self, product: Product) -> Fault | None:
        """Returns the fault of this request and counts it, or None when all goes well."""
        queue = self._queues[product]
        if not queue:
            return None
        fault, left = queue.popleft()
        if left > 1:
            queue.appendleft((fault, left - 1))
        self.taken += 1
        return fault

    def waiting(self) -> list[tuple[Fault, int]]:
        """Returns the faults to come with how often each will still happen."""
        return [entry for queue in self._queues.values() for entry in queue]

    def clear(self) -> None:
        """Drops all faults; what happened stays counted, and what is slow is answered now."""
        for queue in self._queues.values():
            queue.clear()
        self._dropped.set()
        self._dropped = asyncio.Event()

    async def answer_under(self, fault: Fault | None, work: Callable[[], Response]) -> Response:
        """Carries a request out, or not, and answers it, or not, as the fault of this request has it."""
        if isinstance(fault, Refused):
            return NoAnswer()
        if isinstance(fault, HttpStatus):
            return _refusal(fault)
        answer = work()
        if isinstance(fault, LostAnswer):
            return NoAnswer()
        if isinstance(fault, Slow):
            with suppress(TimeoutError):
                async with asyncio.timeout(fault.delay_ms / 1000):
                    await self._dropped.wait()
        return answer

    def reset(self) -> None:
        """Drops all faults and forgets that any happened."""
        self.clear()
        self.taken = 0


def _refusal(fault: HttpStatus) -> Response:
    body = fault.body if fault.body is not None else _TEXTS.get(fault.status, "")
    answer = text_answer(fault.status, body)
    if fault.retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(fault.retry_after_seconds)
    return answer
