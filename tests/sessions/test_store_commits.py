"""What every store of sessions does: commits of turns, and data that outlives sessions."""

import asyncio

import pytest

from services.sessions.errors import DataTooLarge, InvalidSession, SessionEnded, SessionNotFound, VersionConflict
from services.sessions.rules import COMMITS_REMEMBERED, MAX_DATA_BYTES
from services.sessions.session import Commit, DataChange, NewSession, ScopedChanges, ScopedData, SessionType
from services.sessions.store import SessionStore

MSISDN = "+254711000001"
TOO_MUCH = '"' + "x" * MAX_DATA_BYTES + '"'


def scoped(**values: str) -> ScopedChanges:
    change = [DataChange(set=values)]
    return ScopedChanges("flow", change, change)


@pytest.fixture(autouse=True)
async def opened(store: SessionStore) -> None:
    await store.open(NewSession("s", SessionType.USSD, MSISDN, 60_000, {"a": "1", "b": "2"}))


async def test_changes_are_applied_in_order(store: SessionStore) -> None:
    """Each change is clear, then set_if_absent, then set."""
    changes = [
        DataChange(set_if_absent={"a": "9", "c": "3"}, set={"b": "4"}),
        DataChange(clear=True, set_if_absent={"d": "5", "e": "5"}, set={"e": "6"}),
        DataChange(set_if_absent={"d": "7", "f": "8"}),
    ]

    committed = await store.commit("s", Commit("c1", 1, changes))

    assert (committed.repeated, committed.session.version) == (False, 2)
    assert committed.session.data == {"d": "5", "e": "6", "f": "8"}
    assert await store.get("s") == committed.session


async def test_null_is_a_value(store: SessionStore) -> None:
    session = (await store.commit("s", Commit("c1", 1, [DataChange(set={"n": "null"})]))).session
    session = (await store.commit("s", Commit("c2", 2, [DataChange(set_if_absent={"n": "1"})]))).session

    assert session.data["n"] == "null"


async def test_a_repeated_commit_changes_nothing(store: SessionStore) -> None:
    first = Commit("c1", 1, [DataChange(set={"a": "5"})])
    await store.commit("s", first)
    now = (await store.commit("s", Commit("c2", 2, [DataChange(set={"a": "6"})]))).session

    again = await store.commit("s", first)

    assert again.repeated
    assert again.session == now == await store.get("s")


async def test_a_repeat_of_the_commit_that_ended_the_session_returns_it(store: SessionStore) -> None:
    first = Commit("c1", 1, [DataChange(clear=True)], ttl_ms=30_000, end=True)
    ended = (await store.commit("s", first)).session

    again = await store.commit("s", first)

    assert (ended.is_active, ended.data) == (False, {})
    assert ended.expires_at_ms == ended.last_activity_at_ms + 30_000
    assert (again.repeated, again.session) == (True, ended)
    with pytest.raises(SessionEnded):
        await store.commit("s", Commit("c2", 2))


async def test_a_commit_on_an_old_version_is_refused_and_not_remembered(store: SessionStore) -> None:
    await store.update("s", DataChange(set={"a": "5"}), None)
    commit = Commit("c1", 1, [DataChange(set={"b": "6"})], end=True, scoped=scoped(k="1"))

    with pytest.raises(VersionConflict) as refused:
        await store.commit("s", commit)
    assert refused.value.current == 2
    assert await store.scoped(MSISDN, "flow") == ScopedData({}, {})
    assert not (await store.commit("s", Commit("c1", 2, commit.changes))).repeated


async def test_of_one_commit_sent_often_at_once_one_is_applied(store: SessionStore) -> None:
    commits = await asyncio.gather(*(store.commit("s", Commit("c1", 1, scoped=scoped(k="1"))) for _ in range(20)))

    assert sum(not each.repeated for each in commits) == 1
    assert (await store.get("s")).version == 2


