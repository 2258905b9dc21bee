"""Deaths at any moment, a store or a sessions service that is away, an engine that lost its lease."""

import asyncio
from dataclasses import asdict
from typing import Any

import pytest

from services.engine.core.ports import LeaseLost, StoreUnavailable
from services.engine.core.state import Reply, Signal
from services.engine.executions.beginnings import signal_record
from services.engine.store import records
from tests.engine.core.flow_dicts import FAST, NUMBER, ask, bye, condition, document, merge, sms, switch, write
from tests.engine.core.outside import HANGS, Answer, failing, slow
from tests.engine.core.virtual_time import in_virtual_time, told
from tests.engine.core.world import Phone, World
from workflow.errors import permanent
from workflow.outcome import Settlement
from workflow.session import Scope

A, B, C = (f"+25471100001{digit}" for digit in range(3))

SHOP = document(
    "ussd",
    {
        "menu": ask("Menu"),
        "choice": switch("1", "2"),
        "kilos": ask("Kilos?"),
        "keep": write(kilos="{{input}}"),
        "first": sms(A, "{{session.data.kilos}} kg"),
        "second": sms(B, "{{session.data.kilos}} kg too"),
        "joined": merge("all"),
        "third": sms(C, "{{node_joined.output.items[1].messageId}}"),
        "more": ask("More?"),
        "again": condition("{{input}} == '1'"),
        "bye": bye("Bye {{session.data.kilos}}"),
    },
    [
        "start > menu", "menu > choice", "choice:1 > kilos", "choice > bye", "kilos > keep", "keep > first",
        "keep > second", "first > joined", "second > joined", "joined > third", "third:error > more", "third > more",
        "more > again", "again:true > menu", "again:false > bye",
    ],
)  # fmt: skip
DIALOGUE = ["1", "50", "1", "1", "70", "2"]


def shop(kind: type[World] = World) -> World:
    """The shop, with two slow networks and one that refuses at first."""
    world = kind(SHOP)
    world.sms.script = {A: [slow(1)], B: [failing(), slow(2)], C: [failing("REJECTED", "permanent")]}
    return world


async def talk(world: World) -> list[Reply | None]:
    """The whole dialogue; returns its screens."""
    phone = Phone(world)
    screens = [(await phone.dials()).screen, *[(await phone.types(entry)).screen for entry in DIALOGUE]]
    await world.rest()
    return screens


def facts(world: World) -> dict[str, Any]:
    """What a crash must not change."""
    return {
        "status": world.state.status,
        "last": {
            (result.node_id, result.visit): (str(result.status), result.output, result.error) for result in world.log
        },
        "successes": sorted((r.node_id, r.visit) for r in world.log if r.status in {"success", "skipped"}),
        "session": world.sessions.data,
        "active": world.sessions.active,
        "inbox": world.sms.inbox,
        "reply": world.state.reply,
        "output": world.state.output,
    }


async def undisturbed() -> tuple[list[Reply | None], dict[str, Any], int]:
    world = shop()
    return await talk(world), facts(world), world.steps.taken


EXPECTED = told(undisturbed())


def test_the_shop_works() -> None:
    screens, found, _ = EXPECTED
    assert [screen.text for screen in screens if screen] == [
        "Menu", "Kilos?", "More?", "Menu", "Kilos?", "More?", "Bye 70",
    ]  # fmt: skip
    assert found["status"] == "completed"
    assert sorted(found["inbox"]) == ["exe:first:0", "exe:first:1", "exe:second:0", "exe:second:1"]


@pytest.mark.parametrize("step", range(1, EXPECTED[2] + 1))
def test_a_death_behind_any_durable_step_changes_nothing(step: int) -> None:
    async def story() -> None:
        world = shop()
        world.steps.stop_after = step
        screens = await talk(world)
        if world.deaths == 0:
            await world.rest()
        assert screens == EXPECTED[0]
        assert facts(world) == EXPECTED[1]
        assert len(set(world.sessions.applied)) == len(world.sessions.applied)
        assert world.deaths == 1

    told(story())


@pytest.mark.parametrize("every", [1, 2, 3])
def test_an_engine_that_dies_again_and_again_gets_there(every: int) -> None:
    async def story() -> None:
        world = shop()
        phone = Phone(world)
        screens = []
        for entry in (None, *DIALOGUE):
            world.steps.stop_after = world.steps.taken + every
            screens.append((await (phone.dials() if entry is None else phone.types(entry))).screen)
        await world.rest()
        assert world.deaths > len(DIALOGUE) - 2
        assert screens == EXPECTED[0]
        assert facts(world) == EXPECTED[1]

    told(story())


@in_virtual_time
async def test_a_commit_that_is_repeated_after_a_crash_has_the_same_id_and_is_applied_once() -> None:
    world = World(document("ussd", {"keep": write(a="1"), "end": bye("Bye")}, ["start > keep", "keep > end"]))
    world.steps.stop_after = 2
    (await Phone(world).dials()).reads_last("Bye")
    await world.rest()
    assert world.deaths == 1
    assert world.sessions.calls == ["exe:1", "exe:1"]
    assert world.sessions.applied == ["exe:1"]
    assert world.sessions.data[Scope.SESSION] == {"a": "1"}


