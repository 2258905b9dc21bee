"""
Connections to one server, with less around every command than the asyncio part of redis-py puts there.

Behaviour is the library's. Left out are a task for every write (`asyncio.wait_for` makes one before Python 3.12),
packing in Python, and a condition and a timer around every command that finds a free connection: together a tenth of
the processor time of a whole USSD turn, see docs/performance.md.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError as RedisConnectionError, TimeoutError as RedisTimeoutError


class LeanConnection(Connection):
    """A TCP connection that packs commands with hiredis and writes them without a task."""

    _packer = HiredisRespSerializer()

    def pack_command(self, *args: Any) -> list[bytes]:
        """Returns the bytes of a command; the library's blocking connections pack the same way."""
        packed: list[bytes] = self._packer.pack(*args)
        return packed

    async def send_packed_command(
        self,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT002 (the signature is the library's)
    ) -> None:
        """
        Writes a command; a connection whose write did not end is closed, since half of a command may be out.

        `check_health` is for the library's periodic pings, which are not used here.
        """
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        whole = command.encode() if isinstance(command, str) else command
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self._send_packed_command([whole] if isinstance(whole, bytes) else whole)
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise RedisTimeoutError("Timeout writing to socket") from None
        except OSError as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error
        except BaseException:
            await self.disconnect(nowait=True)
            raise


class WaitingPool(ConnectionPool):
    """
    A pool whose callers wait for a connection when all of them are in use.

    Args:
        wait_seconds: How long they wait; then it is a ConnectionError of the library.
        max_connections: How many connections there may be.
        options: What the library's pool takes.
    """

    def __init__(self, *, wait_seconds: float, max_connections: int, **options: Any) -> None:
        super().__init__(max_connections=max_connections, **options)
        self._wait_seconds = wait_seconds
        self._places = asyncio.Semaphore(max_connections)

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:
        """Returns a connection that is open; `release` gives it back. The arguments are for older callers."""
        await self._take_place()
        try:
            connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        except BaseException:
            self._places.release()
            raise
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Takes a connection back."""
        try:
            await super().release(connection)
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise RedisConnectionError("No connection available.") from None
