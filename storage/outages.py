"""Tells of a store that is away: at once, then ever more rarely, and when it is back."""

import time
from typing import Any
from urllib.parse import urlsplit

import structlog

from storage.connection import Client, ping

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 300.0

_log = structlog.get_logger()


class Outage:
    """Something that fails again and again. `event` says what, as it stands in the log."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._pause_seconds = 0.0
        self._told_again_at = 0.0

    def goes_on(self, **facts: Any) -> None:
        """It failed; that is logged if it was not for a while."""
        now = time.monotonic()
        if now < self._told_again_at:
            return
        _log.warning(self._event, **facts)
        self._pause_seconds = min(max(FIRST_PAUSE_SECONDS, 2 * self._pause_seconds), LONGEST_PAUSE_SECONDS)
        self._told_again_at = now + self._pause_seconds

    def is_over(self) -> None:
        """It did not fail this time; that is logged once."""
        if self._pause_seconds:
            _log.info("this is over", what=self._event)
            self._pause_seconds = self._told_again_at = 0.0


class Store:
    """The store of a service, for its readiness. `url` is that of NJIA_REDIS_URL."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        # Never the whole address: it may hold a password.
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._outage = Outage("Redis does not answer: start it or set NJIA_REDIS_URL")

    async def answers(self) -> bool:
        """Tells whether it answers, and tells people when it does not."""
        if await ping(self._client):
            self._outage.is_over()
            return True
        self._outage.goes_on(address=self._address)
        return False
