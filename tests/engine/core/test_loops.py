"""Menus with a way back: visits, what a new round forgets and keeps, and loops that never end."""

import pytest

from services.engine.store import records
from tests.engine.core.flow_dicts import NUMBER, ask, bye, condition, document, merge, sms, switch, write
from tests.engine.core.outside import slow
from tests.engine.core.virtual_time import in_virtual_time, told
from tests.engine.core.world import Phone, World

BACK = document(
    "ussd",
    {
        "menu": ask("Menu"),
        "choice": switch("1", "2"),
        "price": ask("Price is 5\n0. Back"),
        "again": condition("{{input}} == '0'"),
        "end": bye("Bye"),
    },
    [
        "start > menu", "menu > choice", "choice:1 > price", "choice > end", "price > again", "again:true > menu",
        "again:false > end",
    ],
)  # fmt: skip


@in_virtual_time
async def test_a_person_goes_back_and_forth_and_every_round_is_a_visit() -> None:
    world = World(BACK)
    phone = Phone(world)
    (await phone.dials()).sees("Menu")
    for _ in range(3):
        (await phone.types("1")).sees("Price is 5\n0. Back")
        (await phone.types("0")).sees("Menu")
    (await phone.types("7")).reads_last("Bye")
    await world.rest()
    menu = [(result.visit, str(result.status)) for result in world.results("menu")]
    assert menu == [(0, "success"), (1, "success"), (2, "success"), (3, "success")]
    assert [result.visit for result in world.results("price") if result.status == "success"] == [0, 1, 2]
    assert world.state.status == "completed"


@in_virtual_time
async def test_the_log_says_once_that_a_loop_passes_a_node_until_the_node_runs() -> None:
    world = World(SUBMENU)
    phone = Phone(world)
    await phone.dials()
    for entry in ("x", "x", "1", "x", "x", "0", "x", "x", "9"):
        await phone.types(entry)
    await world.rest()
    sub = [(str(result.status), result.visit) for result in world.results("sub")]
    # Passed twice, then shown three times, then passed three times, the last one as the flow ends.
    assert sub == [("skipped", 0), ("success", 0), ("success", 1), ("success", 2), ("skipped", 3)]
    assert [str(result.status) for result in world.results("bye")] == ["skipped", "success"]


@in_virtual_time
async def test_the_output_of_a_node_is_that_of_its_last_visit() -> None:
    flow = document(
        "ussd",
        {"ask": ask("Name?"), "ok": condition("{{input}} == 'Ann'"), "end": bye("You are {{node_ask.output.input}}")},
        ["start > ask", "ask > ok", "ok:true > end", "ok:false > ask"],
    )
    phone = Phone(World(flow))
    await phone.dials()
    (await phone.types("Bob")).sees("Name?")
    (await phone.types("Ann")).reads_last("You are Ann")


SUBMENU = document(
    "ussd",
    {
        "main": ask("Main"),
        "first": switch("1", "9"),
        "sub": ask("Sub"),
        "second": switch("0", "9"),
        "bye": bye("Bye"),
    },
    [
        "start > main", "main > first", "first:1 > sub", "first:9 > bye", "first > main", "sub > second",
        "second:0 > main", "second:9 > bye", "second > sub",
    ],
)  # fmt: skip


@pytest.mark.parametrize("entries", ["9", "19", "109", "1x9", "1xx9", "10x1x9", "x1x0x1xx9", "1x01x09", "10101x9"])
def test_menus_inside_of_menus_share_their_exit_however_they_were_walked(entries: str) -> None:
    async def story() -> None:
        world = World(SUBMENU)
        phone = Phone(world)
        (await phone.dials()).sees("Main")
        place = "Main"
        for entry in entries[:-1]:
            place = {("Main", "1"): "Sub", ("Sub", "0"): "Main"}.get((place, entry), place)
            (await phone.types(entry)).sees(place)
        (await phone.types("9")).reads_last("Bye")
        await world.rest()
        assert world.state.status == "completed"
        assert world.statuses()["bye"] == "success"

    told(story())


@in_virtual_time
async def test_a_join_inside_of_a_loop_waits_for_both_branches_in_every_round() -> None:
    flow = document(
        "ussd",
        {
            "menu": ask("Menu"),
            "left": sms(NUMBER, "left"),
            "right": sms("+254711000002", "right"),
            "join": merge("all"),
            "more": ask("More?"),
            "again": condition("{{input}} == '1'"),
            "end": bye("Bye"),
        },
        [
            "start > menu", "menu > left", "menu > right", "left > join:input1", "right > join:input2", "join > more",
            "more > again", "again:true > menu", "again:false > end",
        ],
    )  # fmt: skip
    world = World(flow)
    world.sms.script = {NUMBER: [slow(2)], "+254711000002": [slow(1)]}
    phone = Phone(world)
    await phone.dials()
    for visit in range(3):
        (await phone.types("go")).sees("More?")
        assert len([result for result in world.results("join") if result.status == "success"]) == visit + 1
        output = world.results("join")[-1].output
        assert output is not None
        assert [item["messageId"] for item in output["items"]] == [f"id-exe:left:{visit}", f"id-exe:right:{visit}"]
        (await phone.types("1")).sees("Menu")
    assert world.sms.texts() == ["left", "right"] * 3


@in_virtual_time
async def test_what_was_decided_outside_of_a_cycle_stays() -> None:
    flow = document(
        "ussd",
        {"note": write(seen="yes"), "menu": ask("Menu"), "again": condition("{{input}} == '1'"), "bye": bye("Bye")},
        ["start > note", "start > menu", "menu > again", "again:true > menu", "again:false > bye", "note:error > bye"],
    )
    world = World(flow)
    phone = Phone(world)
    await phone.dials()
    for _ in range(3):
        (await phone.types("1")).sees("Menu")
    (await phone.types("2")).reads_last("Bye")
    assert len(world.results("note")) == 1


