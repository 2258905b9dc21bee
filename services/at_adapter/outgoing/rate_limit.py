"""The limit of requests a second of one product that all replicas of one account share."""

from typing import Any, Protocol

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.at_adapter.outgoing.faults import Fault, SendRefused
from storage.connection import Client, store_errors

KEY_PREFIX = "njia:at:rate"
RETRY_AFTER_MS = 1000
"""The window is a second long."""


class SendRate(Protocol):
    """Says whether one more request may go out now."""

    async def admit(self) -> None:
        """
        Counts one request, however many recipients it has.

        Raises:
            SendRefused: RATE_LIMIT; nothing was counted.
            StoreUnavailable: The count cannot be read.
        """


class NoLimit:
    """Admits every request and asks nobody."""

    async def admit(self) -> None:
        """Returns at once."""


class _SharedClientStorage(RedisStorage):
    """The storage of `limits` on a client that is there already, of one server or of a cluster."""

    # The library keeps a registry by scheme and wants a name of its own for every class.
    STORAGE_SCHEME = ["async+shared-client"]  # noqa: RUF012 (the library's type)

    def __init__(self, client: Client) -> None:
        self._client = client
        super().__init__("redis://", implementation="redispy", key_prefix=KEY_PREFIX)

    def configure_bridge(self) -> None:
        # Its type knows a client of one server only.
        bridge: Any = self.bridge
        bridge.storage = self._client
        bridge.connection_getter = lambda _: self._client


class SharedRate:
    """
    So many requests a second over all replicas, by a sliding window in Redis (one trip a request).

    Args:
        client: Where the windows are.
        product: What is sent, such as sms; each product has windows of its own.
        per_second: Requests a second.
        username: Account that the limit is of.
    """

    def __init__(self, client: Client, product: str, per_second: int, username: str) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(_SharedClientStorage(client))
        self._limit = RateLimitItemPerSecond(per_second)
        self._product = product
        self._per_second = per_second
        self._username = username

    async def admit(self) -> None:
        """See SendRate.admit."""
        with store_errors():
            admitted = await self._limiter.hit(self._limit, self._product, self._username)
        if not admitted:
            raise SendRefused(
                Fault.RATE_LIMIT,
                f"more than {self._per_second} {self._product} requests a second for this account",
                retry_after_ms=RETRY_AFTER_MS,
            )
