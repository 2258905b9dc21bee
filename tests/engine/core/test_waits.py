"""Waiting for a person and for a timer: what is kept, what expires, what comes in meanwhile."""

import pytest

from services.engine.core.state import Reply
from tests.engine.core.flow_dicts import NUMBER, ask, bye, document, node, say, sms
from tests.engine.core.outside import slow
from tests.engine.core.virtual_time import EPOCH_MS, in_virtual_time
from tests.engine.core.world import Phone, World

A, B = "+254711000010", "+254711000011"


@in_virtual_time
async def test_a_waiting_execution_is_in_the_journal_and_nothing_is_in_memory() -> None:
    world = World(document("ussd", {"a": ask("A", sessionTimeout=30), "b": bye("B")}, ["start > a", "a > b"]))
    await Phone(world).dials()
    await world.rest()
    assert not world.disk.leased
    state = world.state
    assert state.status == "running"
    assert [(name, str(wait.kind), wait.expires_at_ms) for name, wait in state.waits.items()] == [
        ("a", "input", EPOCH_MS + 30_000)
    ]


@in_virtual_time
async def test_waiting_does_not_count_as_active_time() -> None:
    flow = document(
        "ussd", {"a": ask("A", sessionTimeout=300), "send": sms()}, ["start > a", "a > send"],
        settings={"maxExecutionTimeMs": 5000},
    )  # fmt: skip
    world = World(flow)
    world.sms.script[NUMBER] = [slow(4)]
    phone = Phone(world)
    await phone.dials()
    await world.elapse(200)
    await phone.types("1")
    await world.rest()
    assert world.state.status == "completed"
    assert world.state.active_ms == 4000


@in_virtual_time
async def test_an_expired_wait_takes_the_timeout_edge() -> None:
    flow = document(
        "ussd",
        {"a": ask("A", sessionTimeout=30), "late": sms(A), "failed": sms(B), "b": bye("B")},
        ["start > a", "a > b", "a:timeout > late", "a:error > failed"],
    )
    world = World(flow)
    await Phone(world).dials()
    await world.elapse(29)
    assert world.state.status == "running"
    await world.elapse(2)
    assert world.state.status == "completed"
    assert world.state.reply == Reply("end", "Thank you. Goodbye.")
    assert list(world.sms.inbox) == ["exe:late:0"]
    assert world.statuses()["a"] == "timeout"
    assert not world.sessions.active


@in_virtual_time
async def test_an_expired_wait_takes_the_error_edge_where_there_is_no_timeout_edge() -> None:
    flow = document("ussd", {"a": ask("A"), "failed": sms(B)}, ["start > a", "a:error > failed"])
    world = World(flow)
    await Phone(world).dials()
    await world.elapse(61)
    assert world.state.status == "completed"
    assert list(world.sms.inbox) == ["exe:failed:0"]


@in_virtual_time
async def test_an_expired_wait_that_nothing_catches_ends_the_execution_as_a_time_out() -> None:
    world = World(document("ussd", {"a": ask("A"), "b": bye("B")}, ["start > a", "a > b"]))
    await Phone(world).dials()
    await world.elapse(61)
    state = world.state
    assert (state.status, state.waits) == ("timeout", {})
    assert state.error is not None
    assert state.error.code == "TIMEOUT"
    assert not world.sessions.active


@in_virtual_time
async def test_an_answer_that_is_recorded_beats_the_expiry_of_its_wait() -> None:
    world = World(document("ussd", {"a": ask("A"), "b": bye("B")}, ["start > a", "a > b"]))
    phone = Phone(world)
    await phone.dials()
    await world.rest()
    await world.elapse(0)
    world.disk.turns.append(b'{"key": "1", "payload": {"text": "1"}}')
    await world.elapse(61)
    assert await world.answer("1") == Reply("end", "B")


