"""Turns of a USSD session: entries, screens, what the answer says and when it leaves."""

import pytest

from services.engine.core.state import Reply
from tests.engine.core.flow_dicts import NUMBER, ask, bye, condition, document, node, say, sms, switch, write
from tests.engine.core.outside import HANGS, failing, slow
from tests.engine.core.virtual_time import in_virtual_time, told
from tests.engine.core.world import Phone, World
from workflow.session import Scope

STEPS = document(
    "ussd",
    {
        "a": ask("A"),
        "b": ask("B got {{input}}"),
        "c": ask("C got {{input}}"),
        "end": bye("{{node_a.output.input}}-{{node_b.output.input}}-{{node_c.output.input}}"),
    },
    ["start > a", "a > b", "b > c", "c > end"],
)
APOLOGY = "Sorry, something went wrong. Please try again later."


@in_virtual_time
async def test_each_turn_brings_its_newest_entry() -> None:
    phone = Phone(World(STEPS))
    (await phone.dials()).sees("A")
    (await phone.types("1")).sees("B got 1")
    (await phone.types("2")).sees("C got 2")
    (await phone.types("3")).reads_last("1-2-3")


@pytest.mark.parametrize("entries", [["1*2", "*", "3**"], ["*384#", "**", "*"], ["", "x", ""], ["1", "", "1*"]])
def test_an_entry_may_hold_a_star_or_be_empty(entries: list[str]) -> None:
    async def story() -> None:
        phone = Phone(World(document("ussd", {"z": ask("Z"), **NODES}, EDGES)))
        await phone.dials()
        await phone.types("go")
        (await phone.types(entries[0])).sees(f"B got {entries[0]}")
        (await phone.types(entries[1])).sees(f"C got {entries[1]}")
        (await phone.types(entries[2])).reads_last("-".join(entries))

    told(story())


NODES = {
    "a": ask("A"),
    "b": ask("B got {{node_a.output.input}}"),
    "c": ask("C got {{node_b.output.input}}"),
    "end": bye("{{node_a.output.input}}-{{node_b.output.input}}-{{node_c.output.input}}"),
}
EDGES = ["start > z", "z > a", "a > b", "b > c", "c > end"]


@pytest.mark.parametrize(
    ("typed", "got"),
    [
        (" 70 ", "70"),
        ("\u0667\u0660", "70"),
        ("\uff17", "7"),
        ("\u096d kg", "7 kg"),
        ("Asha  B", "Asha  B"),
        ("\u00b2", "\u00b2"),
    ],
)
def test_an_entry_is_read_without_blanks_around_it_and_with_digits_of_any_script(typed: str, got: str) -> None:
    async def story() -> None:
        world = World(STEPS)
        phone = Phone(world)
        await phone.dials()
        (await phone.types(typed)).sees(f"B got {got}")
        (await phone.types(typed)).sees(f"C got {got}")
        assert (await Phone(World(STEPS)).dials(f"{typed}*{typed}")).screen == Reply("con", f"C got {got}")
        assert world.results("a")[-1].output == {"sessionId": "ATUid_1", "message": "A", "input": got}

    told(story())


@pytest.mark.parametrize("before", ["*", "**"])
def test_an_empty_answer_to_the_first_screen_takes_nothing_from_the_next_one(before: str) -> None:
    """Its callback looks like the first one, so the flow never sees it; the next one has a * in front."""

    async def story() -> None:
        phone = Phone(World(STEPS))
        await phone.dials()
        (await phone.types(f"{before}1")).sees("B got 1")
        (await phone.types("2")).sees("C got 2")

    told(story())


@in_virtual_time
async def test_what_is_typed_around_an_option_is_neither_in_the_input_nor_in_the_decision() -> None:
    flow = document(
        "ussd",
        {"menu": ask("Menu\n1. Go\n2. Stay"), "way": switch("1", "2"), "go": bye("Go {{input}}"), "no": bye("No")},
        ["start > menu", "menu > way", "way:1 > go", "way:2 > no", "way > no"],
    )
    phone = Phone(World(flow))
    await phone.dials()
    (await phone.types(" 1. ")).reads_last("Go 1")


