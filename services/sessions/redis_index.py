"""
Which sessions there are: of all, and of one phone number.

An index lies in another cluster slot than its sessions, so it can never be exact. It is kept a little too large: an
entry is written before its session, and taken away after it. Reads load the sessions and ignore an entry whose session
is gone or is not the one that the entry tells of. `IndexUpkeep` takes away what has no session any more.
"""

from collections.abc import Sequence

from services.sessions import keys, redis_records as records
from services.sessions.listing import MAX_PAGE_BYTES, Entry, Filter, Page, Position
from services.sessions.rules import size_bytes
from services.sessions.session import Session
from storage.batches import answers_of
from storage.connection import Client
from storage.scripts import Script, ScriptCall

MAX_CHUNK = 100
"""Sessions loaded in one round trip."""

MAX_SCANNED = 5000
"""Entries that one call looks at. A page that has not filled up by then is returned as it is."""


class SessionIndex:
    """Reads the index, and tells what an opened session adds to it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._add = Script.load(__package__, "prelude", "index_add")

    def additions(self, entry: Entry, life_ms: int) -> Sequence[ScriptCall]:
        """
        Returns the scripts that make a session known, before it exists or again.

        Args:
            entry: The session.
            life_ms: How long it lives at least unless it is deleted, the retention included.
        """
        indexes = [keys.index(None)] if entry.msisdn is None else [keys.index(None), keys.index(entry.msisdn)]
        return [ScriptCall(self._add, index, [str(entry), life_ms]) for index in indexes]

    async def newest(self, wanted: Filter) -> Session | None:
        """Returns the newest session that matches."""
        after: Position | None = None
        while True:
            page = await self.page(wanted, 1, after)
            if page.sessions or page.next is None:
                return page.sessions[0] if page.sessions else None
            after = page.next

    async def page(self, wanted: Filter, page_size: int, after: Position | None) -> Page:
        """See SessionStore.page."""
        chunk_size = min(page_size + 1, MAX_CHUNK)
        found: list[Session] = []
        data_bytes = 0
        for _ in range(0, MAX_SCANNED, chunk_size):
            positions, more = await self._positions(wanted.msisdn, after, chunk_size)
            for position, session in zip(positions, await self._sessions(positions), strict=True):
                if session is not None and wanted.matches(session):
                    data_bytes += size_bytes(session.data)
                    if found and (len(found) == page_size or data_bytes > MAX_PAGE_BYTES):
                        return Page(found, after)
                    found.append(session)
                after = position
            if not more:
                return Page(found, None)
        return Page(found, after)

    async def _positions(
        self, msisdn: str | None, after: Position | None, count: int
    ) -> tuple[Sequence[Position], bool]:
        """Returns the next positions, up to `count`, and whether there may be more behind them."""
        created, _ = keys.index(msisdn)
        newest = "+inf" if after is None else after.created_at_ms
        offset = 0
        while True:
            entries: list[tuple[bytes, float]] = await self._client.zrange(  # type: ignore[assignment]  # byte answers
                created, newest, "-inf", desc=True, byscore=True, withscores=True, offset=offset, num=count
            )
            positions = [Position(int(score), entry.decode()) for entry, score in entries]
            # Those of the same millisecond come again; the page before ended among them.
            behind = [position for position in positions if after is None or after.is_before(position)]
            more = len(positions) == count
            if behind or not more:
                return behind, more
            offset += count

    async def _sessions(self, positions: Sequence[Position]) -> Sequence[Session | None]:
        if not positions:
            return ()
        entries = [Entry.parse(position.entry) for position in positions]
        pipeline = self._client.pipeline(transaction=False)
        for entry in entries:
            pipeline.hgetall(keys.session(entry.session_id))
        return [_as_told(entry, fields) for entry, fields in zip(entries, await answers_of(pipeline), strict=True)]


def _as_told(entry: Entry, fields: dict[bytes, bytes]) -> Session | None:
    if not fields:
        return None
    session = records.session_from_fields(entry.session_id, fields)
    return session if Entry.of(session) == entry else None
