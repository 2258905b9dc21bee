"""Calls that come in and calls that a flow places: what is said, what is pressed, and deaths at any moment."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.engine.core.state import Reply
from tests.engine.core.flow_dicts import NUMBER, bye, document, hear, keys, node, sms
from tests.engine.core.outside import failing, unknown
from tests.engine.core.virtual_time import in_virtual_time, told
from tests.engine.core.world import SESSION, Phone, World
from workflow.outcome import WaitKind
from workflow.voice import GetDigits, Say

LINE = document(
    "voice",
    {
        "hello": hear("Hello"),
        "pin": keys(maxDigits=4, minDigits=4, playPrompt="Your PIN", invalidKeyMessage="Four keys", maxRetries=1),
        "note": sms(message="{{node_pin.output.length}} keys"),
        "thanks": hear("Thanks"),
        "bye": bye("Goodbye"),
        "silent": bye("Nothing heard"),
        "wrong": bye("Wrong"),
    },
    [
        "start > hello", "hello > pin", "pin:success > note", "pin:timeout > silent", "pin:error > wrong",
        "note > thanks", "thanks > bye",
    ],
)  # fmt: skip

REMINDER = document(
    "sms",
    {
        "call": node("INITIATE_CALL", to=NUMBER),
        "words": hear("Come tomorrow"),
        "answer": keys(maxDigits=1),
        "bye": bye("See you"),
        "text": sms(message="Come tomorrow"),
    },
    [
        "start > call", "call:success > words", "call:no_answer > text", "words > answer", "answer > bye",
        "answer:timeout > text",
    ],
)  # fmt: skip

CALL = "ATVId_1"
ON_THE_LINE = "call_0:ATVId_1"


class Caller:
    """A person in a call. `line` names the session of a call that the flow placed, `call` is the network's id of it."""

    def __init__(self, world: World, line: str | None = None, call: str = CALL) -> None:
        self._world = world
        self._line = line
        self._call = call
        self._callbacks = 0
        self.reply = Reply("con", "")

    async def calls(self) -> Reply:
        return await self._says({"callSessionId": SESSION, "msisdn": NUMBER})

    async def picks_up(self) -> Reply:
        return await self._says({"callSessionId": self._call, "visit": 0}, signal="answered", node_id="call")

    async def presses(self, digits: str) -> Reply:
        return await self._says({"input": digits})

    async def presses_nothing(self) -> Reply:
        return await self._says({"reason": "no key was pressed in time"}, signal="no_input")

    async def hangs_up(self, cause: str = "NORMAL_CLEARING") -> None:
        call = SESSION if self._line is None else self._call
        payload = {"callSessionId": call, "cause": cause, "reason": "the call is over", "visit": 0}
        await self._world.signalled({"signal": "call_ended", "node_id": "call", "payload": payload})

    async def _says(self, payload: dict[str, Any], **more: Any) -> Reply:
        self._callbacks += 1
        key = f"turn {self._callbacks}"
        self._world.comes_in(key, payload, line=self._line, **more)
        self.reply = await self._world.answer(key)
        return self.reply


@in_virtual_time
async def test_what_is_said_up_to_the_next_wait_is_one_answer_that_names_its_turn() -> None:
    caller = Caller(World(LINE))
    first = await caller.calls()
    assert first == Reply(
        "con", "Hello\nYour PIN", (Say("Hello"), GetDigits(4, 10, prompt=Say("Your PIN"))), turn="turn 1"
    )
    assert (await caller.presses("1234")).actions == (Say("Thanks"), Say("Goodbye"))


@in_virtual_time
async def test_a_row_that_does_not_fit_is_asked_for_again_and_then_takes_the_error_edge() -> None:
    caller = Caller(World(LINE))
    await caller.calls()
    assert (await caller.presses("1")).text == "Four keys\nYour PIN"
    assert (await caller.presses("")).text == "Wrong"


@in_virtual_time
async def test_no_key_takes_the_timeout_edge_and_the_wait_expires_by_itself_where_no_callback_comes() -> None:
    caller = Caller(World(LINE))
    await caller.calls()
    assert (await caller.presses_nothing()).text == "Nothing heard"

    world = World(LINE)
    await Caller(world).calls()
    await world.elapse(10 + 600)
    assert world.statuses()["pin"] == "timeout"
    assert world.state.status == "completed"


@in_virtual_time
async def test_whoever_hung_up_hears_nothing_and_the_flow_goes_on() -> None:
    world = World(REMINDER)
    await world.execute()
    caller = Caller(world, ON_THE_LINE)
    assert (await caller.picks_up()).text == "Come tomorrow"
    await caller.hangs_up()
    assert list(world.sms.inbox) == ["exe:text:0"]
    assert world.state.status == "completed"


@in_virtual_time
async def test_keys_that_are_asked_for_again_after_the_call_is_over_end_a_loop() -> None:
    loop = document("voice", {"ask": keys(), "again": hear("Please press a key")}, [
        "start > ask", "ask:timeout > again", "again > ask",
    ])  # fmt: skip
    world = World(loop)
    caller = Caller(world)
    await caller.calls()
    await caller.hangs_up()
    assert (world.state.status, world.output("again")) == ("failed", {"played": False})
    assert world.state.error is not None
    assert world.state.error.code == "CALL_ENDED"


@in_virtual_time
async def test_secret_keys_stand_nowhere_in_clear() -> None:
    flow = document("voice", {"pin": keys(sensitive=True), "bye": bye("Bye")}, ["start > pin", "pin > bye"])
    world = World(flow)
    caller = Caller(world)
    await caller.calls()
    await caller.presses("4711")
    assert not any(b'"4711"' in state for state in world.disk.states)
    assert not any(b'"4711"' in result for result in world.disk.results)
    assert world.output("pin") == {"digits": {"$sealed": "sealed:" + b'"4711"'.hex()}, "length": 4}


