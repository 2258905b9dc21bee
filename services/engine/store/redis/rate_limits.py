"""Rates that all engines share: each permit is given a turn, in the order of asking."""

from hashlib import blake2b

from services.engine.store import keys
from services.engine.store.redis.calls import answer_of
from services.engine.store.scripts import script
from storage.connection import Client
from workflow.ports import Permit, Rate

REMEMBERED_MS = 600_000
"""A permit that is asked for again within so long of its window, by an engine that took over, costs nothing."""

_RESERVE = script("prelude", "reserve")


class SharedRates:
    """See workflow.ports.RateLimiter. Rates of one key share their turns, in whatever flow they stand; one trip."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def reserve(self, rate: Rate, permit: str, longest_wait_ms: int) -> Permit:
        """Raises StoreUnavailable."""
        name = blake2b(rate.key.encode(), digest_size=16).hexdigest()
        arguments: list[str | int] = [
            permit,
            rate.strategy,
            rate.max_requests,
            rate.window_ms,
            longest_wait_ms,
            REMEMBERED_MS,
        ]
        given, wait_ms = await answer_of(_RESERVE.run(self._client, [keys.turns_of_rate(name)], arguments))
        return Permit(bool(given), wait_ms)
