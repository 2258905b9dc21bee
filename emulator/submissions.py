"""Requests that were seen before: by their Idempotency-Key, or by what they ask for."""

import time

from emulator.recent import Recent

DUPLICATE_SECONDS = 300.0
"""The same request without a key counts as a duplicate for so long."""

DUPLICATE_REQUEST = "A duplicate request was received within the last 5 minutes"
DUPLICATE_KEY = "A duplicate request was detected for this Idempotency-Key"

MAX_KEPT = 10_000


class Submissions:
    """What was submitted. A key is remembered as long as there is room; Africa's Talking says "a given period"."""

    def __init__(self) -> None:
        self._keys: Recent[str, str] = Recent(MAX_KEPT)
        self._bodies: Recent[str, float] = Recent(MAX_KEPT)

    def duplicate(self, key: str | None, body: str) -> str | None:
        """Notes a request; returns the sentence for one that was seen before, None for a new one."""
        if key:
            if self._keys.get(key) is not None:
                return DUPLICATE_KEY
            self._keys.put(key, key)
            return None
        now = time.monotonic()
        before = self._bodies.get(body)
        if before is not None and now - before < DUPLICATE_SECONDS:
            return DUPLICATE_REQUEST
        self._bodies.put(body, now)
        return None

    def clear(self) -> None:
        """Forgets all."""
        self._keys.clear()
        self._bodies.clear()
