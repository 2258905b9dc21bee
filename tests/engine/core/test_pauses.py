"""Pauses that stand in the journal: between attempts, for a report of a send, for a delay."""

import pytest

from services.engine.core.state import ExecutionState, Reply, SettledBy
from tests.engine.core.flow_dicts import NUMBER, ask, bye, document, node, say, sms
from tests.engine.core.outside import Answer, failing, slow
from tests.engine.core.virtual_time import EPOCH_MS, in_virtual_time, now_ms
from tests.engine.core.world import SETTLE_MS, Phone, World
from workflow.outcome import Settlement

SLOW_RETRY = {"retry": {"maxAttempts": 3, "initialDelayMs": 4000, "backoffMultiplier": 2}}
UNKNOWN = failing("SEND_OUTCOME_UNKNOWN", "permanent")
CHAIN = ["start > limit", "limit > send"]
REPORT = Settlement(f"sms:{NUMBER}", "ATXid_late", "Success")


def waits(state: ExecutionState) -> dict[str, tuple[str, int]]:
    return {name: (str(wait.kind), wait.expires_at_ms - EPOCH_MS) for name, wait in state.waits.items()}


def sends(**top: object) -> dict[str, object]:
    return document("sms", {"send": sms(top=top)}, ["start > send"])


@in_virtual_time
async def test_a_pause_of_more_than_a_second_holds_no_memory() -> None:
    world = World(sends(**SLOW_RETRY))
    world.sms.script[NUMBER] = [failing(), Answer()]
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None
    await world.task
    assert waits(world.state) == {"send": ("retry", 3000)}
    assert not world.disk.leased
    await world.rest()
    assert world.state.status == "completed"
    assert [result.retry_delay_ms for result in world.results("send")] == [None, 3000]


@in_virtual_time
async def test_the_pause_does_not_count_as_active_time() -> None:
    flow = sends(**SLOW_RETRY)
    world = World({**flow, "settings": {"maxExecutionTimeMs": 1000}})
    world.sms.script[NUMBER] = [failing(), failing(), Answer()]
    state = await world.execute()
    assert state.status == "completed"
    assert now_ms() - EPOCH_MS > 8000


@in_virtual_time
async def test_a_screen_behind_a_node_that_is_tried_again_comes_in_the_same_turn() -> None:
    flow = document("ussd", {"send": sms(top=SLOW_RETRY), "menu": ask("Sent.")}, ["start > send", "send > menu"])
    world = World(flow)
    world.sms.script[NUMBER] = [failing(), Answer()]
    (await Phone(world).dials()).sees("Sent.")


@in_virtual_time
async def test_an_execute_gets_no_screen_while_a_node_before_it_is_to_be_tried_again() -> None:
    flow = document("ussd", {"send": sms(top=SLOW_RETRY), "menu": ask("Sent.")}, ["start > send", "send > menu"])
    world = World(flow)
    world.sms.script[NUMBER] = [failing(), Answer()]
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None
    await world.task
    assert world.state.reply is None
    await world.rest()
    assert world.state.reply == Reply("con", "Sent.")


@in_virtual_time
async def test_a_report_settles_a_send_whose_answer_was_lost() -> None:
    world = World(sends())
    world.sms.script[NUMBER] = [UNKNOWN]
    state = await world.execute()
    assert waits(state) == {"send": ("settlement", SETTLE_MS)}
    await world.reported("send", REPORT)
    assert world.state.status == "completed"
    assert [result.settled_by for result in world.results("send")] == [None, SettledBy.REPORT]
    assert (world.output("send") or {})["messageId"] == "ATXid_late"
    assert world.disk.correlations == ["sms:ATXid_late"]
    assert len(world.sms.calls) == 1


@in_virtual_time
async def test_a_report_that_came_before_the_answer_was_lost_settles_at_once() -> None:
    world = World(sends())
    world.sms.script[NUMBER] = [UNKNOWN]
    world.reports.found[f"sms:{NUMBER}"] = REPORT
    state = await world.execute()
    assert state.status == "completed"
    assert world.results("send")[-1].settled_by == SettledBy.REPORT
    assert len(world.sms.calls) == 1


@in_virtual_time
async def test_a_report_that_slipped_in_between_keeps_the_send_from_being_repeated() -> None:
    world = World(sends())
    world.sms.script[NUMBER] = [UNKNOWN]
    await world.execute()
    world.reports.found[f"sms:{NUMBER}"] = REPORT
    await world.elapse(SETTLE_MS / 1000 + 1)
    assert world.state.status == "completed"
    assert len(world.sms.calls) == 1