@in_virtual_time
async def test_a_dialled_shortcut_feeds_screen_after_screen_and_only_the_last_is_shown() -> None:
    world = World(STEPS)
    phone = Phone(world)
    (await phone.dials("1*2")).sees("C got 2")
    (await phone.types("3")).reads_last("1-2-3")
    assert [result.node_id for result in world.log] == ["start", "a", "b", "c", "end"]


@in_virtual_time
async def test_a_shortcut_may_lead_to_the_end() -> None:
    (await Phone(World(STEPS)).dials("1*2*3")).reads_last("1-2-3")


@in_virtual_time
async def test_entries_that_no_screen_takes_do_not_hold_the_answer() -> None:
    flow = document("ussd", {"a": ask("A"), "end": say("Done"), "send": sms()}, ["start > a", "a > end", "end > send"])
    world = World(flow)
    world.sms.script[NUMBER] = [slow(20)]
    (await Phone(world).dials("1*2*3")).reads_last("Done")
    assert world.state.status == "running"
    await world.rest()
    assert world.state.status == "completed"


@in_virtual_time
async def test_a_message_behind_a_screen_that_was_typed_past_is_not_lost() -> None:
    flow = document(
        "ussd",
        {"a": ask("A"), "said": say("Saved"), "b": ask("B")},
        ["start > a", "a > said", "said > b"],
    )
    (await Phone(World(flow)).dials("1")).sees("Saved\nB")


@in_virtual_time
async def test_the_text_of_one_turn_is_joined_by_new_lines() -> None:
    flow = document("ussd", {"a": ask("A"), "b": say("Balance 5"), "c": bye("Thanks")}, ["start > a", "a > b", "b > c"])
    phone = Phone(World(flow))
    await phone.dials()
    (await phone.types("1")).reads_last("Balance 5\nThanks")


@in_virtual_time
async def test_a_turn_without_text_ends_with_the_plain_sentence() -> None:
    flow = document("ussd", {"a": ask("A"), "b": switch("1")}, ["start > a", "a > b"])
    phone = Phone(World(flow))
    await phone.dials()
    (await phone.types("1")).reads_last("Thank you. Goodbye.")


@in_virtual_time
async def test_a_flow_has_sentences_of_its_own() -> None:
    settings = {"ussd": {"noText": "Tschüss", "apology": "Tut uns leid"}}
    flow = document("ussd", {"a": ask("A"), "b": switch("1")}, ["start > a", "a > b"], settings=settings)
    phone = Phone(World(flow))
    await phone.dials()
    (await phone.types("1")).reads_last("Tschüss")
    broken = document("ussd", {"a": say("{{nothing}}")}, ["start > a"], settings=settings)
    (await Phone(World(broken)).dials()).reads_last("Tut uns leid")


@in_virtual_time
async def test_the_answer_leaves_before_the_tail_and_the_tail_completes() -> None:
    flow = document("ussd", {"a": ask("A"), "end": bye("Bye"), "send": sms()}, ["start > a", "a > end", "a > send"])
    world = World(flow)
    world.sms.script[NUMBER] = [slow(20)]
    phone = Phone(world)
    await phone.dials()
    (await phone.types("1")).reads_last("Bye")
    assert world.state.status == "running"
    assert world.state.reply == Reply("end", "Bye")
    await world.rest()
    assert world.state.status == "completed"
    assert world.sms.texts() == ["hello"]
    assert not world.sessions.active


@in_virtual_time
async def test_the_next_screen_does_not_wait_for_the_tail_of_the_turn_before() -> None:
    flow = document(
        "ussd", {"a": ask("A"), "b": ask("B"), "c": bye("C"), "send": sms()},
        ["start > a", "a > b", "a > send", "b > c"],
    )  # fmt: skip
    world = World(flow)
    world.sms.script[NUMBER] = [slow(20)]
    phone = Phone(world)
    await phone.dials()
    (await phone.types("1")).sees("B")
    (await phone.types("2")).reads_last("C")
    assert world.statuses().get("send") is None
    await world.rest()
    assert world.statuses()["send"] == "success"