async def test_the_newest_commits_are_remembered(store: SessionStore) -> None:
    for n in range(1, COMMITS_REMEMBERED + 2):
        await store.commit("s", Commit(f"c{n}", n))

    assert (await store.commit("s", Commit("c2", 2))).repeated
    with pytest.raises(VersionConflict):
        await store.commit("s", Commit("c1", 1))


async def test_the_last_life_named_moves_the_expiry(store: SessionStore) -> None:
    changes = [DataChange(set={"a": "1"}, ttl_ms=20_000), DataChange(ttl_ms=30_000), DataChange(set={"b": "1"})]

    by_change = (await store.commit("s", Commit("c1", 1, changes))).session
    by_commit = (await store.commit("s", Commit("c2", 2, changes, ttl_ms=40_000))).session
    unchanged = (await store.commit("s", Commit("c3", 3, [DataChange(clear=True)]))).session

    assert by_change.expires_at_ms == by_change.last_activity_at_ms + 30_000
    assert by_commit.expires_at_ms == by_commit.last_activity_at_ms + 40_000
    assert unchanged.expires_at_ms == by_commit.expires_at_ms


async def test_a_commit_that_makes_the_data_too_large_does_nothing(store: SessionStore) -> None:
    before = await store.get("s")

    with pytest.raises(DataTooLarge):
        await store.commit("s", Commit("c1", 1, [DataChange(set={"a": TOO_MUCH})], end=True, scoped=scoped(k="1")))

    assert await store.get("s") == before
    assert await store.scoped(MSISDN, "flow") == ScopedData({}, {})
    assert not (await store.commit("s", Commit("c1", 1))).repeated


async def test_a_commit_without_a_session_is_refused(store: SessionStore) -> None:
    with pytest.raises(SessionNotFound):
        await store.commit("nothing", Commit("c1", 1, scoped=scoped(k="1")))


async def test_scoped_data_outlives_the_session_and_belongs_to_number_and_flow(store: SessionStore) -> None:
    changes = ScopedChanges("flow", [DataChange(set={"w": "1"})], [DataChange(set={"g": "2"})])
    await store.commit("s", Commit("c1", 1, scoped=changes))
    await store.delete("s")

    assert await store.scoped(MSISDN, "flow") == ScopedData({"w": "1"}, {"g": "2"})
    assert await store.scoped(MSISDN, "other") == ScopedData({}, {"g": "2"})
    assert await store.scoped("+254722000002", "flow") == ScopedData({}, {})


async def test_scoped_changes_are_applied_in_order(store: SessionStore) -> None:
    await store.commit("s", Commit("c1", 1, scoped=scoped(old="0", a="1")))
    changes = [
        DataChange(set_if_absent={"a": "2", "b": "2"}),
        DataChange(clear=True, set_if_absent={"c": "3"}, set={"c": "4", "d": "[]"}),
    ]

    await store.commit("s", Commit("c2", 2, scoped=ScopedChanges("flow", changes, changes[:1])))

    assert await store.scoped(MSISDN, "flow") == ScopedData({"c": "4", "d": "[]"}, {"old": "0", "a": "1", "b": "2"})


async def test_scoped_changes_of_a_repeated_commit_are_applied_once(store: SessionStore) -> None:
    commit = Commit("c1", 1, scoped=scoped(k="1"))
    await store.commit("s", commit)
    await store.commit("s", Commit("c2", 2, scoped=scoped(k="2")))

    await store.commit("s", commit)

    assert await store.scoped(MSISDN, "flow") == ScopedData({"k": "2"}, {"k": "2"})


async def test_scoped_changes_that_a_dead_caller_left_out_come_with_the_repeat(store: SessionStore) -> None:
    """The first call got as far as the session; here as a commit of the same name that had no more to do."""
    await store.commit("s", Commit("c1", 1))

    again = await store.commit("s", Commit("c1", 1, scoped=scoped(k="1")))

    assert again.repeated
    assert await store.scoped(MSISDN, "flow") == ScopedData({"k": "1"}, {"k": "1"})


