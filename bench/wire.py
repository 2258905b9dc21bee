"""
Proxies that count what goes over the wire: gRPC calls between services, and round trips to Redis.

Nothing in the services knows of it, so what is counted is what is really sent.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

READ_BYTES = 1 << 20

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HTTP2_HEADER_BYTES = 9
HTTP2_DATA = 0
HTTP2_HEADERS = 1
GRPC_MESSAGE_HEADER_BYTES = 5

BACKGROUND = re.compile(rb"\r\n(PING|HELLO|CLIENT|SELECT|ZRANGEBYSCORE)\r\n|njia:at:outbox|index:due")
"""
Trips that belong to no request: readiness, connection set-up, timers that are due, reports that wait, expired entries
of the index of sessions. A request that writes to that index names its other key first.
"""

OWNERS = (
    (re.compile(rb"njia:at:"), "at_adapter"),
    (re.compile(rb"njia:\{(s:|m:|sessions\})"), "sessions"),
    (re.compile(rb"njia:"), "engine"),
)
"""Which service a key belongs to."""


@dataclass(slots=True)
class Trip:
    """
    A round trip to Redis.

    Attributes:
        service: Who made it, by the keys.
        sent, received: Bytes.
        ended: When the last of the answer passed, seconds of the monotonic clock.
    """

    service: str
    sent: int
    received: int = 0
    ended: float = 0.0


@dataclass(slots=True)
class Call:
    """
    An RPC.

    Attributes:
        service: Who was called.
        sent, received: Bytes of the messages.
        ended: When the last of the answer passed, seconds of the monotonic clock.
    """

    service: str
    sent: int = 0
    received: int = 0
    ended: float = 0.0


@dataclass(slots=True)
class Wire:
    """What went over it, in order."""

    events: list[Trip | Call] = field(default_factory=list)
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    @asynccontextmanager
    async def grpc(self, service: str, port_of: Callable[[], int]) -> AsyncIterator[int]:
        """Stands in front of a service; `port_of` tells where it listens, asked when somebody connects."""
        async with self._proxy(port_of, lambda: _Grpc(self, service)) as port:
            yield port

    @asynccontextmanager
    async def redis(self, port_of: Callable[[], int]) -> AsyncIterator[int]:
        """Stands in front of Redis."""
        async with self._proxy(port_of, lambda: _Redis(self)) as port:
            yield port

    @asynccontextmanager
    async def _proxy(self, port_of: Callable[[], int], watch: "Callable[[], _Grpc | _Redis]") -> AsyncIterator[int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
            with suppress(OSError, asyncio.CancelledError):
                their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port_of())
                watched = watch()
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(_pump(reader, their_writer, watched.sent))
                        group.create_task(_pump(their_reader, writer, watched.received))
                finally:
                    writer.close()
                    their_writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Callable[[bytes], None]) -> None:
    with suppress(OSError):
        while data := await reader.read(READ_BYTES):
            seen(data)
            writer.write(data)
            await writer.drain()
    writer.close()


class _Redis:
    """One connection: what is sent before something comes back is one trip."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._trip: Trip | None = None
        self._answered = True

    def sent(self, data: bytes) -> None:
        if self._answered:
            self._answered = False
            self._trip = self._begun(data)
        elif self._trip is not None:
            self._trip.sent += len(data)

    def received(self, data: bytes) -> None:
        self._answered = True
        if self._trip is not None:
            self._trip.received += len(data)
            self._trip.ended = time.monotonic()

    def _begun(self, data: bytes) -> Trip | None:
        service = next((service for key, service in OWNERS if key.search(data)), None)
        if service is None or (BACKGROUND.search(data) and b"index:created" not in data):
            return None
        trip = Trip(service, len(data))
        self._wire.events.append(trip)
        return trip


class _Grpc:
    """One connection: every stream is a call."""

    def __init__(self, wire: Wire, service: str) -> None:
        self._wire = wire
        self._service = service
        self._calls: dict[int, Call] = {}
        self._preface_left = len(HTTP2_PREFACE)
        self._out = b""
        self._back = b""

    def sent(self, data: bytes) -> None:
        skipped = min(self._preface_left, len(data))
        self._preface_left -= skipped
        frames, self._out = _frames(self._out + data[skipped:])
        for kind, stream, size in frames:
            if kind == HTTP2_HEADERS:
                call = self._calls[stream] = Call(self._service)
                self._wire.events.append(call)
            elif kind == HTTP2_DATA and size:
                self._calls[stream].sent += size - GRPC_MESSAGE_HEADER_BYTES

    def received(self, data: bytes) -> None:
        frames, self._back = _frames(self._back + data)
        for kind, stream, size in frames:
            if kind == HTTP2_DATA and size:
                call = self._calls[stream]
                call.received += size - GRPC_MESSAGE_HEADER_BYTES
                call.ended = time.monotonic()


def _frames(data: bytes) -> tuple[list[tuple[int, int, int]], bytes]:
    """Returns type, stream and size of the whole frames, and what is left."""
    found = []
    at = 0
    while len(data) - at >= HTTP2_HEADER_BYTES:
        size = int.from_bytes(data[at : at + 3], "big")
        if len(data) - at < HTTP2_HEADER_BYTES + size:
            break
        found.append((data[at + 3], int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFFFFFF, size))
        at += HTTP2_HEADER_BYTES + size
    return found, data[at:]
