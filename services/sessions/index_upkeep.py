"""Takes entries out of the index whose sessions are gone, so that it never outgrows the sessions."""

import asyncio
from collections.abc import Sequence

import structlog

from services.sessions import keys
from services.sessions.listing import Entry
from storage.batches import Call, answers_of, run_in_order
from storage.connection import Client, StoreUnavailable, store_errors
from storage.outages import Outage
from storage.scripts import Script, ScriptCall

INTERVAL_SECONDS = 5.0
BATCH = 200
"""Entries looked at in one go; a round goes on until fewer are due."""

_log = structlog.get_logger()


class IndexUpkeep:
    """
    Looks at entries that are due: whose session was to be gone by now when they were written.

    Any number of replicas may do this at once, and while sessions are opened: an entry is only taken away if nobody
    has written it since its session was seen gone.
    """

    def __init__(self, client: Client, retention_ms: int) -> None:
        self._client = client
        self._retention_ms = retention_ms
        self._due = Script.load(__package__, "prelude", "index_due")
        self._prolong = Script.load(__package__, "index_prolong")
        self._forget = Script.load(__package__, "index_forget")

    async def run(self) -> None:
        """Goes over the index every INTERVAL_SECONDS until cancelled."""
        outage = Outage("the index of sessions was not looked after")
        while True:
            try:
                while await self.look() == BATCH:
                    pass
                outage.is_over()
            except StoreUnavailable as error:
                outage.goes_on(why=error.why)
            except Exception:  # noqa: BLE001 (an index that grows must be told of, and must not end the service)
                _log.exception("the index of sessions was not looked after")
            await asyncio.sleep(INTERVAL_SECONDS)

    async def look(self) -> int:
        """Looks at up to BATCH entries that are due and returns how many there were. Raises StoreUnavailable."""
        with store_errors():
            now, due = await self._due.run(self._client, [keys.index(None)[1]], [BATCH])
            if not due:
                return 0
            entries = [Entry.parse(text.decode()) for text in due]
            gone: list[Entry] = []
            calls: list[Call] = []
            for entry, until_ms in zip(entries, await self._known_until(entries), strict=True):
                if until_ms is None:
                    gone.append(entry)
                else:
                    calls += [ScriptCall(self._prolong, index, [str(entry), until_ms]) for index in _indexes(entry)]
            # That of the phone number first: as long as an entry stands in that of all, it is looked at again.
            calls += [self._forgetting(entry.msisdn, now, [entry]) for entry in gone if entry.msisdn is not None]
            calls += [self._forgetting(None, now, gone)] if gone else []
            await run_in_order(self._client, calls)
        return len(entries)

    async def _known_until(self, entries: Sequence[Entry]) -> Sequence[int | None]:
        """Returns until when each session will be readable; None: it is gone, or is not the one that is told of."""
        pipeline = self._client.pipeline(transaction=False)
        for entry in entries:
            pipeline.hmget(keys.session(entry.session_id), "type", "msisdn", "expires", "active")
        until: list[int | None] = []
        for entry, (kind, msisdn, expires, active) in zip(entries, await answers_of(pipeline), strict=True):
            if kind is None or (kind.decode(), msisdn.decode()) != (entry.type, entry.msisdn or ""):
                until.append(None)
            else:
                until.append(int(expires) + (self._retention_ms if active == b"0" else 0))
        return until

    def _forgetting(self, msisdn: str | None, now: bytes, entries: Sequence[Entry]) -> ScriptCall:
        return ScriptCall(self._forget, keys.index(msisdn), [now, *(str(entry) for entry in entries)])


def _indexes(entry: Entry) -> Sequence[tuple[str, str]]:
    return [keys.index(None)] if entry.msisdn is None else [keys.index(None), keys.index(entry.msisdn)]
