"""What a message says is settled when its node begins, whatever happens until it is sent."""

from tests.engine.core.flow_dicts import NUMBER, ask, document, say, sms
from tests.engine.core.outside import Answer, failing, slow
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.core.world import Phone, World

FLOW = document(
    "ussd",
    {"a": ask("A"), "send": sms(message="You chose {{input}}"), "b": ask("B"), "c": ask("C")},
    ["start > a", "a > send", "a > b", "b > c"],
)


@in_virtual_time
async def test_the_next_entry_of_a_shortcut_does_not_change_a_message_behind_the_screen_before() -> None:
    world = World(FLOW)
    (await Phone(world).dials("1*2")).sees("C")
    await world.rest()
    assert world.sms.texts() == ["You chose 1"]


@in_virtual_time
async def test_a_retry_sends_what_the_first_attempt_did_although_a_turn_came_between() -> None:
    world = World(FLOW)
    world.sms.script[NUMBER] = [failing(), Answer()]
    phone = Phone(world)
    await phone.dials()
    (await phone.types("1")).sees("B")
    (await phone.types("2")).sees("C")
    await world.rest()
    assert world.sms.texts() == ["You chose 1"]


@in_virtual_time
async def test_another_engine_sends_what_the_first_one_began_although_a_turn_came_between() -> None:
    world = World(FLOW)
    world.sms.script[NUMBER] = [slow(30)]
    phone = Phone(world)
    await phone.dials()
    (await phone.types("1")).sees("B")
    world.steps.stop_after = world.steps.taken + 1
    (await phone.types("2")).sees("C")
    await world.rest()
    assert world.deaths == 1
    assert world.sms.texts() == ["You chose 1"]
    assert len(world.sms.calls) == 2


@in_virtual_time
async def test_every_visit_has_texts_of_its_own() -> None:
    flow = document(
        "ussd", {"a": ask("A"), "send": sms(message="You chose {{input}}")}, ["start > a", "a > send", "a > a"]
    )
    world = World(flow)
    phone = Phone(world)
    await phone.dials()
    for entry in "12":
        await phone.types(entry)
        await world.rest()
    assert world.sms.texts() == ["You chose 1", "You chose 2"]


@in_virtual_time
async def test_a_message_that_cannot_be_rendered_is_one_failed_attempt() -> None:
    flow = document(
        "ussd", {"send": sms(message="{{nothing}}"), "end": say("Failed")}, ["start > send", "send:error > end"]
    )
    world = World(flow)
    (await Phone(world).dials()).reads_last("Failed")
    await world.rest()
    assert [(result.attempt, str(result.status)) for result in world.results("send")] == [(1, "error")]
