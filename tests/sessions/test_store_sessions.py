"""What every store of sessions does: opening, reading, changing, ending."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.sessions.errors import (
    DataTooLarge,
    InvalidSession,
    NoLiveSession,
    SessionEnded,
    SessionNotFound,
    VersionConflict,
)
from services.sessions.rules import MAX_DATA_BYTES
from services.sessions.session import Commit, DataChange, NewSession, SessionType
from services.sessions.store import SessionStore

MSISDN = "+254711000001"


def new(session_id: str = "ATUid_1", **values: Any) -> NewSession:
    return NewSession(**{
        "session_id": session_id, "type": SessionType.USSD, "msisdn": MSISDN, "ttl_ms": 60_000, "data": {}, **values,
    })  # fmt: skip


async def gone(read: Callable[[], Awaitable[object]]) -> None:
    """Waits until a read is refused because there is nothing."""
    async with asyncio.timeout(30):
        while True:
            try:
                await read()
            except (SessionNotFound, NoLiveSession):
                return
            await asyncio.sleep(0.01)


async def test_a_new_session_has_what_it_was_opened_with(store: SessionStore) -> None:
    opened = await store.open(new(data={"name": '"Amina"'}))

    session = opened.session
    assert opened.created
    assert (session.session_id, session.type, session.msisdn) == ("ATUid_1", SessionType.USSD, MSISDN)
    assert (session.data, session.is_active, session.version) == ({"name": '"Amina"'}, True, 1)
    assert session.created_at_ms == session.last_activity_at_ms == session.expires_at_ms - 60_000
    assert await store.get("ATUid_1") == session


async def test_a_session_may_have_no_phone_number(store: SessionStore) -> None:
    await store.open(new(msisdn=None, type=SessionType.OTHER))

    session = await store.get("ATUid_1")
    assert (session.msisdn, session.type) == (None, SessionType.OTHER)


async def test_opening_a_live_session_joins_it_and_changes_nothing(store: SessionStore) -> None:
    first = await store.open(new(data={"a": "1"}))

    second = await store.open(new(data={"a": "2"}, msisdn="+254722000002", ttl_ms=5))

    assert not second.created
    assert second.session == first.session


async def test_a_session_is_joined_without_its_type_but_not_created(store: SessionStore) -> None:
    with pytest.raises(InvalidSession) as refused:
        await store.open(new(type=None))
    await store.open(new())

    assert refused.value.field == "type"
    assert not (await store.open(new(type=None))).created


async def test_of_many_openings_at_once_one_creates(store: SessionStore) -> None:
    opened = await asyncio.gather(*(store.open(new(data={"n": str(n)})) for n in range(20)))

    assert sum(each.created for each in opened) == 1
    assert len({each.session.data["n"] for each in opened}) == 1


async def test_an_ended_session_is_not_opened_again(store: SessionStore) -> None:
    await store.open(new())
    await store.end("ATUid_1")

    with pytest.raises(SessionEnded):
        await store.open(new())


async def test_the_id_of_an_expired_session_can_be_used_again(store: SessionStore) -> None:
    await store.open(new(ttl_ms=20, data={"old": "1"}))
    await gone(lambda: store.get("ATUid_1"))

    opened = await store.open(new())

    assert opened.created
    assert (opened.session.data, opened.session.version) == ({}, 1)


@pytest.mark.parametrize("text", ["[]", "{}", "123456789012345678901234567890", "1e-07", '"\\u0000é"', "null", '""'])
async def test_a_value_keeps_its_text(store: SessionStore, text: str) -> None:
    await store.open(new(data={"opened": text}))
    await store.update("ATUid_1", DataChange(set={"": text, "a.b": text, "émoji 😀": text}), None)

    data = (await store.get("ATUid_1")).data
    assert data == {"opened": text, "": text, "a.b": text, "émoji 😀": text}


async def test_keys_named_like_fields_of_a_session_are_plain_data(store: SessionStore) -> None:
    names = ("type", "msisdn", "active", "version", "expires", "created", "ttl", "activity")
    await store.open(new(data=dict.fromkeys(names, "0")))

    session = await store.update("ATUid_1", DataChange(set={"version": "7"}), 1)

    assert (session.version, session.is_active, session.data["version"]) == (2, True, "7")


async def test_merging_leaves_other_keys_alone(store: SessionStore) -> None:
    await store.open(new(data={"a": "1", "b": "2"}))

    session = await store.update("ATUid_1", DataChange(set={"b": "3", "c": "4"}), None)

    assert session.data == {"a": "1", "b": "3", "c": "4"}
    assert session.version == 2
    assert await store.get("ATUid_1") == session


async def test_replacing_removes_other_keys_and_keeps_the_expiry(store: SessionStore) -> None:
    opened = (await store.open(new(data={"a": "1", "b": "2"}, ttl_ms=300))).session

    session = await store.update("ATUid_1", DataChange(clear=True, set={"c": "4"}), None)

    assert session.data == {"c": "4"}
    assert session.expires_at_ms == opened.expires_at_ms
    await gone(lambda: store.get("ATUid_1"))


async def test_an_update_of_an_old_version_is_refused_and_changes_nothing(store: SessionStore) -> None:
    await store.open(new())
    await store.update("ATUid_1", DataChange(set={"a": "1"}), 1)

    with pytest.raises(VersionConflict) as refused:
        await store.update("ATUid_1", DataChange(set={"a": "2"}), 1)

    assert refused.value.current == 2
    assert (await store.get("ATUid_1")).data == {"a": "1"}


async def test_data_has_a_limit_over_all_writes(store: SessionStore) -> None:
    """Keys and values count, in bytes; a refused write changes nothing."""
    half = '"' + "é" * (MAX_DATA_BYTES // 4 - 2) + '"'
    await store.open(new(data={"a": half}))

    with pytest.raises(DataTooLarge) as refused:
        await store.update("ATUid_1", DataChange(set={"bb": half + "12345"}), None)
    fits = await store.update("ATUid_1", DataChange(set={"bb": half + " "}), None)

    assert (refused.value.size_bytes, refused.value.limit_bytes) == (MAX_DATA_BYTES + 4, MAX_DATA_BYTES)
    assert (fits.version, set(fits.data)) == (2, {"a", "bb"})
    with pytest.raises(DataTooLarge):
        await store.open(new("other", data={"a": half, "b": half, "c": half}))


async def test_many_keys_are_kept(store: SessionStore) -> None:
    many = {f"key{n}": str(n) for n in range(12_000)}
    await store.open(new(data=many))

    session = await store.update("ATUid_1", DataChange(clear=True, set=many | {"more": "1"}), None)

    assert session.data == many | {"more": "1"} == (await store.get("ATUid_1")).data


async def test_an_ended_session_is_readable_and_takes_no_writes(store: SessionStore) -> None:
    await store.open(new(data={"a": "1"}))
    ended = await store.end("ATUid_1")

    assert (ended.is_active, ended.version, ended.data) == (False, 2, {"a": "1"})
    assert await store.get("ATUid_1") == ended
    for write in (
        store.update("ATUid_1", DataChange(set={"a": "2"}), None),
        store.commit("ATUid_1", Commit("c", 2)),
        store.touch("ATUid_1", None),
    ):
        with pytest.raises(SessionEnded):
            await write
    assert await store.end("ATUid_1") == ended


async def test_an_ended_session_stays_for_the_retention(store: SessionStore) -> None:
    # On a busy machine a short life may be over before its end comes.
    for ttl_ms in (30, 300, 3000, 12_000):
        session_id = f"life-{ttl_ms}"
        await store.open(new(session_id, ttl_ms=ttl_ms))
        try:
            ended = await store.end(session_id)
        except SessionNotFound:
            continue
        break
    await asyncio.sleep(2 * ttl_ms / 1000)

    assert await store.get(session_id) == ended
    with pytest.raises(SessionEnded):
        await store.open(new(session_id))


async def test_touching_moves_the_expiry_and_not_the_version(store: SessionStore) -> None:
    opened = (await store.open(new(ttl_ms=10_000))).session

    longer = await store.touch("ATUid_1", 90_000)
    own = await store.touch("ATUid_1", None)

    assert longer.expires_at_ms == longer.last_activity_at_ms + 90_000
    assert own.expires_at_ms == own.last_activity_at_ms + 10_000
    assert own.last_activity_at_ms >= opened.last_activity_at_ms
    assert (own.version, await store.get("ATUid_1")) == (1, own)


async def test_a_touched_session_expires_later_and_a_shortened_one_sooner(store: SessionStore) -> None:
    opened = await store.open(new("long", ttl_ms=60_000))
    await store.open(new("short", ttl_ms=60_000))
    await store.touch("long", 120_000)
    await store.touch("short", 20)

    await gone(lambda: store.get("short"))
    assert (await store.get("long")).expires_at_ms >= opened.session.expires_at_ms + 60_000


async def test_an_expired_session_is_gone_for_every_call(store: SessionStore) -> None:
    await store.open(new(ttl_ms=20))
    await gone(lambda: store.get("ATUid_1"))

    for call in (
        store.update("ATUid_1", DataChange(), None),
        store.commit("ATUid_1", Commit("c", 1)),
        store.touch("ATUid_1", None),
        store.end("ATUid_1"),
    ):
        with pytest.raises(SessionNotFound):
            await call
    with pytest.raises(NoLiveSession):
        await store.find(MSISDN, SessionType.USSD)
    assert not await store.delete("ATUid_1")


async def test_a_deleted_session_is_gone_and_its_id_free(store: SessionStore) -> None:
    await store.open(new(data={"a": "1"}))
    await store.commit("ATUid_1", Commit("c", 1))

    assert (await store.delete("ATUid_1"), await store.delete("ATUid_1")) == (True, False)

    with pytest.raises(SessionNotFound):
        await store.get("ATUid_1")
    assert (await store.open(new())).created
    assert not (await store.commit("ATUid_1", Commit("c", 1))).repeated


@pytest.mark.parametrize("session_id", ["a}b", "{", "{}", "a{b}c", "é", "*?", "x" * 256])
async def test_any_printable_id_works(store: SessionStore, session_id: str) -> None:
    await store.open(new(session_id))
    await store.commit(session_id, Commit("c", 1, end=True))

    assert (await store.get(session_id)).version == 2
    assert await store.delete(session_id)