@in_virtual_time
async def test_the_answer_waits_for_a_node_that_can_still_add_to_the_screen() -> None:
    flow = document(
        "ussd",
        {"send": sms(), "good": bye("Sent"), "bad": bye("Not sent")},
        ["start > send", "send > good", "send:error > bad"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent", after=3)]
    (await Phone(world).dials()).reads_last("Not sent")


@in_virtual_time
async def test_a_tail_that_fails_does_not_take_a_last_screen_back() -> None:
    flow = document("ussd", {"end": bye("Bye"), "send": sms()}, ["start > end", "start > send"])
    world = World(flow)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent", after=3)]
    (await Phone(world).dials()).reads_last("Bye")
    await world.rest()
    assert world.state.status == "failed"
    assert world.state.reply == Reply("end", "Bye")


@in_virtual_time
async def test_a_tail_that_fails_ends_a_session_that_waits_for_an_answer() -> None:
    flow = document("ussd", {"a": ask("A"), "send": sms()}, ["start > a", "start > send"])
    world = World(flow)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent", after=3)]
    (await Phone(world).dials()).sees("A")
    await world.rest()
    assert world.state.status == "failed"
    assert world.state.reply == Reply("end", APOLOGY)
    assert world.state.waits == {}
    assert not world.sessions.active


@in_virtual_time
async def test_a_turn_that_comes_while_the_one_before_is_not_answered_waits_for_it() -> None:
    flow = document(
        "ussd",
        {"send": sms(), "a": ask("A"), "b": ask("B")},
        ["start > send", "send > a", "a > b"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [slow(3)]
    for text in ("", "1"):
        world.comes_in(text, {"text": text, "msisdn": NUMBER, "input": ""})
    assert await world.answer("") == Reply("con", "A")
    assert await world.answer("1") == Reply("con", "B")


@in_virtual_time
async def test_a_turn_that_comes_behind_the_end_gets_the_last_answer() -> None:
    flow = document("ussd", {"end": bye("Bye"), "send": sms()}, ["start > end", "start > send"])
    world = World(flow)
    world.sms.script[NUMBER] = [slow(3)]
    phone = Phone(world)
    await phone.dials()
    world.comes_in("1", {"text": "1"})
    assert world.run is not None
    answer = world.run.conversation.answer_to("1")
    await world.rest()
    assert answer.result() == Reply("end", "Bye")
    assert world.state.turns == 2
    assert len(world.sessions.calls) == 1


@in_virtual_time
async def test_a_cancelled_execution_stops_what_runs_and_says_sorry() -> None:
    flow = document("ussd", {"send": sms(), "end": bye("Bye")}, ["start > send", "send > end"])
    world = World(flow)
    world.sms.script[NUMBER] = [HANGS]
    world.comes_in("", {"text": "", "msisdn": NUMBER})
    assert world.run is not None
    world.run.cancel()
    assert await world.answer("") == Reply("end", APOLOGY)
    await world.rest()
    assert world.state.status == "cancelled"


@in_virtual_time
async def test_a_screen_of_pages_is_walked_and_its_output_is_what_was_shown_last() -> None:
    items = [{"option": str(number), "text": f"item {number}"} for number in range(1, 6)]
    menu = ask("Items", menuType="menu", menuItems=items, pagination={"enabled": True, "itemsPerPage": 2})
    world = World(document("ussd", {"menu": menu, "end": bye("You took {{input}}")}, ["start > menu", "menu > end"]))
    phone = Phone(world)
    (await phone.dials()).sees("Items\n1. item 1\n2. item 2\n99. Next")
    (await phone.types("99")).sees("Items\n3. item 3\n4. item 4\n99. Next\n98. Back")
    (await phone.types("98")).sees("Items\n1. item 1\n2. item 2\n99. Next")
    (await phone.types("99")).sees("Items\n3. item 3\n4. item 4\n99. Next\n98. Back")
    (await phone.types("4")).reads_last("You took 4")
    output = world.output("menu")
    assert output is not None
    assert output["message"] == "Items\n3. item 3\n4. item 4\n99. Next\n98. Back"


@in_virtual_time
async def test_a_list_that_got_shorter_while_its_second_page_was_shown_still_takes_the_answer() -> None:
    flow = document(
        "ussd",
        {
            "menu": ask("{{list}}", pagination={"enabled": True, "itemsPerPage": 2}),
            "end": bye("You took {{node_menu.output.input}}"),
        },
        ["start > menu", "menu > end"],
    )
    world = World(flow)
    await world.execute({"list": "a\nb\nc\nd"})
    assert (await world.execute({"input": "99"})).reply == Reply("con", "c\nd\n98. Back")
    state = await world.execute({"input": "c", "list": "a"})
    assert state.reply == Reply("end", "You took c")


@in_virtual_time
async def test_session_writes_are_seen_by_later_nodes_and_committed_once() -> None:
    flow = document(
        "ussd",
        {"a": ask("A"), "keep": write(name="{{input}}"), "b": ask("Hello {{session.data.name}}"), "c": bye("Bye")},
        ["start > a", "a > keep", "keep > b", "b > c"],
    )
    world = World(flow)
    phone = Phone(world)
    await phone.dials()
    before = list(world.sessions.applied)
    (await phone.types("Ann")).sees("Hello Ann")
    await world.rest()
    assert world.sessions.data[Scope.SESSION] == {"name": "Ann"}
    assert len(world.sessions.applied) == len(before) + 1
    (await phone.types("x")).reads_last("Bye")
    await world.rest()
    assert world.sessions.calls == world.sessions.applied
    assert world.sessions.lives == [120, 120, 0]
    assert not world.sessions.active


@in_virtual_time
async def test_a_sealed_value_is_sealed_wherever_it_is_kept_and_clear_in_templates() -> None:
    flow = document(
        "ussd",
        {
            "keep": node("SESSION_WRITE", data={"pin": "{{input}}"}, encrypt=True),
            "ok": condition("{{session.data.pin}} == '1234'"),
            "read": node("SESSION_READ"),
            "end": bye("PIN {{session.data.pin}} {{node_read.output.sessionData.pin}}"),
        },
        ["start > keep", "keep > ok", "ok:true > read", "read > end"],
    )
    world = World(flow)
    await world.execute({"input": "1234"})
    assert world.state.reply == Reply("end", "PIN 1234 1234")
    stored = world.sessions.data[Scope.SESSION]["pin"]
    assert stored.keys() == {"$sealed"}
    assert world.output("keep") == {"sessionData": {"pin": "***"}}
    read = world.output("read")
    assert read is not None
    assert read["sessionData"] == {"pin": stored}


@in_virtual_time
async def test_a_dry_run_sends_nothing_and_writes_to_no_session_but_reads_what_it_wrote() -> None:
    flow = document(
        "ussd",
        {
            "keep": write(name="Ann"),
            "send": sms(message="Hi {{session.data.name}}"),
            "end": bye("Bye {{session.data.name}}"),
        },
        ["start > keep", "keep > send", "send > end"],
    )
    world = World(flow, dry_run=True)
    state = await world.execute()
    assert state.status == "completed"
    output = world.output("send")
    assert output is not None
    assert output["dryRun"] is True
    assert output["segments"] == 1
    assert state.reply == Reply("end", "Bye Ann")
    assert (world.sms.calls, world.sessions.calls) == ([], [])


@in_virtual_time
async def test_the_newest_payload_overlays_the_first_one() -> None:
    flow = document(
        "ussd", {"a": ask("A"), "end": bye("{{first}} {{second}} {{triggerPayload.both}}")}, ["start > a", "a > end"]
    )
    world = World(flow)
    state = await world.execute({"first": "1", "both": "old"})
    assert state.reply == Reply("con", "A")
    state = await world.execute({"second": "2", "both": "new", "input": "x"})
    assert state.reply == Reply("end", "1 2 new")


@in_virtual_time
async def test_reserved_roots_beat_payload_keys_of_the_same_name() -> None:
    flow = document(
        "ussd",
        {
            "end": bye("{{session.type}} {{workflow.id}} {{node_late.output.x | default('unset')}}"),
            "late": condition("1 == 1"),
        },
        ["start > end", "end:error > late"],
    )
    world = World(flow)
    payload = {"session": {"type": "mine"}, "workflow": {"id": "mine"}, "node_late": {"output": {"x": "mine"}}}
    state = await world.execute(payload)
    assert state.reply == Reply("end", "ussd flow unset")
