"""The connections below the clients: the library's, quicker, and with every loss told as one."""

from collections.abc import Iterable
from typing import Any

from redis.asyncio import Connection, SSLConnection
from redis.asyncio.connection import AbstractConnection
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError as RedisConnectionError, TimeoutError as RedisTimeoutError


class _Line(AbstractConnection):
    """
    A connection that packs commands with hiredis, as the library's blocking connections do. Its asyncio ones pack in
    Python, which for a script with twenty arguments is a fifth of the processor time of the trip.

    A server that is gone between the check of an idle connection and the write is a lost connection here too; uvloop
    calls it a RuntimeError, which the library lets through.
    """

    _packer = HiredisRespSerializer()

    def pack_command(self, *args: Any) -> list[bytes]:
        packed: list[bytes] = self._packer.pack(*args)
        return packed

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        try:
            await super()._send_packed_command(command)
        except RuntimeError as error:
            raise ConnectionResetError(str(error)) from error


class Line(_Line, Connection):
    """A connection of a pool, which looks whether it still stands before it hands it out."""


class _NodeLine(_Line):
    """A connection to a node of a cluster. The library's cluster client has no pool that would look, so it does."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:  # noqa: FBT002 (the library's signature)
        # Without check_health it is the library that opens the connection.
        if check_health and self.is_connected and not await self._stands():
            await self.disconnect()
        await super().send_packed_command(command, check_health)

    async def _stands(self) -> bool:
        try:
            return not await self.can_read()
        except (RedisConnectionError, RedisTimeoutError, OSError):
            return False


class NodeLine(_NodeLine, Connection):
    """Plain."""


class TlsNodeLine(_NodeLine, SSLConnection):
    """With TLS."""
