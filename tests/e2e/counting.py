"""A TCP proxy in front of Redis that counts round trips: what a client sends before it has to wait for an answer."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from services.engine.store.scripts import script
from storage.connection import TAKES_WRITES
from storage.scripts import Script

BACKGROUND = (
    # Readiness, every second.
    (b"EVAL", TAKES_WRITES.encode()),
    # Executions that are due, every scan.
    (b"ZRANGEBYSCORE",),
    # What a connection begins with.
    (b"CLIENT",),
    (b"HELLO",),
)
"""What trips that belong to no request begin with."""

OUTBOX = b"njia:at:outbox"
"""The adapter looks for delivery reports that wait, request or not."""

SCHEDULES = b"njia:{registry}:schedules"
"""The engine looks for flows that a clock starts, every scan."""

ENDED = b":ended"
"""End of the key by which the engine looks for executions whose retention is over, request or not."""

_UPKEEP = [
    each.source.encode()
    for each in (
        # The engine keeps its leases, every third of their length.
        script("prelude", "renew"),
        # The sessions look for entries of their index that are due, every few seconds.
        Script.load("services.sessions", "prelude", "index_due"),
    )
]
UPKEEP = {*_UPKEEP, *(hashlib.sha1(source, usedforsecurity=False).hexdigest().encode() for source in _UPKEEP)}
"""Scripts, and their names, that run whatever is asked of the services then."""


@dataclass(slots=True)
class Proxy:
    """
    Attributes:
        port: Where clients connect.
        upstream: Port of the Redis behind it; may be set later than the proxy starts.
        trips: One entry a round trip: its commands, each a list of words.
    """

    port: int = 0
    upstream: int = 0
    trips: list[list[list[bytes]]] = field(default_factory=list)
    _clients: set["asyncio.Task[None]"] = field(default_factory=set)

    def foreground(self) -> list[list[list[bytes]]]:
        """The trips that requests made."""
        return [trip for trip in self.trips if not all(_is_background(command) for command in trip)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        with suppress(OSError, asyncio.CancelledError):
            redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            answering = asyncio.create_task(self._answers(redis_reader, writer))
            try:
                await self._requests(reader, redis_writer)
            finally:
                answering.cancel()
                redis_writer.close()
                writer.close()
        self._clients.discard(task)

    async def close(self) -> None:
        """Ends the connections that are open."""
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader, redis: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            # A client of ours writes a whole batch at once; what does not end with a whole command goes on.
            while not _is_whole(data):
                data += await reader.read(1 << 20)
            self.trips.append(_commands(data))
            redis.write(data)
            await redis.drain()

    async def _answers(self, redis: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await redis.read(1 << 20):
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def counting() -> AsyncIterator[Proxy]:
    """Runs a proxy on a port of its own."""
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()


def _is_whole(data: bytes) -> bool:
    try:
        _commands(data)
    except (IndexError, ValueError):
        return False
    return True


def _commands(data: bytes) -> list[list[bytes]]:
    """Reads requests of the Redis protocol: arrays of bulk strings."""
    commands = []
    at = 0

    def number(kind: bytes) -> int:
        nonlocal at
        end = data.index(b"\r\n", at)
        if data[at : at + 1] != kind:
            raise ValueError(data[at:end])
        value = int(data[at + 1 : end])
        at = end + 2
        return value

    while at < len(data):
        words = []
        for _ in range(number(b"*")):
            size = number(b"$")
            if at + size + 2 > len(data):
                raise IndexError
            words.append(data[at : at + size])
            at += size + 2
        commands.append(words)
    return commands


def _is_background(command: list[bytes]) -> bool:
    forgets = command[0] == b"EVALSHA" and command[3].endswith(ENDED)
    keeps_up = len(command) > 1 and command[1] in UPKEEP
    begins_so = any(tuple(command[: len(words)]) == words for words in BACKGROUND)
    return begins_so or OUTBOX in command or SCHEDULES in command or forgets or keeps_up