@in_virtual_time
async def test_a_send_that_nobody_reports_is_repeated_with_a_key_of_its_own() -> None:
    world = World(sends())
    world.sms.script[NUMBER] = [UNKNOWN, Answer()]
    await world.execute()
    await world.elapse(SETTLE_MS / 1000 + 1)
    assert world.state.status == "completed"
    assert [call[0] for call in world.sms.calls] == ["exe:send:0", "exe:send:0:1"]
    assert world.results("send")[-1].settled_by == SettledBy.REPETITION


@in_virtual_time
async def test_a_lost_answer_and_a_failure_beside_it_end_the_execution_and_leave_nothing_to_be_reported() -> None:
    flow = document("sms", {"send": sms(), "beside": sms("+254711000009")}, ["start > send", "start > beside"])
    world = World(flow)
    world.sms.script[NUMBER] = [UNKNOWN]
    world.sms.script["+254711000009"] = [failing("INVALID_PHONE_NUMBER", "permanent")]
    state = await world.execute()
    assert state.status == "failed"
    assert not state.waits


@in_virtual_time
async def test_a_settle_time_that_is_over_before_it_was_written_is_a_repetition() -> None:
    nodes = {"send": sms(), "other": sms("+254711000002", top={"timeout": 2 * SETTLE_MS})}
    world = World(document("sms", nodes, ["start > send", "start > other"]), max_active_ms=4 * SETTLE_MS)
    world.sms.script = {NUMBER: [UNKNOWN, Answer()], "+254711000002": [slow(1.5 * SETTLE_MS / 1000)]}
    assert (await world.execute()).status == "completed"
    assert [result.settled_by for result in world.results("send")] == [None, SettledBy.REPETITION]


@in_virtual_time
async def test_a_second_report_of_the_same_message_changes_nothing() -> None:
    flow = document("sms", {"send": sms(), "pause": node("DELAY", duration=60_000)}, ["start > send", "send > pause"])
    world = World(flow)
    world.sms.script[NUMBER] = [UNKNOWN]
    await world.execute()
    await world.reported("send", REPORT)
    await world.reported("send", REPORT)
    assert len(world.results("send")) == 2
    assert waits(world.state) == {"pause": ("timer", 60_000)}


@in_virtual_time
@pytest.mark.parametrize("stop_after", range(1, 6))
async def test_a_death_while_a_send_is_settled_neither_loses_nor_doubles_it(stop_after: int) -> None:
    world = World(document("sms", {"send": sms(), "behind": sms("+254711000009")}, ["start > send", "send > behind"]))
    world.sms.script[NUMBER] = [UNKNOWN, Answer()]
    world.steps.stop_after = stop_after
    await world.execute()
    await world.reported("send", REPORT)
    await world.rest()
    assert world.state.status == "completed"
    assert [call[0] for call in world.sms.calls].count("exe:send:0:1") == 0
    assert list(world.sms.inbox) == ["exe:behind:0"]


@in_virtual_time
async def test_a_delay_between_two_screens_ends_the_session_on_the_phone() -> None:
    flow = document(
        "ussd",
        {"hi": say("Wait for it."), "pause": node("DELAY", duration=3_600_000), "send": sms()},
        ["start > hi", "hi > pause", "pause > send"],
    )
    world = World(flow)
    (await Phone(world).dials()).reads_last("Wait for it.")
    await world.elapse(3601)
    assert world.state.status == "completed"
    assert list(world.sms.inbox) == ["exe:send:0"]


