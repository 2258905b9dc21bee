"""What the store says to a USSD callback: new, the next one, the same again, out of order, too late."""

from dataclasses import replace
from typing import Any

from services.engine.core.ports import Entry
from services.engine.core.state import Reply, Signal, Turn
from services.engine.store.execution_store import Answered, NoExecution, Occupied, Queued
from services.engine.store.memory.store import MOST_WAITING
from tests.engine.stores.engines import (
    LONG_MS,
    SESSION,
    SHORT_MS,
    Engines,
    begin,
    dial,
    ended,
    entry,
    fresh,
    mark,
    on_ussd,
    taken,
    turn,
    waiting,
    with_commit,
)

MENU, NEXT, BYE = Reply("con", "Menu"), Reply("con", "Next"), Reply("end", "Bye")


async def answered(engines: Engines, text: str = "", reply: Reply = MENU, name: str = "a") -> None:
    """Dials and answers, so that the execution waits for the next callback."""
    begun = taken(await dial(engines(name), text, fresh(1, SESSION)))
    state = waiting(on_ussd(begun.state, reply), engines.now_ms() + LONG_MS)
    state.turns = begun.turns[-1].number
    await begun.journal.write(entry(state, answered=mark(text)))


async def test_nothing_begins_where_no_execution_is_offered(engines: Engines) -> None:
    assert isinstance(await dial(engines(), ""), NoExecution)
    assert isinstance(await dial(engines(), "1"), NoExecution)


async def test_the_first_callback_begins_what_is_offered(engines: Engines) -> None:
    begun = taken(await dial(engines(), "1*2", fresh(1, SESSION)))
    assert begun.state == fresh(1, SESSION)
    assert [each.number for each in begun.turns] == [1]


async def test_an_answered_callback_gets_its_answer_again(engines: Engines) -> None:
    await answered(engines)
    again = await dial(engines("b"), "", fresh(2, SESSION))
    assert again == Answered(MENU, fresh(1, SESSION).execution_id)
    assert await engines().answer_of(SESSION, mark("")) == MENU


async def test_every_callback_of_a_session_keeps_its_own_answer(engines: Engines) -> None:
    await answered(engines)
    await answered(engines, "1", NEXT)
    execution_id = fresh(1, SESSION).execution_id
    assert [await dial(engines(), text) for text in ("", "1")] == [
        Answered(MENU, execution_id),
        Answered(NEXT, execution_id),
    ]


async def test_the_next_callback_takes_the_execution_up_with_its_state(engines: Engines) -> None:
    await answered(engines)
    begun = taken(await dial(engines("b"), "1"))
    assert begun.state.reply == MENU
    assert begun.turns == [Turn(2, None, {"text": "1"})]


async def test_a_callback_that_skips_a_screen_follows_what_was_seen_last(engines: Engines) -> None:
    """The callback in between was lost on its way here."""
    await answered(engines)
    assert taken(await dial(engines(), "1*2")).turns == [Turn(2, None, {"text": "1*2"})]


async def test_the_same_callback_joins_the_turn_that_is_under_way(engines: Engines) -> None:
    begun = taken(await dial(engines("a"), "", fresh(1, SESSION)))
    execution_id = begun.state.execution_id
    assert await dial(engines("a"), "", fresh(2, SESSION)) == Queued(execution_id, here=True, turn=None)
    assert await dial(engines("b"), "", fresh(2, SESSION)) == Queued(execution_id, here=False, turn=None)
    assert await engines().answer_of(SESSION, mark("")) is None


async def test_the_same_callback_takes_over_from_an_engine_that_died(engines: Engines) -> None:
    taken(await dial(engines("a", SHORT_MS), "", fresh(1, SESSION)))
    await engines.elapse(SHORT_MS)
    begun = taken(await dial(engines("b"), "", fresh(2, SESSION)))
    assert begun.state == replace(fresh(1, SESSION), broken_off=True)
    assert [each.number for each in begun.turns] == [1], "recorded once"


async def test_the_next_callback_is_queued_while_nodes_still_run(engines: Engines) -> None:
    begun = taken(await dial(engines("a"), "", fresh(1, SESSION)))
    state = on_ussd(begun.state, MENU)
    await begun.journal.write(entry(state, released=False, answered=mark("")))
    execution_id = state.execution_id
    queued = await dial(engines("b"), "1")
    assert queued == Queued(execution_id, here=False, turn=Turn(2, None, {"text": "1"}))
    assert await dial(engines("a"), "1") == Queued(execution_id, here=True, turn=None)
    assert await engines("a").turns_behind({execution_id: 1}) == {execution_id: [Turn(2, None, {"text": "1"})]}
    assert await engines("a").turns_behind({execution_id: 2}) == {execution_id: []}


