"""Tells of a store that is away: at once, then ever more rarely, and when it is back."""

import time
from typing import Any
from urllib.parse import urlsplit

import structlog

from storage.connection import Client, StoreUnavailable, look

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 300.0

_log = structlog.get_logger()


class Outage:
    """
    Something that fails again and again. `event` says what, as it stands in the log.

    Where nobody can tell that it is over, it counts as over when it was quiet for as long as it would have been told of
    twice.
    """

    def __init__(self, event: str) -> None:
        self._event = event
        self._pause_seconds = 0.0
        self._told_again_at = 0.0
        self._untold = 0

    def goes_on(self, **facts: Any) -> None:
        """It failed; that is logged if it was not for a while, with how often it failed in between (`untold`)."""
        now = time.monotonic()
        if now < self._told_again_at:
            self._untold += 1
            return
        _log.warning(self._event, **facts, **({"untold": self._untold} if self._untold else {}))
        self._untold = 0
        if now > self._told_again_at + self._pause_seconds:
            self._pause_seconds = 0.0
        self._pause_seconds = min(max(FIRST_PAUSE_SECONDS, 2 * self._pause_seconds), LONGEST_PAUSE_SECONDS)
        self._told_again_at = now + self._pause_seconds

    def is_over(self) -> None:
        """It did not fail this time; that is logged once."""
        if self._pause_seconds:
            _log.info("this is over", what=self._event)
            self._pause_seconds = self._told_again_at = 0.0
            self._untold = 0


class Store:
    """The store of a service, for its readiness. `url` is that of NJIA_REDIS_URL."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        # Never the whole address: it may hold a password.
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._outage = Outage("Redis does not do its work")

    async def answers(self) -> bool:
        """Tells whether it answers and takes writes, and tells people when it does not."""
        try:
            await look(self._client)
        except StoreUnavailable as problem:
            self._outage.goes_on(address=self._address, why=problem.why, what_to_do=problem.what_to_do)
            return False
        self._outage.is_over()
        return True
