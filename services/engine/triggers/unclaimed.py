"""What came in and no published flow claimed: kept for a while, so that people see what they missed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
import structlog

from services.engine.core.ports import StoreUnavailable
from services.engine.store import keys
from services.engine.store.execution_store import Cursor
from services.engine.store.redis.calls import answer_of
from services.engine.store.scripts import script
from services.engine.store.typed_text import TypedText
from storage.connection import Client

MOST_KEPT = 1000
"""Of all channels together; the oldest go first."""

_NOTE = script("note_unclaimed")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """
    Something that nobody claimed.

    Attributes:
        channel: How it came in: ussd, sms, …
        received_at_ms: Unix time.
        payload: What a trigger would have got.
    """

    channel: str
    received_at_ms: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and where the next page begins; None on the last."""

    found: Sequence[Entry]
    next: Cursor | None


class Unclaimed:
    """Keeps entries in Redis for `life_ms`. `now_ms` is Unix time."""

    def __init__(self, client: Client, typed: TypedText, life_ms: int, now_ms: Callable[[], int]) -> None:
        self._client = client
        self._typed = typed
        self._life_ms = life_ms
        self._now_ms = now_ms

    async def note(self, channel: str, reference: str, payload: Mapping[str, Any]) -> None:
        """
        Keeps what came in; the same reference again changes nothing. Does not fail: the caller has an answer to give.

        Args:
            channel: How it came in.
            reference: What names it in its channel, such as the session id of a dial.
            payload: What a trigger would have got; what was typed is encrypted where a key is configured.
        """
        now = self._now_ms()
        name = blake2b(f"{channel}:{reference}".encode(), digest_size=12).hexdigest()
        entry = orjson.dumps({"channel": channel, "received_at_ms": now, "payload": self._typed.recorded(payload)})
        script_keys = [keys.UNCLAIMED_TIMES, keys.UNCLAIMED_ENTRIES]
        try:
            await answer_of(_NOTE.run(self._client, script_keys, [name, entry, now, self._life_ms, MOST_KEPT]))
        except StoreUnavailable as problem:
            _log.warning("what nobody claimed could not be kept", channel=channel, why=str(problem))

    async def page(self, channel: str, limit: int, after: Cursor | None) -> Page:
        """Lists entries of one channel, or of all for an empty name, newest first. Raises StoreUnavailable."""
        entries = [
            (Cursor(entry.received_at_ms, name), entry)
            for name, entry in (await self._all()).items()
            if channel in ("", entry.channel) and entry.received_at_ms > self._now_ms() - self._life_ms
        ]
        entries.sort(key=lambda pair: pair[0], reverse=True)
        if after is not None:
            entries = [pair for pair in entries if pair[0] < after]
        cursor = entries[limit - 1][0] if len(entries) > limit else None
        return Page([entry for _, entry in entries[:limit]], cursor)

    async def _all(self) -> Mapping[str, Entry]:
        documents: Mapping[bytes, bytes] = await answer_of(self._client.hgetall(keys.UNCLAIMED_ENTRIES))
        return {name.decode(): Entry(**orjson.loads(document)) for name, document in documents.items()}
