"""How many calls each key may make."""

import time
from collections.abc import Callable

BURST_SECONDS = 2.0
"""A key that was silent may make the calls of so long at once."""


class TokenBuckets:
    """One bucket a name; names come from a list of keys, so that there are few. `now` tells seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_seconds(self, name: str, rate_per_second: float) -> float:
        """Takes a token and returns 0, or takes none and returns how long it is until there is one."""
        now, most = self._now(), max(1.0, rate_per_second * BURST_SECONDS)
        tokens, at = self._buckets.get(name, (most, now))
        tokens = min(most, tokens + (now - at) * rate_per_second)
        if tokens >= 1:
            self._buckets[name] = (tokens - 1, now)
            return 0.0
        self._buckets[name] = (tokens, now)
        return (1 - tokens) / rate_per_second