async def test_commits_of_two_sessions_may_have_one_name(store: SessionStore) -> None:
    await store.open(NewSession("s2", SessionType.SMS, MSISDN, 60_000, {}))
    await store.commit("s", Commit("c1", 1, scoped=scoped(k="1")))

    await store.commit("s2", Commit("c1", 1, scoped=scoped(k="2")))

    assert (await store.scoped(MSISDN, "flow")).in_all == {"k": "2"}


async def test_a_value_with_a_life_expires_by_itself(store: SessionStore) -> None:
    lives = [DataChange(set={"short": "1"}, ttl_ms=30), DataChange(set={"lasting": "1"}, ttl_ms=60_000)]
    changes = ScopedChanges(in_all=[*lives, DataChange(set={"long": "2"})])
    await store.commit("s", Commit("c1", 1, scoped=changes))

    await asyncio.sleep(0.04)

    assert (await store.scoped(MSISDN, "flow")).in_all == {"lasting": "1", "long": "2"}
    again = ScopedChanges(in_all=[DataChange(set_if_absent={"short": "3", "lasting": "3", "long": "3"})])
    await store.commit("s", Commit("c2", 2, scoped=again))
    assert (await store.scoped(MSISDN, "flow")).in_all == {"short": "3", "lasting": "1", "long": "2"}


async def test_a_set_whose_values_all_expire_is_gone(store: SessionStore) -> None:
    changes = [DataChange(set={"a": "1"}, ttl_ms=20), DataChange(set={"b": "1"}, ttl_ms=30)]
    await store.commit("s", Commit("c1", 1, scoped=ScopedChanges("flow", changes, changes)))

    await asyncio.sleep(0.04)

    assert await store.scoped(MSISDN, "flow") == ScopedData({}, {})


async def test_a_set_without_an_expiry_again_stays(store: SessionStore) -> None:
    short = ScopedChanges(in_all=[DataChange(set={"a": "1"}, ttl_ms=30)])
    await store.commit("s", Commit("c1", 1, scoped=short))
    await store.commit("s", Commit("c2", 2, scoped=ScopedChanges(in_all=[DataChange(set={"a": "2"})])))

    await asyncio.sleep(0.04)

    assert (await store.scoped(MSISDN, "flow")).in_all == {"a": "2"}


async def test_scoped_data_has_a_limit_and_the_session_is_committed(store: SessionStore) -> None:
    changes = ScopedChanges("flow", [DataChange(set={"a": TOO_MUCH})], [DataChange(set={"b": "1"})])

    for _ in range(2):
        with pytest.raises(DataTooLarge) as refused:
            await store.commit("s", Commit("c1", 1, scoped=changes))
        assert refused.value.field == "workflow_changes"

    assert (await store.get("s")).version == 2
    assert await store.scoped(MSISDN, "flow") == ScopedData({}, {"b": "1"})


async def test_scoped_data_needs_a_phone_number(store: SessionStore) -> None:
    await store.open(NewSession("nobody", SessionType.OTHER, None, 60_000, {}))

    with pytest.raises(InvalidSession) as refused:
        await store.commit("nobody", Commit("c1", 1, scoped=ScopedChanges(in_all=[DataChange(set={"a": "1"})])))

    assert refused.value.field == "global_changes"
    assert (await store.get("nobody")).version == 1


async def test_all_that_is_kept_of_a_phone_number_is_erased_and_nothing_of_others(store: SessionStore) -> None:
    other = "+254711000002"
    await store.open(NewSession("t", SessionType.SMS, other, 60_000, {}))
    for session_id in ("s", "t"):
        await store.commit(session_id, Commit("c1", 1, scoped=scoped(a="1")))

    first, again = await store.erase(MSISDN), await store.erase(MSISDN)

    assert (first.sessions, first.value_sets, again.sessions, again.value_sets) == (1, 2, 0, 0)
    assert await store.scoped(MSISDN, "flow") == ScopedData({}, {})
    assert await store.scoped(other, "flow") == ScopedData({"a": "1"}, {"a": "1"})
    with pytest.raises(SessionNotFound):
        await store.get("s")
    assert (await store.get("t")).msisdn == other
