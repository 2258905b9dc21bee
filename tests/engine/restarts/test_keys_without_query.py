"""Keys of a call that come without a word of what they answer, while the answer to the same keys is under way."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from services.engine.triggers.timely_turns import TimelyAnswer
from services.engine.triggers.voice_turns import VoiceCallback
from tests.engine.core.flow_dicts import NUMBER, bye, document, keys, program_of, sms
from tests.engine.core.outside import AfricasTalking, Answer
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.restarts.stores import StoresInMemory
from tests.engine.restarts.world import World

LINE = document(
    "voice",
    {
        "first": keys(maxDigits=1, playPrompt="First"),
        "note": sms(message="{{node_first.output.digits}}"),
        "second": keys(maxDigits=1, playPrompt="Second"),
        "bye": bye("{{node_second.output.digits}}"),
    },
    ["start > first", "first > note", "note > second", "second > bye"],
)


@in_virtual_time
async def test_they_are_taken_once_and_both_callbacks_hear_the_same() -> None:
    network = AfricasTalking()
    network.script[NUMBER] = [Answer(after=10)]
    world = World(program_of(LINE), StoresInMemory(), network, None)

    def comes(digits: str | None) -> Coroutine[Any, Any, TimelyAnswer]:
        call = VoiceCallback("ATVId_1", NUMBER, "+254711082000", "Inbound", "", digits, check=False, request="")
        return world.engine.voice_turns.answer(call)

    assert (await comes(None)).reply.text == "First"
    pressed = asyncio.create_task(comes("1"))
    await asyncio.sleep(1)
    again = asyncio.create_task(comes("1"))
    assert [(await each).reply.text for each in (pressed, again)] == ["Second", "Second"]
    assert (await comes("2")).reply.text == "2"
    await world.rest()
    assert network.texts() == ["1"]
    await world.stop()
