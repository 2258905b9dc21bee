"""What the store says to a callback of a call that an execution placed on a session of another kind."""

from services.engine import ids
from services.engine.core.state import Reply
from services.engine.store.execution_store import Answered, Newest, NoExecution
from services.engine.store.typed_text import TypedText
from tests.engine.stores.engines import LONG_MS, SESSION, Engines, ended, entry, fresh, on_ussd, taken, turn, waiting

EXECUTION = fresh(1, SESSION).execution_id
LINE = ids.line_of(EXECUTION, "ATVId_1")
PICKED_UP = TypedText(()).call_marks(LINE, "", "start")
PRESSED = TypedText(()).call_marks(LINE, PICKED_UP.own, "keys:1")
HELLO, BYE = Reply("con", "Hello", turn=PICKED_UP.own), Reply("end", "Bye")


async def test_a_call_is_answered_beside_its_execution_until_that_ends(engines: Engines) -> None:
    store = engines()
    begun = taken(await store.begin_on_session(turn(), fresh(1, SESSION)))
    await begun.journal.write(entry(waiting(on_ussd(begun.state, None), engines.now_ms() + LONG_MS)))

    assert await store.newest_of(LINE) is None
    answered = taken(await store.begin_turn(LINE, PICKED_UP, turn(), None, EXECUTION))
    assert await store.newest_of(LINE) == Newest(PICKED_UP.own, is_answered=False)
    state = answered.state
    state.line, state.reply, state.turns = LINE, HELLO, 2
    await answered.journal.write(entry(state, answered=PICKED_UP.own))

    assert await store.begin_turn(LINE, PICKED_UP, turn(), None, EXECUTION) == Answered(HELLO, EXECUTION)
    assert await store.answer_of(LINE, PICKED_UP.own) == HELLO
    assert await store.answer_of(SESSION, PICKED_UP.own) is None
    assert await store.newest_of(LINE) == Newest(PICKED_UP.own, is_answered=True)

    pressed = taken(await store.begin_turn(LINE, PRESSED, turn(), None, EXECUTION))
    state = ended(pressed.state)
    state.waits.clear()
    state.reply, state.turns = BYE, 3
    await pressed.journal.write(entry(state, answered=PRESSED.own))

    late = TypedText(()).call_marks(LINE, PRESSED.own, "keys:2")
    assert await store.begin_turn(LINE, late, turn(), None, EXECUTION) == Answered(BYE, EXECUTION)
    assert await store.live_on(SESSION) is None


async def test_a_call_of_an_execution_that_is_over_has_nobody_to_talk_to(engines: Engines) -> None:
    store = engines()
    assert isinstance(await store.begin_turn(LINE, PICKED_UP, turn(), None, EXECUTION), NoExecution)
    begun = taken(await store.begin_on_session(turn(), fresh(1, SESSION)))
    await begun.journal.write(entry(ended(begun.state)))
    assert isinstance(await store.begin_turn(LINE, PICKED_UP, turn(), None, EXECUTION), NoExecution)


async def test_an_end_that_comes_before_the_first_callback_is_told_right_behind_it_and_once(engines: Engines) -> None:
    store, first = engines(), TypedText(()).call_marks(SESSION, "", "start")
    over = {"key": None, "payload": {"reason": "over"}, "signal": "call_ended", "node_id": None}
    assert isinstance(await store.end_session(SESSION, over), NoExecution)
    assert isinstance(await store.end_session(SESSION, over), NoExecution)

    begun = taken(await store.begin_turn(SESSION, first, turn(), fresh(1, SESSION)))

    assert [(each.number, each.signal) for each in begun.turns] == [(1, None), (2, "call_ended")]
    assert isinstance(await store.end_session(SESSION, over), NoExecution)
    assert len((await store.turns_behind({EXECUTION: 0}))[EXECUTION]) == 2