@in_virtual_time
@pytest.mark.parametrize(
    ("cause", "status"), [("NO_ANSWER", "completed"), ("USER_BUSY", "completed"), ("UNALLOCATED_NUMBER", "failed")]
)
async def test_a_call_that_nobody_answers_leaves_by_its_own_handle(cause: str, status: str) -> None:
    world = World(REMINDER)
    await world.execute()
    assert [wait.kind for wait in world.state.waits.values()] == [WaitKind.CALL]
    await Caller(world, ON_THE_LINE).hangs_up(cause)
    assert world.state.status == status
    assert world.has_run("text") == (status == "completed")


OTHER = "ATVId_2"


@in_virtual_time
async def test_a_call_that_comes_under_another_id_than_was_answered_is_known_by_what_it_was_given() -> None:
    world = World(REMINDER)
    await world.execute()
    caller = Caller(world, f"call_0:{OTHER}", OTHER)
    assert (await caller.picks_up()).text == "Come tomorrow"
    assert (await caller.presses("1")).text == "See you"
    await world.rest()
    assert (world.state.status, world.output("call")) == (
        "completed", {"callSessionId": OTHER, "status": "Answered"},
    )  # fmt: skip

    world = World(REMINDER)
    await world.execute()
    await Caller(world, f"call_0:{OTHER}", OTHER).hangs_up("USER_BUSY")
    assert world.output("call") == {"callSessionId": OTHER, "status": "USER_BUSY"}
    assert world.state.status == "completed"


@in_virtual_time
async def test_without_any_word_of_a_call_nobody_has_answered_it() -> None:
    world = World(REMINDER)
    await world.execute()
    await world.elapse(180)
    assert world.output("call") == {"callSessionId": CALL, "status": "NO_ANSWER"}
    assert world.state.status == "completed"


@in_virtual_time
async def test_a_refused_call_is_not_placed_and_one_whose_answer_was_lost_is_not_placed_twice() -> None:
    world = World(REMINDER)
    world.calls.script = [failing("INSUFFICIENT_BALANCE", "permanent")]
    await world.execute()
    assert (world.state.status, world.calls.placed) == ("failed", {})

    world = World(REMINDER)
    world.calls.script = [unknown()]
    await world.execute()
    caller = Caller(world, ON_THE_LINE)
    assert (await caller.picks_up()).text == "Come tomorrow"
    assert len(world.calls.placed) == 1

    world = World(REMINDER)
    world.calls.script = [unknown()]
    await world.execute()
    await Caller(world, ON_THE_LINE).hangs_up("USER_BUSY")
    assert world.output("call") == {"callSessionId": CALL, "status": "USER_BUSY"}

    world = World(REMINDER)
    world.calls.script = [unknown()]
    await world.execute()
    await world.elapse(600)
    assert world.state.error is not None
    assert (world.state.error.code, len(world.calls.placed)) == ("SEND_OUTCOME_UNKNOWN", 1)


@in_virtual_time
async def test_whoever_dialled_a_code_can_be_called_back_once_the_screen_is_gone() -> None:
    flow = document(
        "ussd",
        {
            "screen": node("SEND_USSD_RESPONSE", message="We call you", autoEndSession=True),
            "call": node("INITIATE_CALL", to="{{msisdn}}"),
            "words": hear("Hello"),
            "answer": keys(maxDigits=1),
            "bye": bye("Goodbye"),
        },
        ["start > screen", "screen > call", "call:success > words", "words > answer", "answer > bye"],
    )
    world = World(flow)
    (await Phone(world).dials()).reads_last("We call you")
    await world.rest()
    caller = Caller(world, ON_THE_LINE)
    assert (await caller.picks_up()).text == "Hello"
    assert (await caller.presses("1")).actions == (Say("Goodbye"),)
    assert world.state.status == "completed"


Story = Callable[[World], Awaitable[list[Reply]]]


async def incoming(world: World) -> list[Reply]:
    caller = Caller(world)
    replies = [await caller.calls(), await caller.presses("1"), await caller.presses("1234")]
    await world.rest()
    return replies


async def placed(world: World) -> list[Reply]:
    await world.execute()
    caller = Caller(world, ON_THE_LINE)
    replies = [await caller.picks_up(), await caller.presses("1")]
    await world.rest()
    return replies


STORIES: dict[str, tuple[dict[str, Any], Story]] = {"incoming": (LINE, incoming), "placed": (REMINDER, placed)}


async def undisturbed(name: str) -> tuple[list[Reply], int]:
    flow, story = STORIES[name]
    world = World(flow)
    return await story(world), world.steps.taken


EXPECTED = {name: told(undisturbed(name)) for name in STORIES}


@pytest.mark.parametrize(
    ("name", "step"), [(name, step) for name in STORIES for step in range(1, EXPECTED[name][1] + 1)]
)
def test_a_death_behind_any_durable_step_is_not_heard(name: str, step: int) -> None:
    async def story() -> None:
        flow, told_by = STORIES[name]
        world = World(flow)
        world.steps.stop_after = step
        assert await told_by(world) == EXPECTED[name][0]
        await world.rest()
        assert world.state.status == "completed"
        assert (world.deaths, len(world.calls.placed)) == (1, int(name == "placed"))
        assert list(world.sms.inbox) == (["exe:note:0"] if name == "incoming" else [])

    told(story())
