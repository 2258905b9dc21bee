"""
The load generator, a process of its own: reads a job a line from standard input, answers with what it measured.

Each connection sends its next request when the last one was answered (a closed loop). The protocol is spoken by hand
on raw sockets, so that the generator is cheap beside what it measures; its own CPU time is part of the answer.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from bench.conversations import CONVERSATIONS, Conversation, Request

ANSWER_SECONDS = 15.0
"""A round whose clients do not come to an end so long after its time has failed."""

MAX_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Job:
    """
    One round.

    Attributes:
        scenario: Key of CONVERSATIONS.
        side: OURS or BARE.
        name: Goes into ids, so that no two rounds use the same ones.
        port: Of 127.0.0.1.
        seconds: How long requests are measured; conversations that run then are brought to an end.
        most: Requests after which no new conversation begins, whatever the time.
    """

    scenario: str
    side: str
    name: str
    port: int
    connections: int
    seconds: float
    most: int


@dataclass(slots=True)
class Measured:
    """
    Attributes:
        requests: Answered in the measured time.
        in_all: Answered in the whole round.
        latencies: Seconds, of the measured ones.
        elapsed: The measured time, seconds.
        cpu: CPU time of this process, seconds.
        errors: Answers that were wrong or did not come.
        problems: The first few of them.
    """

    requests: int = 0
    in_all: int = 0
    latencies: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    cpu: float = 0.0
    errors: int = 0
    problems: list[str] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, conversation: Conversation, measured: Measured, until: float, most: int) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._conversation = conversation
        self._measured = measured
        self._until = until
        self._most = most
        self._request: Request
        self._sent_at = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio.Transport.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.over.done():
            self._problem("the connection was closed")
            self.over.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._received[:head_end].lower()
        length_at = head.index(b"content-length:") + 15
        end = head_end + 4 + int(head[length_at:].split(b"\r\n", 1)[0])
        if len(self._received) < end:
            return
        now = time.perf_counter()
        body = self._received[head_end + 4 : end]
        self._received = b""
        self._measured.in_all += 1
        if now <= self._until:
            self._measured.requests += 1
            self._measured.latencies.append(now - self._sent_at)
        if not (head.startswith(b"http/1.1 200") and self._request.accepts(body)):
            self._problem(f"{self._request.body!r} was answered {head[:12]!r} {body!r}")
        if self._request.closes and (now > self._until or self._measured.in_all >= self._most):
            self.over.set_result(None)
            self._transport.close()
        else:
            self._send()

    def _send(self) -> None:
        request = self._request = next(self._conversation)
        head = (
            f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {request.content_type}\r\n"
            f"Content-Length: {len(request.body)}\r\n\r\n"
        )
        self._sent_at = time.perf_counter()
        self._transport.write(head.encode() + request.body)

    def _problem(self, text: str) -> None:
        self._measured.errors += 1
        if len(self._measured.problems) < MAX_PROBLEMS:
            self._measured.problems.append(text[:1000])


async def carry_out(job: Job) -> Measured:
    """Runs one round."""
    loop = asyncio.get_running_loop()
    measured = Measured()
    used = _cpu_seconds()
    started = time.perf_counter()
    until = started + job.seconds

    def client(number: int) -> Client:
        conversation = CONVERSATIONS[job.scenario](job.side, f"{job.name}-{number}")
        return Client(conversation, measured, until, job.most)

    clients = [
        (await loop.create_connection(lambda number=number: client(number), "127.0.0.1", job.port))[1]  # type: ignore[misc]
        for number in range(job.connections)
    ]
    _, waiting = await asyncio.wait([client.over for client in clients], timeout=job.seconds + ANSWER_SECONDS)
    for _ in waiting:
        measured.errors += 1
        measured.problems.append("no answer")
    measured.elapsed = min(time.perf_counter(), until) - started
    measured.cpu = _cpu_seconds() - used
    return measured


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Serves jobs until standard input ends."""
    for line in sys.stdin:
        measured = uvloop.run(carry_out(Job(**json.loads(line))))
        print(json.dumps(asdict(measured)), flush=True)


if __name__ == "__main__":
    main()
