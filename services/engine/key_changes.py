"""Notes in the audit log which API keys came and went."""

import asyncio
from collections.abc import Callable, Sequence

from storage.audit import AuditLog

WHO = "configuration"
"""Keys stand in a file; who writes it is not known here."""


class KeyChanges:
    """`now_ms` is Unix time."""

    def __init__(self, audit: AuditLog, now_ms: Callable[[], int]) -> None:
        self._audit = audit
        self._now_ms = now_ms
        self._noting: set[asyncio.Task[None]] = set()

    def note(self, came: Sequence[str], went: Sequence[str]) -> None:
        """Notes them in the background: a call waits for its key meanwhile."""
        words = [f"{word} {', '.join(names)}" for word, names in (("added", came), ("removed", went)) if names]
        task = asyncio.create_task(
            self._audit.note(WHO, "keys.change", "; ".join(words) or "scopes, rates or hashes", self._now_ms())
        )
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def end(self) -> None:
        """Lets what is being noted finish."""
        await asyncio.gather(*self._noting)
