"""Who may run an execution, who may write it, and when somebody must look at it."""

from dataclasses import replace

import pytest

from services.engine.core.ports import LeaseLost
from services.engine.core.state import NodeResult, NodeStatus
from services.engine.store.execution_store import Stored
from tests.engine.stores.engines import (
    LONG_MS,
    SHORT_MS,
    Engines,
    begin,
    ended,
    entry,
    fresh,
    turn,
    waiting,
    with_commit,
)
from workflow.session import TurnSession

RENEWED_MS = 1000
"""A lease that runs out once and then holds for the rest of a test."""


async def test_a_new_execution_is_taken_with_its_first_turn(engines: Engines) -> None:
    begun = await engines().create(turn("hi"), fresh())
    assert begun is not None
    assert begun.state == fresh()
    assert [(each.number, each.key, each.payload) for each in begun.turns] == [(1, None, {"text": "hi"})]


async def test_an_execution_is_created_once(engines: Engines) -> None:
    assert await engines("a").create(turn(), fresh()) is not None
    assert await engines("b").create(turn(), fresh()) is None


async def test_what_an_engine_runs_is_not_taken_up_by_another_one_nor_twice_by_itself(engines: Engines) -> None:
    await begin(engines("a"), fresh())
    assert await engines("b").take_up(fresh().execution_id) is None
    assert await engines("a").take_up(fresh().execution_id) is None


async def test_an_execution_that_does_not_exist_is_not_taken_up(engines: Engines) -> None:
    assert await engines().take_up(fresh().execution_id) is None


async def test_what_a_dead_engine_ran_is_due_and_goes_on_as_it_was_journaled_last(engines: Engines) -> None:
    state = fresh()
    journal = await begin(engines("a", SHORT_MS), state)
    state.visits = 7
    await journal.write(entry(state, released=False))
    await engines.elapse(SHORT_MS)

    other = engines("b")
    assert await other.due(10) == [state.execution_id]
    found = await other.take_up(state.execution_id)
    assert found is not None
    assert found.state == replace(state, broken_off=True)
    assert list(found.turns) == []
    assert await other.due(10) == [], "its lease is new"


async def test_what_is_taken_up_at_rest_did_not_break_off(engines: Engines) -> None:
    state = fresh()
    journal = await begin(engines("a"), state)
    await journal.write(entry(waiting(state, engines.now_ms())))
    found = await engines("b").take_up(state.execution_id)
    assert found is not None
    assert not found.state.broken_off


async def test_what_broke_off_and_was_handed_on_unrun_has_still_broken_off(engines: Engines) -> None:
    state = fresh()
    await begin(engines("a", SHORT_MS), state)
    await engines.elapse(SHORT_MS)
    second = engines("b")
    unrun = await second.take_up(state.execution_id)
    assert unrun is not None
    await unrun.journal.write(entry(unrun.state, released=False))
    await second.hand_over(state.execution_id)
    found = await engines("c").take_up(state.execution_id)
    assert found is not None
    assert found.state.broken_off


async def test_an_engine_whose_lease_another_one_has_taken_cannot_write(engines: Engines) -> None:
    state = fresh()
    stale = await begin(engines("a", SHORT_MS), state)
    await engines.elapse(SHORT_MS)
    other = engines("b")
    found = await other.take_up(state.execution_id)
    assert found is not None
    state.visits = 99
    with pytest.raises(LeaseLost):
        await stale.write(entry(state))
    await stale.confirm(state, 5)

    stored = await other.read(state.execution_id)
    assert stored == Stored(fresh(), [], [])
    assert await engines("c").take_up(state.execution_id) is None, "the lease of the other one holds"


async def test_an_engine_that_nobody_robbed_writes_on_behind_the_end_of_its_lease(engines: Engines) -> None:
    state = fresh()
    journal = await begin(engines("a", SHORT_MS), state)
    await engines.elapse(SHORT_MS)
    assert await journal.write(entry(state)) == []


async def test_an_engine_that_restarted_under_its_name_renews_nothing_that_it_did_not_take(engines: Engines) -> None:
    state = fresh()
    await begin(engines("a", SHORT_MS), state)
    await engines("a", LONG_MS).renew([state.execution_id])
    await engines.elapse(SHORT_MS)
    assert await engines("b").take_up(state.execution_id) is not None


async def test_renewing_moves_the_end_of_the_lease_and_the_look_at_it(engines: Engines) -> None:
    state = fresh()
    store = engines("a", RENEWED_MS)
    await begin(store, state)
    await engines.elapse(RENEWED_MS)
    assert await store.due(10) == [state.execution_id]
    await store.renew([state.execution_id, fresh(2).execution_id])
    assert await store.due(10) == []
    assert await engines("b").take_up(state.execution_id) is None


async def test_what_is_handed_over_is_due_at_once_for_another_engine(engines: Engines) -> None:
    state = fresh()
    store = engines("a")
    await begin(store, state)
    await engines("b").hand_over(state.execution_id)
    assert await engines("b").due(10) == [], "only who holds a lease gives it up"
    await store.hand_over(state.execution_id)
    await engines.elapse(1)
    assert await engines("b").due(10) == [state.execution_id]
    assert await engines("b").take_up(state.execution_id) is not None
    await store.hand_over(state.execution_id)
    assert await engines("c").take_up(state.execution_id) is None, "a lease is given up once"


