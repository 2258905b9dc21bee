"""A new session that offers to go on with an earlier one."""

from dataclasses import replace

from services.engine.core.state import Reply
from services.engine.store.execution_store import Answered, Continued, Interrupted, NoExecution, Offered, Queued
from tests.engine.stores.engines import MARKS, SESSION, Engines, dial, entry, fresh, mark, on_ussd, taken, turn

REDIAL = "ATUid_2"
MENU, QUESTION = Reply("con", "Menu"), Reply("con", "Go on?")
INTERRUPTED = Interrupted(fresh(1, SESSION).execution_id, SESSION, "1*2", 0)


async def redial(engines: Engines, text: str, declined: Interrupted | None = None) -> object:
    marks = MARKS(REDIAL, text)
    return await engines().begin_turn(REDIAL, marks, turn(text), fresh(2, REDIAL), declined=declined)


async def asked(engines: Engines) -> Reply:
    return await engines().offer(REDIAL, MARKS(REDIAL, "").own, INTERRUPTED, QUESTION)


async def test_the_question_is_asked_once_and_the_choice_is_known_as_one(engines: Engines) -> None:
    assert await asked(engines) == QUESTION
    assert await asked(engines) == QUESTION
    assert await redial(engines, "") == Answered(QUESTION, "")
    assert await redial(engines, "1") == Offered(INTERRUPTED)


async def test_the_question_is_asked_again_behind_what_is_no_answer(engines: Engines) -> None:
    await asked(engines)
    behind = replace(INTERRUPTED, dialled=1)
    assert await engines().offer(REDIAL, MARKS(REDIAL, "9").own, behind, QUESTION) == QUESTION
    assert await redial(engines, "9") == Answered(QUESTION, "")
    assert await redial(engines, "9*2") == Offered(behind)
    assert taken(await redial(engines, "9*2", behind)).state == fresh(2, REDIAL)
    assert await engines().offer(REDIAL, MARKS(REDIAL, "9*2*3").own, behind, QUESTION) == QUESTION
    assert isinstance(await redial(engines, "9*2"), Queued), "what has begun is not offered any more"


async def test_a_session_that_has_begun_is_asked_nothing(engines: Engines) -> None:
    begun = taken(await redial(engines, ""))
    assert await asked(engines) == QUESTION, "nobody has answered it yet"
    assert await engines().answer_of(REDIAL, MARKS(REDIAL, "").own) is None
    begun.state.session_id = REDIAL
    await begun.journal.write(entry(on_ussd(begun.state, MENU), answered=MARKS(REDIAL, "").own))
    assert await asked(engines) == MENU


async def test_a_session_that_goes_on_stands_for_the_earlier_one(engines: Engines) -> None:
    await asked(engines)
    continued = Continued(INTERRUPTED, 1)
    await engines().continue_with(REDIAL, MARKS(REDIAL, "1").own, continued, MENU)
    assert await redial(engines, "1") == Answered(MENU, "")
    assert await redial(engines, "1*3") == continued


async def test_nothing_is_continued_that_was_not_offered(engines: Engines) -> None:
    await engines().continue_with(REDIAL, MARKS(REDIAL, "1").own, Continued(INTERRUPTED, 1), MENU)
    assert taken(await redial(engines, "1")).state == fresh(2, REDIAL)


async def test_who_starts_again_begins_on_the_new_session(engines: Engines) -> None:
    await asked(engines)
    marks = MARKS(REDIAL, "2")
    assert isinstance(await engines().begin_turn(REDIAL, marks, turn("2"), None, declined=INTERRUPTED), NoExecution)
    assert await redial(engines, "2") == Offered(INTERRUPTED), "the offer stands until something begins"
    assert taken(await redial(engines, "2", INTERRUPTED)).state == fresh(2, REDIAL)
    assert isinstance(await redial(engines, "2"), Queued)


async def test_what_was_not_offered_is_not_declined(engines: Engines) -> None:
    await asked(engines)
    other = replace(INTERRUPTED, execution_id=fresh(3, SESSION).execution_id)
    assert await redial(engines, "2", other) == Offered(INTERRUPTED)


async def test_the_earlier_session_takes_callbacks_again(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    await begun.journal.write(entry(on_ussd(begun.state, Reply("end", "Bye")), answered=mark("")))
    assert isinstance(await engines().end_session(SESSION, turn()), NoExecution), "its last screen closed it"
    await asked(engines)
    await engines().continue_with(REDIAL, MARKS(REDIAL, "1").own, Continued(INTERRUPTED, 1), MENU)
    assert taken(await dial(engines(), "1")).turns[-1].payload == {"text": "1"}


async def test_an_id_of_the_outside_finds_its_execution(engines: Engines) -> None:
    begun = taken(await dial(engines(), "", fresh(1, SESSION)))
    await begun.journal.write(entry(begun.state, correlations=["resume:flow:+254711000001"]))
    assert await engines().correlated("resume:flow:+254711000001") == begun.state.execution_id
    assert await engines().correlated("resume:flow:+254711000002") is None