@in_virtual_time
async def test_a_delay_that_is_due_goes_on_while_another_node_still_runs() -> None:
    flow = document(
        "sms",
        {"slow": sms(), "pause": node("DELAY", duration=2000), "quick": sms("+254711000009")},
        ["start > slow", "start > pause", "pause > quick"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [Answer(after=20)]
    await world.execute()
    arrived = {call[0]: call[1] for call in world.sms.calls}
    assert arrived["exe:quick:0"] - arrived["exe:slow:0"] == pytest.approx(2.0)


@in_virtual_time
async def test_hanging_up_is_final_unless_a_new_dial_may_go_on() -> None:
    for window_ms, status in ((0, "timeout"), (60_000, "running")):
        flow = document(
            "ussd", {"a": ask("A"), "b": bye("B")}, ["start > a", "a > b"], settings={"resumeWithinMs": window_ms}
        )
        world = World(flow)
        await Phone(world).dials()
        await world.rest()
        await world.signalled({"signal": "hang_up", "payload": {"reason": "gone"}})
        assert world.state.status == status


@in_virtual_time
async def test_a_check_waits_for_the_answer_under_way_and_is_no_input() -> None:
    nodes = {"a": ask("A"), "send": sms(), "b": ask("B"), "c": bye("{{input}}")}
    flow = document("ussd", nodes, ["start > a", "a > send", "send > b", "b > c"])
    world = World(flow)
    world.sms.script[NUMBER] = [Answer(after=20)]
    phone = Phone(world)
    await phone.dials()
    world.comes_in("1", {"text": "1"})
    world.disk.turns.append(b'{"key": "1*1", "payload": {"text": "1*1"}, "signal": "check"}')
    for turn in world.disk.left():
        assert world.run is not None
        world.run.deliver(turn)
    assert await world.answer("1") == Reply("con", "B")
    assert await world.answer("1*1") == Reply("con", "B")
    world.comes_in("1*1*9", {"text": "1*1*9"})
    assert await world.answer("1*1*9") == Reply("end", "9")


def limited_menu() -> World:
    limit = node("RATE_LIMIT", maxRequests=1, windowMs=1000)
    return World(document("ussd", {"limit": limit, "menu": ask("Menu")}, ["start > limit", "limit > menu"]))


@in_virtual_time
async def test_a_screen_behind_a_turn_that_comes_soon_is_waited_for() -> None:
    world = limited_menu()
    world.rates.waits_ms = [2000]
    (await Phone(world).dials()).sees("Menu")


@in_virtual_time
async def test_a_screen_behind_a_turn_that_comes_late_is_not_waited_for() -> None:
    world = limited_menu()
    world.rates.waits_ms = [20_000]
    (await Phone(world).dials()).reads_last("Thank you. Goodbye.")


@in_virtual_time
async def test_a_turn_that_is_waited_for_holds_no_memory_and_counts_as_no_active_time() -> None:
    flow = document("sms", {"limit": node("RATE_LIMIT", maxRequests=1, windowMs=1000), "send": sms()}, CHAIN)
    world = World({**flow, "settings": {"maxExecutionTimeMs": 1000}})
    world.rates.waits_ms = [40_000]
    state = await world.execute()
    assert waits(state) == {"limit": ("timer", 40_000)}
    assert not world.disk.leased
    await world.elapse(41)
    assert world.state.status == "completed"
    assert world.output("limit") == {"waitedMs": 40_000}


@in_virtual_time
async def test_a_turn_that_comes_later_than_the_timeout_takes_its_edge() -> None:
    limit = node("RATE_LIMIT", maxRequests=1, windowMs=1000, top={"timeout": 5000})
    edges = [*CHAIN, "limit:timeout > late"]
    world = World(document("sms", {"limit": limit, "send": sms(), "late": sms("+254711000009")}, edges))
    world.rates.waits_ms = [6000]
    state = await world.execute()
    assert state.status == "completed"
    assert world.sms.calls == [("exe:late:0", 0.0)]
    error = world.results("limit")[-1].error
    assert error is not None
    assert "the next turn comes in 6000 ms" in error.message


@in_virtual_time
@pytest.mark.parametrize("stop_after", range(1, 6))
async def test_a_death_around_a_turn_takes_no_second_one(stop_after: int) -> None:
    world = World(document("sms", {"limit": node("RATE_LIMIT", maxRequests=1, windowMs=1000), "send": sms()}, CHAIN))
    world.rates.waits_ms = [3000]
    world.steps.stop_after = stop_after
    await world.execute()
    await world.elapse(30)
    assert world.state.status == "completed"
    assert list(world.rates.turns) == ["exe:limit:0"]
    assert len(world.sms.inbox) == 1


@in_virtual_time
async def test_a_rehearsal_takes_no_turn() -> None:
    world = World(
        document("sms", {"limit": node("RATE_LIMIT", maxRequests=1, windowMs=1000), "send": sms()}, CHAIN), dry_run=True
    )
    state = await world.execute()
    assert state.status == "completed"
    assert world.rates.turns == {}