@in_virtual_time
async def test_a_commit_that_could_not_be_sent_is_sent_later_with_its_id() -> None:
    world = World(document("ussd", {"keep": write(a="1"), "end": bye("Bye")}, ["start > keep", "keep > end"]))
    world.sessions.unavailable = True
    (await Phone(world).dials()).reads_last("Bye")
    await world.rest()
    assert world.sessions.applied == []
    assert [commit.commit_id for commit in world.state.commits] == ["exe:1"]
    world.sessions.unavailable = False
    await world.elapse(10)
    assert world.sessions.applied == ["exe:1"]
    assert not world.sessions.active
    assert world.state.commits == []


@in_virtual_time
async def test_commits_of_several_turns_are_sent_in_order() -> None:
    flow = document(
        "ussd",
        {"a": ask("A"), "one": write(x="1"), "b": ask("B"), "two": write(x="2"), "c": bye("C")},
        ["start > a", "a > one", "one > b", "b > two", "two > c"],
    )
    world = World(flow)
    world.sessions.unavailable = True
    phone = Phone(world)
    await phone.dials()
    await phone.types("1")
    world.sessions.unavailable = False
    await phone.types("2")
    await world.rest()
    assert world.sessions.applied == ["exe:1", "exe:2", "exe:3"]
    assert world.sessions.data[Scope.SESSION] == {"x": "2"}


@in_virtual_time
async def test_a_node_that_ends_while_another_one_writes_the_journal_is_not_run_again() -> None:
    """Both end in the same moment: what one of them came to must be whole in what the other one writes."""
    retry = {"retry": {"maxAttempts": 2, "initialDelayMs": 1000}}
    flow = document("sms", {"a": sms(A), "b": sms(B, top=retry)}, ["start > a", "start > b"])
    expected = None
    for step in (None, 1, 2, 3):
        world = World(flow, random=lambda: 1.0)
        world.sms.script = {A: [slow(1)], B: [failing(), Answer()]}
        world.steps.stop_after = step
        await world.execute()
        found = [(result.node_id, result.attempt, str(result.status)) for result in world.log]
        expected = sorted(found) if expected is None else expected
        assert sorted(found) == expected


@in_virtual_time
async def test_results_that_are_being_written_when_the_execution_ends_are_kept() -> None:
    flow = document(
        "sms",
        {"bad": sms(A), "good": sms(B), "next": sms(C)},
        ["start > bad", "start > good", "good > next"],
    )
    world = World(flow)
    world.disk.write_seconds = 0.5
    world.sms.script = {A: [failing("REJECTED", "permanent", after=1.2)], B: [slow(1)]}
    state = await world.execute()
    assert state.status == "failed"
    assert world.statuses() == {"start": "success", "good": "success", "bad": "error", "next": "error"}
    assert world.sms.texts() == ["hello"]


@in_virtual_time
async def test_what_ends_in_the_same_moment_as_the_execution_is_logged_and_leads_nowhere() -> None:
    flow = document(
        "sms",
        {"bad": sms(A), "good": sms(B), "next": sms(C), "never": sms(C)},
        ["start > bad", "start > good", "good > next", "good:error > never"],
    )
    world = World(flow)
    world.sms.script = {A: [failing("REJECTED", "permanent", after=1)], B: [slow(1)]}
    state = await world.execute()
    assert state.status == "failed"
    assert world.statuses() == {"start": "success", "bad": "error", "good": "success"}
    assert world.disk.correlations == ["sms:id-exe:good:0"]


@in_virtual_time
async def test_no_effect_begins_while_what_came_before_it_is_still_being_written() -> None:
    flow = document(
        "ussd",
        {"a": sms(A), "behind": sms(B), "ask": ask("Go?"), "z": sms(C, "{{node_a.output.messageId}}")},
        ["start > a", "a > behind", "start > ask", "ask > z"],
    )
    world = World(flow)
    world.disk.write_seconds = 0.5
    world.sms.script[A] = [slow(1)]
    phone = Phone(world)
    await phone.dials()
    await asyncio.sleep(1.2)
    assert len(world.disk.states) == 1, "the result of a is being written now"
    await phone.types("1")
    await world.rest()
    assert dict(world.sms.calls)["exe:z:0"] >= 2


@in_virtual_time
async def test_an_attempt_that_failed_is_durable_before_the_next_one() -> None:
    world = World(document("sms", {"send": sms(top={"retry": FAST})}, ["start > send"]))
    world.sms.script[NUMBER] = [failing(), Answer()]
    await world.execute()
    written = [state for state in world.disk.states if b'"attempt":1' in state]
    assert written
    assert [result.attempt for result in world.results("send")] == [1, 2]


