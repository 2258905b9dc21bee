"""Resolves names to addresses that may be reached."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from services.engine.adapters.http.addresses import AddressNotAllowed, AllowList


class GuardedResolver(AbstractResolver):
    """
    Leaves out what may not be reached.

    A connection goes to an address that was returned here and to no other, so a name that resolves to something else a
    moment later gains nothing.
    """

    def __init__(self, inner: AbstractResolver, allowed: AllowList) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns addresses that may be reached. Raises OSError for a name unknown, AddressNotAllowed."""
        found = await self._inner.resolve(host, port, family)
        permitted = [entry for entry in found if self._allowed.permits(host, entry["host"])]
        if found and not permitted:
            raise AddressNotAllowed(host)
        return permitted

    async def close(self) -> None:
        await self._inner.close()
