"""Who waits for the answers of a run, up to a bound."""

import asyncio

import pytest

from services.engine.core.conversation import MOST_TURNS, Conversation
from services.engine.core.state import Reply
from tests.engine.core.virtual_time import in_virtual_time


@in_virtual_time
async def test_all_who_ask_for_a_turn_get_the_one_answer_also_a_moment_late() -> None:
    conversation = Conversation()
    early = conversation.answer_to("1")
    conversation.answered("1", Reply("con", "Menu"))

    assert set(await asyncio.gather(early, conversation.answer_to("1"))) == {Reply("con", "Menu")}


@in_virtual_time
async def test_turns_beyond_the_bound_push_out_the_oldest() -> None:
    conversation = Conversation()
    waiting = [conversation.answer_to(str(number)) for number in range(MOST_TURNS + 1)]
    for number in range(1, MOST_TURNS + 1):
        conversation.answered(str(number), Reply("con", str(number)))

    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert [(await future).text for future in waiting[1:]] == [str(number) for number in range(1, MOST_TURNS + 1)]


@in_virtual_time
async def test_answers_that_nobody_asked_for_are_kept_up_to_the_bound() -> None:
    conversation = Conversation()
    for number in range(MOST_TURNS + 1):
        conversation.answered(str(number), Reply("con", str(number)))

    assert not conversation.answer_to("0").done()
    assert conversation.answer_to("1").done()