async def test_a_lease_that_nothing_runs_under_is_renewed_no_more(engines: Engines) -> None:
    state = fresh()
    store = engines("a", SHORT_MS)
    await begin(store, state)
    await store.renew([])
    await store.renew([])
    await engines.elapse(SHORT_MS)
    await store.renew([state.execution_id])
    assert await store.due(10) == [state.execution_id]


async def test_a_lease_that_was_lost_is_not_renewed(engines: Engines) -> None:
    state = fresh()
    store = engines("a", SHORT_MS)
    await begin(store, state)
    await engines.elapse(SHORT_MS)
    other = engines("b", SHORT_MS)
    assert await other.take_up(state.execution_id) is not None
    await engines.elapse(SHORT_MS)
    await store.renew([state.execution_id])
    assert await store.due(10) == [state.execution_id]


async def test_a_run_that_lost_its_lease_does_not_end_a_newer_one_of_its_own_engine(engines: Engines) -> None:
    state = fresh()
    store = engines("a", RENEWED_MS)
    lost = await begin(store, state)
    await engines.elapse(RENEWED_MS)
    assert await store.take_up(state.execution_id) is not None
    with pytest.raises(LeaseLost):
        await lost.write(entry(state))
    await engines.elapse(RENEWED_MS)
    await store.renew([state.execution_id])
    assert await store.due(10) == []


async def test_a_released_execution_may_be_taken_up_at_once(engines: Engines) -> None:
    state = fresh()
    journal = await begin(engines("a"), state)
    await journal.write(entry(waiting(state, engines.now_ms() + LONG_MS)))
    found = await engines("b").take_up(state.execution_id)
    assert found is not None
    assert found.state == state


async def test_an_execution_that_waits_is_due_when_its_wait_is_over(engines: Engines) -> None:
    soon, late, never = fresh(1), fresh(2), fresh(3)
    store = engines()
    for state, until_ms in ((soon, engines.now_ms()), (late, engines.now_ms() + LONG_MS)):
        await (await begin(store, state)).write(entry(waiting(state, until_ms)))
    await (await begin(store, never)).write(entry(ended(never)))
    assert await store.due(10) == [soon.execution_id]


async def test_only_so_many_due_executions_are_named_as_asked_for(engines: Engines) -> None:
    store = engines()
    for number in range(5):
        state = fresh(number)
        await (await begin(store, state)).write(entry(waiting(state, engines.now_ms())))
    assert len(await store.due(3)) == 3


async def test_an_execution_whose_commit_is_not_confirmed_is_looked_at_again(engines: Engines) -> None:
    state = with_commit(fresh())
    journal = await begin(engines(), state)
    await journal.write(entry(state))
    found = await engines("b").take_up(state.execution_id)
    assert found is not None
    assert found.state.commits == state.commits


async def test_what_was_confirmed_is_not_committed_again(engines: Engines) -> None:
    state = with_commit(fresh())
    state.session = TurnSession("ses", "sms", None, 3, {})
    journal = await begin(engines(), state)
    await journal.write(entry(state))
    await journal.confirm(state, 4)
    found = await engines("b").take_up(state.execution_id)
    assert found is not None
    assert found.state.commits == []
    assert found.state.session is not None
    assert (found.state.session.version, found.state.session.stale) == (4, False)


async def test_a_session_that_others_wrote_to_meanwhile_is_stale(engines: Engines) -> None:
    state = with_commit(fresh())
    state.session = TurnSession("ses", "sms", None, 3, {})
    journal = await begin(engines(), state)
    await journal.write(entry(state))
    await journal.confirm(state, 6)
    found = await engines("b").take_up(state.execution_id)
    assert found is not None
    assert found.state.session is not None
    assert (found.state.session.version, found.state.session.stale) == (6, True)


async def test_a_confirmation_makes_the_next_wait_what_is_due(engines: Engines) -> None:
    store = engines()
    state = waiting(with_commit(fresh()), engines.now_ms())
    journal = await begin(store, state)
    await journal.write(entry(state))
    assert await store.due(10) == [state.execution_id]
    state.waits.clear()
    await journal.confirm(state, 4)
    assert await store.due(10) == []


async def test_a_write_behind_a_confirmation_has_its_commits_confirmed_anew(engines: Engines) -> None:
    state = with_commit(fresh())
    journal = await begin(engines(), state)
    await journal.write(entry(state, released=False))
    await journal.confirm(state, 4)
    await journal.write(entry(state))
    found = await engines("b").take_up(state.execution_id)
    assert found is not None
    assert found.state.commits == state.commits


async def test_results_and_correlations_grow_with_every_write(engines: Engines) -> None:
    store = engines()
    state = fresh()
    journal = await begin(store, state)
    first, second = (NodeResult(name, NodeStatus.SUCCESS, 1, output={"n": name}) for name in ("one", "two"))
    await journal.write(entry(state, released=False, results=[first]))
    await journal.write(entry(state, results=[second]))
    stored = await store.read(state.execution_id)
    assert stored is not None
    assert list(stored.results) == [first, second]


async def test_an_ended_execution_is_kept_for_its_retention_and_is_then_gone(engines: Engines) -> None:
    store = engines("a", LONG_MS, SHORT_MS)
    state = fresh()
    journal = await begin(store, state)
    await journal.write(entry(waiting(state, 1)))
    await engines.elapse(SHORT_MS)
    found = await store.take_up(state.execution_id)
    assert found is not None, "what has not ended is kept"
    state.waits.clear()
    await found.journal.write(entry(ended(state)))
    await engines.elapse(SHORT_MS)
    assert await store.read(state.execution_id) is None
    assert await store.take_up(state.execution_id) is None
    assert await store.due(10) == []