@in_virtual_time
async def test_no_effect_builds_on_an_expiry_that_is_not_durable() -> None:
    """After a crash the answer may come first; what the expiry did must be known by then."""
    flow = document("ussd", {"a": ask("A"), "late": sms(A), "b": bye("B")}, ["start > a", "a > b", "a:timeout > late"])
    world = World(flow)
    await Phone(world).dials()
    await world.rest()
    await world.elapse(0)
    writes = len(world.disk.states)
    world.sms.script[A] = [slow(5)]
    await world.elapse(60)
    assert [when for _, when in world.sms.calls] == [60]
    before_the_send = world.disk.states[writes]
    assert b'"late":{"stage":"ready"' in before_the_send
    assert b'"waits":{}' in before_the_send


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_a_timer_goes_on_when_it_is_due() -> None:
    world = World(
        document("sms", {"nap": node("DELAY", duration=86_400_000), "send": sms()}, ["start > nap", "nap > send"])
    )
    state = await world.execute()
    assert (state.status, str(state.waits["nap"].kind)) == ("running", "timer")
    await world.elapse(86_399)
    assert world.sms.calls == []
    await world.elapse(1)
    assert world.state.status == "completed"
    assert world.sms.calls == [("exe:send:0", 86_400)]


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_a_turn_that_comes_while_only_a_timer_runs_is_overlaid_and_does_not_disturb_it() -> None:
    flow = document(
        "sms", {"nap": node("DELAY", duration=60_000), "send": sms(message="{{word}}")}, ["start > nap", "nap > send"]
    )
    world = World(flow)
    await world.execute({"word": "old"})
    state = await world.execute({"word": "new", "input": "7"})
    assert (state.status, list(state.waits)) == ("running", ["nap"])
    assert not world.disk.leased
    await world.elapse(61)
    assert world.sms.texts() == ["new"]


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_what_was_typed_while_only_a_timer_ran_answers_no_later_screen() -> None:
    flow = document(
        "ussd",
        {"hi": say("Hi"), "nap": node("DELAY", duration=60_000), "a": ask("A")},
        ["start > hi", "hi > nap", "nap > a"],
    )
    world = World(flow)
    assert (await world.execute()).reply == Reply("end", "Hi")
    assert (await world.execute({"input": "7"})).reply is None
    await world.elapse(61)
    assert list(world.state.waits) == ["a"]


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_a_screen_behind_a_timer_does_not_hold_the_answer() -> None:
    flow = document(
        "ussd",
        {"bye": bye("Bye"), "send": sms(), "nap": node("DELAY", duration=60_000), "late": bye("Too late")},
        ["start > bye", "start > send", "send > nap", "nap > late"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [slow(5)]
    (await Phone(world).dials()).reads_last("Bye")
    assert world.state.nodes["send"].stage == "ready"


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_a_defect_of_a_node_is_an_internal_error_and_its_error_edge_is_taken() -> None:
    world = World(document("sms", {"bad": node("BROKEN"), "next": sms()}, ["start > bad", "bad:error > next"]))
    state = await world.execute()
    assert state.status == "completed"
    error = world.results("bad")[-1].error
    assert error is not None
    assert (error.code, error.type) == ("INTERNAL", "permanent")
    assert "secret" not in error.message
    assert world.sms.texts() == ["hello"]


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_a_defect_that_nothing_catches_fails_the_execution() -> None:
    world = World(document("sms", {"bad": node("BROKEN"), "next": sms()}, ["start > bad", "bad > next"]))
    state = await world.execute()
    assert state.status == "failed"
    assert state.error is not None
    assert state.error.code == "INTERNAL"
    assert "next" not in world.statuses()


@pytest.mark.usefixtures("more_types")
@in_virtual_time
async def test_a_node_without_effects_that_waits_in_secret_fails_and_stops_nobody() -> None:
    world = World(document("sms", {"bad": node("AWAITING"), "next": sms()}, ["start > bad", "bad:error > next"]))
    assert (await world.execute()).status == "completed"
    error = world.results("bad")[-1].error
    assert error is not None
    assert error.code == "INTERNAL"
