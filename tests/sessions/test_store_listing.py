"""What every store of sessions does: finding and listing."""

import asyncio
from collections.abc import Sequence

import pytest

from services.sessions.errors import InvalidFilter, NoLiveSession
from services.sessions.listing import MAX_PAGE_BYTES, Filter, Page, Position
from services.sessions.session import NewSession, SessionType
from services.sessions.store import SessionStore

MSISDN = "+254711000001"
OTHER = "+254722000002"


async def opened(
    store: SessionStore, session_id: str, session_type: SessionType = SessionType.USSD, msisdn: str | None = MSISDN
) -> None:
    await store.open(NewSession(session_id, session_type, msisdn, 60_000, {}))
    # The next one is to be newer by the clock of the store.
    await asyncio.sleep(0.002)


async def pages(store: SessionStore, wanted: Filter, size: int) -> Sequence[Page]:
    found = [await store.page(wanted, size, None)]
    while (after := found[-1].next) is not None:
        found.append(await store.page(wanted, size, Position.from_token(after.token())))
    return found


async def ids(store: SessionStore, wanted: Filter, size: int = 100) -> Sequence[str]:
    return [session.session_id for page in await pages(store, wanted, size) for session in page.sessions]


async def test_the_newest_live_session_is_found(store: SessionStore) -> None:
    await opened(store, "first")
    await opened(store, "second")
    await opened(store, "voice", SessionType.VOICE)
    await opened(store, "theirs", msisdn=OTHER)

    assert (await store.find(MSISDN, SessionType.USSD)).session_id == "second"
    await store.end("second")
    assert (await store.find(MSISDN, SessionType.USSD)).session_id == "first"
    await store.delete("first")
    with pytest.raises(NoLiveSession):
        await store.find(MSISDN, SessionType.USSD)


async def test_a_live_session_is_found_behind_many_ended_ones(store: SessionStore) -> None:
    await opened(store, "live")
    for n in range(30):
        await store.open(NewSession(f"ended{n}", SessionType.USSD, MSISDN, 60_000, {}))
        await store.end(f"ended{n}")

    assert (await store.find(MSISDN, SessionType.USSD)).session_id == "live"


async def test_sessions_are_listed_newest_first(store: SessionStore) -> None:
    for session_id in ("a", "c", "b"):
        await opened(store, session_id)
    await store.touch("a", None)
    await opened(store, "c")

    assert await ids(store, Filter()) == ["b", "c", "a"]


async def test_filters_are_combined(store: SessionStore) -> None:
    await opened(store, "a")
    await opened(store, "b", SessionType.SMS)
    await opened(store, "c", SessionType.SMS, OTHER)
    await opened(store, "d", SessionType.SMS, None)
    await store.end("b")

    assert await ids(store, Filter()) == ["d", "c", "b", "a"]
    assert await ids(store, Filter(msisdn=MSISDN)) == ["b", "a"]
    assert await ids(store, Filter(type=SessionType.SMS)) == ["d", "c", "b"]
    assert await ids(store, Filter(active=True)) == ["d", "c", "a"]
    assert await ids(store, Filter(active=False)) == ["b"]
    assert await ids(store, Filter(MSISDN, SessionType.SMS, active=False)) == ["b"]
    assert await ids(store, Filter(MSISDN, SessionType.SMS, active=True)) == []


@pytest.mark.parametrize("size", [1, 2, 7, 100, 1000])
async def test_pages_have_every_session_once(store: SessionStore, size: int) -> None:
    """Many are created in one millisecond, so pages end between equal times."""
    made = [f"s{n}" for n in range(25)]
    await asyncio.gather(*(store.open(NewSession(made[n], SessionType.USSD, MSISDN, 60_000, {})) for n in range(25)))

    found = await pages(store, Filter(msisdn=MSISDN), size)

    assert sorted(session.session_id for page in found for session in page.sessions) == sorted(made)
    assert [len(page.sessions) for page in found[:-1]] == [size] * (len(found) - 1)
    assert 1 <= len(found[-1].sessions) <= size


async def test_sessions_opened_meanwhile_do_not_disturb_the_next_pages(store: SessionStore) -> None:
    for session_id in ("a", "b", "c"):
        await opened(store, session_id)
    first = await store.page(Filter(), 2, None)
    await opened(store, "d")
    await store.delete("b")

    second = await store.page(Filter(), 2, first.next)

    assert [session.session_id for session in second.sessions] == ["a"]
    assert second.next is None


async def test_a_page_of_large_sessions_ends_early(store: SessionStore) -> None:
    """It fits into one message, and the rest is on the next page."""
    text = '"' + "x" * 200_000 + '"'
    for n in range(20):
        await store.open(NewSession(f"s{n}", SessionType.USSD, None, 60_000, {"a": text}))

    found = await pages(store, Filter(), 100)

    assert [len(page.sessions) for page in found] == [15, 5]
    assert 15 * 200_003 <= MAX_PAGE_BYTES < 16 * 200_003


@pytest.mark.parametrize("token", ["x", "é", "bm90IGEgdG9rZW4", "MTIz", "=", "a" * 5000])
def test_a_made_up_page_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        Position.from_token(token)

    assert refused.value.field == "page_token"
