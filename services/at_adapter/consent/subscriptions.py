"""
Who subscribes to a product of a short code, as Africa's Talking tells: one Redis hash a product,
njia:at:subscribers:{short code} {keyword}, with the last update by number.
"""

from dataclasses import dataclass

import orjson

from services.at_adapter.consent.pages import Page, page_of
from storage.batches import run_in_stages
from storage.connection import Client, store_errors

KEY_PREFIX = "njia:at:subscribers:"

ADDITION = "addition"


@dataclass(frozen=True, slots=True)
class Subscription:
    """The last word on somebody: `update` is theirs in lower case, such as addition; `at_ms` is Unix time."""

    number: str
    update: str
    at_ms: int


class Subscriptions:
    """The subscriptions, of all replicas. Everything raises StoreUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def keep(self, short_code: str, keyword: str, number: str, update: str, at_ms: int) -> None:
        """Keeps an update that was told at this time, Unix ms, of whatever kind, in the place of the one before."""
        value = orjson.dumps([update, at_ms])
        with store_errors():
            await run_in_stages(self._client, [("HSET", _key(short_code, keyword), number, value)])

    async def page(self, short_code: str, keyword: str, size: int, token: str) -> Page[Subscription]:
        """Lists who was told of, in no order."""
        return await page_of(self._client, _key(short_code, keyword), size, token, _subscription)


def _subscription(number: str, value: str) -> Subscription:
    update, at_ms = orjson.loads(value)
    return Subscription(number, update, at_ms)


def _key(short_code: str, keyword: str) -> str:
    return f"{KEY_PREFIX}{short_code.strip()} {keyword.strip().lower()}"