@in_virtual_time
async def test_attempts_go_on_counting_in_another_engine() -> None:
    world = World(document("sms", {"send": sms(top={"retry": FAST})}, ["start > send"]))
    world.sms.script[NUMBER] = [failing()]
    world.steps.stop_after = 1
    await world.execute()
    assert world.deaths == 1
    assert [result.attempt for result in world.results("send")] == [1, 2, 3]


@in_virtual_time
async def test_an_engine_that_lost_its_lease_stops_its_nodes_and_writes_nothing() -> None:
    flow = document("sms", {"a": sms(A), "b": sms(B), "c": sms(C)}, ["start > a", "start > b", "a > c"])
    world = World(flow)
    world.sms.script = {A: [slow(1)], B: [slow(50)]}
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.run is not None
    assert world.task is not None
    await asyncio.sleep(0.5)
    world.disk.fence += 1
    with pytest.raises(LeaseLost):
        await world.task
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert world.disk.states == []
    assert "exe:c:0" not in world.sms.inbox


@in_virtual_time
async def test_a_store_that_is_away_stops_the_run_and_another_one_goes_on() -> None:
    world = World(document("ussd", {"a": ask("A"), "b": bye("B")}, ["start > a", "a > b"]))
    world.disk.unavailable = True
    world.comes_in("", {"text": "", "msisdn": NUMBER})
    assert world.task is not None
    with pytest.raises(StoreUnavailable):
        await world.task
    assert world.disk.answers == {}
    world.disk.unavailable = False
    world.take_up()
    assert await world.answer("") == Reply("con", "A")


@in_virtual_time
async def test_a_send_that_a_dead_engine_may_have_begun_without_a_word_in_the_journal_says_so() -> None:
    world = World(document("sms", {"send": sms(), "then": sms()}, ["start > send", "send > then"]))
    world.sms.script[NUMBER] = [slow(5)]
    world.comes_in(None, {"msisdn": NUMBER})
    await asyncio.sleep(1)
    assert (world.log, world.sms.repeated) == ([], [])
    world.die()
    await world.rest()
    first = world.sms.calls[0][0]
    assert [key for key, _ in world.sms.calls][:2] == [first, first]
    assert first in world.sms.repeated
    assert world.state.status == "completed"
    assert not world.state.broken_off


@in_virtual_time
async def test_a_run_that_is_stopped_while_a_node_writes_leaves_no_write_behind() -> None:
    world = World(document("sms", {"send": sms(top={"retry": FAST})}, ["start > send"]))
    world.disk.write_seconds = 0.5
    world.sms.script[NUMBER] = [failing()]
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None
    await asyncio.sleep(0.8)
    world.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await world.task
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [result.attempt for result in world.results("send")] == [1]


@in_virtual_time
async def test_a_run_that_is_stopped_from_outside_leaves_no_node_behind() -> None:
    world = World(document("sms", {"send": sms()}, ["start > send"]))
    world.sms.script[NUMBER] = [HANGS]
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None
    await asyncio.sleep(1)
    world.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await world.task
    assert asyncio.all_tasks() == {asyncio.current_task()}


@in_virtual_time
async def test_nothing_goes_out_behind_a_write_that_failed_for_another_node() -> None:
    nodes = {"a": sms(A), "b": sms(B), "behind-a": sms(), "behind-b": sms(C)}
    world = World(document("sms", nodes, ["start > a", "start > b", "a > behind-a", "b > behind-b"]))
    world.sms.script = {A: [slow(2)], B: [slow(2)]}
    world.disk.write_seconds, world.disk.unavailable = 1, True
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None
    with pytest.raises(StoreUnavailable):
        await world.task
    assert [key for key, _ in world.sms.calls] == ["exe:a:0", "exe:b:0"]


@in_virtual_time
async def test_what_another_engine_recorded_first_is_not_lost_behind_what_this_one_recorded() -> None:
    nodes = {"menu": ask("Menu"), "late": sms(A), "last": bye("{{input}}")}
    world = World(document("ussd", nodes, ["start > menu", "start > late", "menu > last"]))
    world.sms.script = {A: [slow(5)]}
    (await Phone(world).dials()).sees("Menu")
    assert world.run is not None
    report = signal_record(Signal.REPORT, asdict(Settlement(f"sms:{B}", "ATXid_other", "Success")), "late")
    world.disk.turns += [records.turn_to_bytes({"key": "7", "payload": {"text": "7"}}), records.turn_to_bytes(report)]
    world.run.deliver(world.disk.left()[1])
    assert world.run.listens_from == 1, "what lies before it is still asked for"
    assert await world.answer("7") == Reply("end", "7")


@in_virtual_time
async def test_what_has_ended_is_not_given_up() -> None:
    world = World(document("sms", {"say": sms(A)}, ["start > say"]))
    assert (await world.execute()).status == "completed"

    world.take_up().give_up(permanent("SESSION_GONE", "it has expired since"))
    await world.rest()

    assert (world.state.status, world.state.error) == ("completed", None)