async def test_an_engine_that_releases_with_a_turn_pending_gets_it_and_keeps_the_lease(engines: Engines) -> None:
    begun = taken(await dial(engines("a"), "", fresh(1, SESSION)))
    state = waiting(on_ussd(begun.state, MENU), engines.now_ms())
    await begun.journal.write(entry(state, released=False, answered=mark("")))
    await dial(engines("b"), "1")
    assert await begun.journal.write(entry(state)) == [Turn(2, None, {"text": "1"})]
    assert await engines("b").take_up(state.execution_id) is None
    assert await engines("b").due(10) == []

    state.turns = 2
    assert await begun.journal.write(entry(state)) == []
    assert await engines("b").take_up(state.execution_id) is not None


async def test_a_turn_that_nobody_took_comes_with_the_takeover(engines: Engines) -> None:
    begun = taken(await dial(engines("a", SHORT_MS), "", fresh(1, SESSION)))
    await begun.journal.write(entry(on_ussd(begun.state, MENU), released=False, answered=mark("")))
    await dial(engines("b", SHORT_MS), "1")
    await engines.elapse(SHORT_MS)
    assert taken(await engines("b").take_up(begun.state.execution_id)).turns == [Turn(2, None, {"text": "1"})]


async def test_a_shorter_text_gets_the_current_screen_and_runs_nothing(engines: Engines) -> None:
    await answered(engines, "1*2", NEXT)
    execution_id = fresh(1, SESSION).execution_id
    for text in ("", "1", "3", "1*3", "1*22"):
        assert await dial(engines(), text, fresh(2, SESSION)) == Answered(NEXT, execution_id)
    stored = await engines().read(execution_id)
    assert stored is not None
    assert stored.state.turns == 1


async def test_a_shorter_text_waits_where_there_is_no_screen_yet(engines: Engines) -> None:
    begun = taken(await dial(engines("a"), "1*2", fresh(1, SESSION)))
    assert await dial(engines("a"), "1") == Queued(begun.state.execution_id, here=True, turn=None)


async def test_a_shorter_text_waits_also_while_nobody_runs_the_execution(engines: Engines) -> None:
    begun = taken(await dial(engines("a", SHORT_MS), "1*2", fresh(1, SESSION)))
    await engines.elapse(SHORT_MS)
    assert await dial(engines("a"), "1") == Queued(begun.state.execution_id, here=False, turn=None)


