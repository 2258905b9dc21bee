"""Removes what is kept of a phone number."""

from services.sessions import keys
from services.sessions.listing import Entry, Filter
from services.sessions.redis_index import SessionIndex
from services.sessions.store import Erased
from storage.batches import Call, run_in_stages
from storage.connection import Client

PAGE = 100
"""Sessions that are removed in one go."""

SCANNED = 1000
"""Keys that one step of the scan looks at."""


async def erase(client: Client, index: SessionIndex, msisdn: str) -> Erased:
    """Removes the sessions first, then the values, then what the indexes say of the number."""
    sessions = 0
    while found := (await index.page(Filter(msisdn), PAGE, None)).sessions:
        sessions += len(found)
        named = [str(Entry.of(session)) for session in found]
        gone: list[Call] = [
            ("UNLINK", keys.session(session.session_id), keys.commits(session.session_id)) for session in found
        ]
        indexed: list[Call] = [("ZREM", key, *named) for who in (None, msisdn) for key in keys.index(who)]
        # What the index names and nobody has is ignored, so the sessions go first.
        await run_in_stages(client, gone, indexed)
    # Only the values themselves say in which flows there are some, deleted flows among them.
    values = [key.decode() async for key in client.scan_iter(match=f"{keys.in_workflow(msisdn, '*')}", count=SCANNED)]
    values.append(keys.in_all(msisdn))
    sets = [key for key in values if not key.endswith(keys.scoped_commits(""))]
    removed, _ = await run_in_stages(
        client,
        [("UNLINK", key) for key in sets],
        [("UNLINK", keys.scoped_commits(key)) for key in sets] + [("UNLINK", key) for key in keys.index(msisdn)],
    )
    return Erased(sessions, sum(removed))