@in_virtual_time
async def test_an_inner_loop_keeps_what_the_outer_one_decided_and_the_outer_one_forgets_it() -> None:
    flow = document(
        "ussd",
        {
            "menu": ask("Menu"),
            "note": sms(),
            "pin": ask("PIN?"),
            "right": condition("{{input}} == '4'"),
            "home": ask("Home"),
        },
        [
            "start > menu", "menu > note", "menu > pin", "pin > right", "right:false > pin", "right:true > home",
            "note:error > home", "home > menu",
        ],
    )  # fmt: skip
    world = World(flow)
    phone = Phone(world)
    await phone.dials()
    for number in range(2):
        (await phone.types("go")).sees("PIN?")
        (await phone.types("1")).sees("PIN?")
        (await phone.types("4")).sees("Home")
        assert len(world.sms.inbox) == number + 1
        (await phone.types("x")).sees("Menu")


@in_virtual_time
async def test_a_merge_that_takes_the_first_may_stand_at_the_head_of_a_loop() -> None:
    flow = document(
        "ussd",
        {"head": merge("first"), "a": ask("A"), "again": condition("{{input}} == '1'"), "end": bye("Bye")},
        ["start > head:input1", "head > a", "a > again", "again:true > head:input2", "again:false > end"],
    )
    world = World(flow)
    phone = Phone(world)
    (await phone.dials()).sees("A")
    for _ in range(3):
        (await phone.types("1")).sees("A")
    (await phone.types("2")).reads_last("Bye")
    assert [result.visit for result in world.results("head")] == [0, 1, 2, 3]


@in_virtual_time
async def test_two_screens_that_lead_to_each_other_can_both_be_entered_first() -> None:
    flow = document(
        "ussd",
        {"ask": ask("Which?"), "which": switch("a"), "a": ask("A"), "b": ask("B")},
        ["start > ask", "ask > which", "which:a > a", "which > b", "a > b", "b > a"],
    )
    for first, screens in (("a", "ABABA"), ("b", "BABAB")):
        world = World(flow)
        phone = Phone(world)
        await phone.dials()
        (await phone.types(first)).sees(screens[0])
        for screen in screens[1:]:
            (await phone.types("x")).sees(screen)


@in_virtual_time
async def test_a_slow_node_that_a_new_round_takes_again_runs_again_when_it_is_done() -> None:
    flow = document(
        "ussd",
        {"menu": ask("Menu"), "send": sms(message="{{node_menu.output.input}}")},
        ["start > menu", "menu > send", "menu > menu"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [slow(5)]
    phone = Phone(world)
    await phone.dials()
    (await phone.types("1")).sees("Menu")
    (await phone.types("2")).sees("Menu")
    await world.rest()
    assert list(world.sms.inbox) == ["exe:send:0", "exe:send:1"]
    assert [when for _, when in world.sms.calls] == [0, 5]


@in_virtual_time
async def test_a_person_who_goes_round_more_often_than_allowed_in_one_turn_is_stopped() -> None:
    flow = document(
        "ussd",
        {"menu": ask("Menu"), "on": condition("1 == 1")},
        ["start > menu", "menu > on", "on:true > menu"],
    )
    world = World(flow)
    phone = Phone(world)
    (await phone.dials("*".join(["1"] * 600))).reads_last("Sorry, something went wrong. Please try again later.")
    await world.rest()
    assert world.state.status == "failed"
    assert world.state.error is not None
    assert world.state.error.code == "LOOP_LIMIT"


@in_virtual_time
async def test_an_execution_may_not_run_more_than_ten_thousand_nodes() -> None:
    flow = document(
        "ussd",
        {"menu": ask("Menu"), "on": condition("1 == 1")},
        ["start > menu", "menu > on", "on:true > menu"],
    )
    world = World(flow)
    state = world.state
    state.visits = 9_999
    world.disk.state = records.state_to_bytes(state)
    phone = Phone(world)
    await phone.dials()
    await phone.types("1")
    await world.rest()
    assert world.state.error is not None
    assert world.state.error.code == "LOOP_LIMIT"


@in_virtual_time
async def test_every_round_gets_its_own_tail_with_its_own_text_however_slow_the_tail_is() -> None:
    nodes = {"menu": ask("Pick"), "send": sms(message="You chose {{input}}")}
    world = World(document("ussd", nodes, ["start > menu", "menu > send", "menu > menu"]))
    world.sms.script[NUMBER] = [slow(20)]
    phone = Phone(world)
    await phone.dials()
    for entry in ("1", "2", "3"):
        (await phone.types(entry)).sees("Pick")
    await world.rest()
    assert world.sms.texts() == ["You chose 1", "You chose 2", "You chose 3"]
    assert [key for key, _ in world.sms.calls] == ["exe:send:0", "exe:send:1", "exe:send:2"]


@in_virtual_time
@pytest.mark.parametrize("stop_after", range(1, 14))
async def test_a_tail_that_was_asked_for_survives_a_crash(stop_after: int) -> None:
    nodes = {"menu": ask("Pick"), "send": sms(message="You chose {{input}}")}
    world = World(document("ussd", nodes, ["start > menu", "menu > send", "menu > menu"]))
    world.sms.script[NUMBER] = [slow(20)]
    world.steps.stop_after = stop_after
    phone = Phone(world)
    await phone.dials()
    for entry in ("1", "2", "3"):
        (await phone.types(entry)).sees("Pick")
    await world.rest()
    assert world.sms.texts() == ["You chose 1", "You chose 2", "You chose 3"]