async def test_a_closed_session_answers_the_last_callback_and_takes_no_more(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    state = ended(on_ussd(begun.state, BYE))
    await begun.journal.write(entry(state, answered=mark("")))
    for text in ("", "1"):
        assert await dial(engines(), text, fresh(2, SESSION)) == Answered(BYE, state.execution_id)


async def test_the_last_screen_closes_the_session_while_the_execution_runs_on(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    state = on_ussd(begun.state, BYE)
    await begun.journal.write(entry(state, released=False, answered=mark("")))
    assert await dial(engines(), "1", fresh(2, SESSION)) == Answered(BYE, state.execution_id)


async def test_a_turn_that_says_nothing_gets_no_answer(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    await begun.journal.write(entry(ended(begun.state), answered=mark("")))
    assert await engines().answer_of(SESSION, mark("")) is None
    assert isinstance(await dial(engines(), ""), NoExecution)


async def test_a_turn_that_takes_too_long_is_answered_once_and_closes_the_session(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    execution_id = begun.state.execution_id
    sorry = Reply("end", "Sorry")
    assert await engines().answer_late(SESSION, mark(""), sorry) == sorry
    assert await engines().answer_late(SESSION, mark(""), BYE) == sorry
    assert await engines().answer_of(SESSION, mark("")) == sorry
    await begun.journal.write(entry(on_ussd(begun.state, MENU), answered=mark("")))
    assert await dial(engines(), "") == Answered(sorry, execution_id), "the answer that went out stays"
    assert await dial(engines(), "1") == Answered(MENU, execution_id), "the session takes no more"


async def test_a_late_answer_that_comes_too_late_is_the_one_that_was_given(engines: Engines) -> None:
    await answered(engines)
    assert await engines().answer_late(SESSION, mark(""), Reply("end", "Sorry")) == MENU
    assert taken(await dial(engines(), "1")).turns == [Turn(2, None, {"text": "1"})], "the session goes on"


async def test_the_session_of_a_turn_that_was_given_up_is_not_taken_over_by_its_repetition(engines: Engines) -> None:
    begun = taken(await dial(engines("a", SHORT_MS), "1*2", fresh(1, SESSION)))
    await engines().answer_late(SESSION, mark("other"), BYE)
    await engines.elapse(SHORT_MS)
    assert await dial(engines(), "1*2") == Answered(BYE, begun.state.execution_id)


async def test_who_was_told_to_check_again_asks_for_the_answer_with_the_next_callback(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    still = Reply("con", "Still working")
    assert await engines().answer_late(SESSION, mark(""), still) == still
    check = Turn(2, None, {"text": "1"}, signal=Signal.CHECK)
    assert await dial(engines("a"), "1") == Queued(begun.state.execution_id, here=True, turn=check)
    following = Turn(3, None, {"text": "1*1"})
    assert await dial(engines("a"), "1*1") == Queued(begun.state.execution_id, here=True, turn=following)


async def test_the_end_of_the_phones_session_is_recorded_once_while_somebody_can_wait_for_it(engines: Engines) -> None:
    hang_up = {"key": None, "payload": {"reason": "gone"}, "signal": "hang_up", "node_id": None}
    assert isinstance(await engines().end_session("ATUid_unknown", hang_up), NoExecution)
    await answered(engines)
    begun = taken(await engines("b").end_session(SESSION, hang_up))
    assert begun.turns == [Turn(2, None, {"reason": "gone"}, signal=Signal.HANG_UP)]
    assert isinstance(await engines().end_session(SESSION, hang_up), NoExecution)


async def test_the_end_of_a_session_that_its_last_screen_closed_is_no_news(engines: Engines) -> None:
    await answered(engines, reply=BYE)
    assert isinstance(await engines().end_session(SESSION, turn()), NoExecution)


async def test_a_session_that_types_on_while_its_execution_hangs_is_held_back(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    execution_id, text = begun.state.execution_id, ""
    assert await engines().live_on(SESSION) == execution_id
    assert await engines().live_on("ATUid_2") is None
    for number in range(MOST_WAITING - 1):
        text = f"{text}*{number}" if text else str(number)
        queued = await dial(engines(), text)
        assert isinstance(queued, Queued)
        assert queued.turn is not None
    assert await dial(engines("a"), f"{text}*x") == Queued(execution_id, here=True, turn=None)
    state = on_ussd(begun.state, MENU)
    state.turns = 0
    await begun.journal.write(Entry(state, [], None, [], [], released=False))
    assert await dial(engines(), f"{text}*x") == Answered(MENU, execution_id)


async def test_a_signal_goes_to_the_run_that_is_under_way_or_takes_the_execution_up(engines: Engines) -> None:
    state = fresh(3)
    signal: dict[str, Any] = {"key": None, "payload": {}, "signal": "report", "node_id": "send"}
    assert isinstance(await engines().signal(state.execution_id, signal), NoExecution)
    journal = await begin(engines("a"), state)
    recorded = Turn(2, None, {}, signal=Signal.REPORT, node_id="send")
    assert await engines("b").signal(state.execution_id, signal) == Queued(
        state.execution_id, here=False, turn=recorded
    )
    state.turns = 2
    await journal.write(entry(waiting(state, engines.now_ms() + LONG_MS)))
    taken_up = taken(await engines("b").signal(state.execution_id, signal))
    assert [each.number for each in taken_up.turns] == [3]
    taken_up.state.turns = 3
    await taken_up.journal.write(entry(ended(taken_up.state)))
    assert isinstance(await engines().signal(state.execution_id, signal), NoExecution)


async def test_a_call_on_a_session_begins_or_resumes_its_execution(engines: Engines) -> None:
    begun = taken(await engines().begin_on_session(turn("a"), fresh(1, SESSION)))
    assert begun.turns == [Turn(1, None, {"text": "a"})]
    await begun.journal.write(entry(waiting(begun.state, engines.now_ms() + LONG_MS)))
    resumed = taken(await engines("b").begin_on_session(turn("b"), fresh(2, SESSION)))
    assert resumed.state.execution_id == begun.state.execution_id
    assert resumed.turns == [Turn(2, None, {"text": "b"})]


async def test_a_call_cannot_join_what_runs_nor_another_flow(engines: Engines) -> None:
    first = fresh(1, SESSION)
    begun = taken(await engines().begin_on_session(turn(), first))
    assert await engines("b").begin_on_session(turn(), fresh(2, SESSION)) == Occupied(first.execution_id, "flow")
    await begun.journal.write(entry(waiting(begun.state, engines.now_ms() + LONG_MS)))
    other = fresh(2, SESSION, "other")
    assert await engines("b").begin_on_session(turn(), other) == Occupied(first.execution_id, "flow")


async def test_a_repeated_call_on_a_session_records_nothing_and_is_known_by_its_id(engines: Engines) -> None:
    first, answer = fresh(1, SESSION), fresh(2, SESSION)
    begun = taken(await engines().begin_on_session(turn(), first))
    await begun.journal.write(entry(waiting(begun.state, engines.now_ms() + LONG_MS)))
    resumed = taken(await engines().begin_on_session(turn(), answer))

    for call in (first, answer):
        assert await engines("b").begin_on_session(turn(), call) == Queued(first.execution_id, here=False, turn=None)

    stored = await engines().read(answer.execution_id)
    assert stored is not None
    assert stored.state.execution_id == resumed.state.execution_id == first.execution_id


async def test_a_phone_follows_what_a_call_began_whatever_was_typed(engines: Engines) -> None:
    begun = taken(await engines().begin_on_session(turn(), fresh(1, SESSION)))
    await begun.journal.write(entry(waiting(begun.state, engines.now_ms() + LONG_MS)))
    assert taken(await dial(engines(), "7*8")).turns == [Turn(2, None, {"text": "7*8"})]


async def test_the_same_cause_begins_nothing_again_when_its_execution_has_ended(engines: Engines) -> None:
    begun = taken(await engines().begin_on_session(turn(), fresh(1, SESSION)))
    await begun.journal.write(entry(ended(begun.state)))
    again = await engines("b").begin_on_session(turn(), fresh(1, SESSION))
    assert again == Queued(fresh(1, SESSION).execution_id, here=False, turn=None)
    stored = await engines().read(fresh(1, SESSION).execution_id)
    assert stored is not None
    assert stored.state.ended


async def test_a_session_that_is_not_of_a_phone_takes_the_next_execution_when_one_has_ended(engines: Engines) -> None:
    begun = taken(await engines().begin_on_session(turn(), fresh(1, SESSION)))
    await begun.journal.write(entry(ended(begun.state)))
    second = taken(await engines().begin_on_session(turn(), fresh(2, SESSION)))
    assert second.state == fresh(2, SESSION)


async def test_a_session_has_no_other_execution_before_the_commits_of_the_last_one_are_applied(
    engines: Engines,
) -> None:
    """They would overwrite what the next one writes."""
    first = fresh(1, SESSION)
    begun = taken(await engines().begin_on_session(turn(), first))
    await begun.journal.write(entry(ended(with_commit(begun.state))))
    assert await engines("b").begin_on_session(turn(), fresh(2, SESSION)) == Occupied(first.execution_id, "flow")

    begun.state.commits.clear()
    await begun.journal.confirm(begun.state, 4)
    assert taken(await engines("b").begin_on_session(turn(), fresh(2, SESSION))).state == fresh(2, SESSION)


async def test_what_has_ended_and_is_written_again_leaves_its_session_to_the_next_execution(engines: Engines) -> None:
    begun = taken(await engines().begin_on_session(turn(), fresh(1, SESSION)))
    await begun.journal.write(entry(ended(with_commit(begun.state))))
    again = await engines("b").take_up(begun.state.execution_id)
    assert again is not None
    again.state.commits.clear()
    await again.journal.write(entry(again.state, released=False))

    second = taken(await engines().begin_on_session(turn(), fresh(2, SESSION)))
    await second.journal.write(entry(waiting(second.state, engines.now_ms() + LONG_MS)))
    await again.journal.write(entry(again.state))
    await again.journal.confirm(again.state, 5)
    assert await engines().live_on(SESSION) == second.state.execution_id


async def test_a_call_on_a_session_whose_phone_has_hung_up_records_nothing(engines: Engines) -> None:
    await answered(engines)
    last = taken(await dial(engines(), "1"))
    last.state.turns = 2
    await last.journal.write(entry(ended(on_ussd(last.state, BYE)), answered=mark("1")))
    assert isinstance(await engines().begin_on_session(turn(), fresh(2, SESSION)), NoExecution)
    assert await dial(engines(), "1") == Answered(BYE, last.state.execution_id)
