"""RETRY: a branch that fails is tried again, what was sent in it is not sent again, and somebody hears of its end."""

from typing import Any

import pytest

from services.engine.core.coverage import covered
from services.engine.core.state import Reply
from tests.engine.core.flow_dicts import NUMBER, ask, bye, condition, document, merge, node, program_of, say, sms, write
from tests.engine.core.outside import Answer, failing, slow
from tests.engine.core.virtual_time import EPOCH_MS, in_virtual_time, now_ms
from tests.engine.core.world import Phone, World
from workflow.fields import COMPILING

OTHER, LATE = "+254711000002", "+254711000009"
ONCE = {"retry": {"maxAttempts": 1, "initialDelayMs": 0}}
REFUSED = failing("SERVER_ERROR", "transient")
REJECTED = failing("REJECTED", "permanent")


def retry(**config: Any) -> dict[str, Any]:
    return node("RETRY", **{"initialDelayMs": 4000, **config})


def text(number: str = NUMBER) -> dict[str, Any]:
    """A message that is tried once a visit."""
    return sms(number, top=ONCE)


def world_of(nodes: dict[str, Any], edges: list[Any], kind: str = "sms", **settings: Any) -> World:
    return World(document(kind, nodes, edges, settings=settings))


def two_texts(**config: Any) -> World:
    """Two messages one after the other, tried as a branch, and one that says that it did not work."""
    nodes = {"retry": retry(**config), "one": text(), "two": text(OTHER), "sorry": text(LATE)}
    edges = ["start > retry", "retry:success > one", "one > two", "retry:max_retries > sorry"]
    return world_of(nodes, edges)


async def ended(world: World) -> list[str]:
    """Runs a flow to its end; returns the keys of all sends."""
    await world.execute()
    await world.rest()
    assert not world.state.waits
    return [key for key, _ in world.sms.calls]


@in_virtual_time
async def test_the_branch_is_tried_again_and_what_was_sent_is_not_sent_again() -> None:
    world = two_texts()
    world.sms.script[OTHER] = [REFUSED, Answer()]

    keys = await ended(world)

    assert world.state.status == "completed"
    assert keys == ["exe:one:0", "exe:two:0", "exe:two:1"]
    assert [(result.attempt, result.output) for result in world.results("retry")] == [
        (1, {"attempt": 1}),
        (2, {"attempt": 2}),
    ]
    assert world.results("retry")[1].retry_delay_ms == 3000
    assert len(world.results("one")) == 1


@in_virtual_time
async def test_tries_that_are_used_up_leave_by_their_own_edge() -> None:
    world = two_texts(maxAttempts=3)
    world.sms.script[OTHER] = [REFUSED]

    keys = await ended(world)

    assert world.state.status == "completed"
    assert keys == ["exe:one:0", "exe:two:0", "exe:two:1", "exe:two:2", "exe:sorry:0"]
    assert world.output("retry") == {"attempt": 3}


@in_virtual_time
async def test_a_failure_that_no_try_can_mend_gives_up_at_once() -> None:
    world = two_texts()
    world.sms.script[OTHER] = [REJECTED]

    assert await ended(world) == ["exe:one:0", "exe:two:0", "exe:sorry:0"]
    assert world.output("retry") == {"attempt": 1}


@in_virtual_time
async def test_only_the_errors_that_it_names_are_tried_again_where_it_names_any() -> None:
    world = two_texts(retryableErrors=["REJECTED"])
    world.sms.script[OTHER] = [REJECTED, REFUSED]

    assert await ended(world) == ["exe:one:0", "exe:two:0", "exe:two:1", "exe:sorry:0"]


@in_virtual_time
async def test_without_an_edge_for_the_end_of_its_tries_the_flow_fails() -> None:
    world = world_of({"retry": retry(maxAttempts=2), "one": text()}, ["start > retry", "retry > one"])
    world.sms.script[NUMBER] = [REFUSED]

    assert await ended(world) == ["exe:one:0", "exe:one:1"]
    assert (world.state.status, world.state.error and world.state.error.code) == ("failed", "SERVER_ERROR")


@in_virtual_time
async def test_a_caught_failure_does_not_count() -> None:
    nodes = {"retry": retry(), "one": text(), "late": text(LATE)}
    world = world_of(nodes, ["start > retry", "retry > one", "one:error > late"])
    world.sms.script[NUMBER] = [REFUSED]

    assert await ended(world) == ["exe:one:0", "exe:late:0"]


@in_virtual_time
async def test_what_is_to_be_passed_over_is_tried_again_first() -> None:
    nodes = {"retry": retry(maxAttempts=2), "one": text(), "two": text(OTHER)}
    flow = document("sms", nodes, ["start > retry", "retry > one", "one > two"])
    world = World(flow, continue_on_error=True)
    world.sms.script[NUMBER] = [REFUSED]

    assert await ended(world) == ["exe:one:0", "exe:one:1", "exe:two:0"]
    assert world.state.status == "completed"


@in_virtual_time
async def test_logic_is_decided_anew_and_the_session_written_again() -> None:
    nodes = {
        "retry": retry(),
        "count": write(tries="{{node_retry.output.attempt}}"),
        "second": condition("{{node_retry.output.attempt}} == 2"),
        "one": text(),
        "two": text(OTHER),
    }
    edges = ["start > retry", "retry > count", "count > second", "second:true > two", "second:false > one"]
    world = world_of(nodes, edges)
    world.sms.script[NUMBER] = [REFUSED]

    assert await ended(world) == ["exe:one:0", "exe:two:0"]
    assert next(iter(world.sessions.data.values())) == {"tries": 2}


@in_virtual_time
async def test_branches_side_by_side_are_tried_again_once_all_of_them_are_over() -> None:
    nodes = {"retry": retry(), "one": text(), "two": text(OTHER), "join": merge("all"), "last": text(LATE)}
    edges = ["start > retry", "retry > one", "retry > two", "one > join:input1", "two > join:input2", "join > last"]
    world = world_of(nodes, edges)
    world.sms.script = {NUMBER: [slow(2.5)], OTHER: [REFUSED, Answer()]}

    keys = await ended(world)

    assert world.state.status == "completed"
    assert sorted(keys) == ["exe:last:0", "exe:one:0", "exe:two:0", "exe:two:1"]
    assert keys[-1] == "exe:last:0"


@in_virtual_time
async def test_an_inner_branch_is_tried_first_and_then_the_one_around_it() -> None:
    nodes = {"outer": retry(maxAttempts=2), "inner": retry(maxAttempts=2), "one": text()}
    world = world_of(nodes, ["start > outer", "outer > inner", "inner > one"])
    world.sms.script[NUMBER] = [REFUSED, REFUSED, REFUSED, Answer()]

    assert await ended(world) == [f"exe:one:{visit}" for visit in range(4)]
    assert world.state.status == "completed"


@in_virtual_time
async def test_what_an_inner_branch_sent_is_not_sent_again_by_the_one_around_it() -> None:
    nodes = {"outer": retry(maxAttempts=2), "inner": retry(maxAttempts=2), "one": text(), "two": text(OTHER)}
    world = world_of(nodes, ["start > outer", "outer > inner", "inner > one", "one > two"])
    world.sms.script[OTHER] = [REFUSED, REFUSED, REFUSED, Answer()]

    assert await ended(world) == ["exe:one:0", *(f"exe:two:{visit}" for visit in range(4))]
    assert world.state.status == "completed"


@in_virtual_time
async def test_each_round_of_a_loop_sends_anew_in_an_inner_branch_too() -> None:
    nodes = {
        "outer": retry(maxAttempts=2),
        "inner": retry(maxAttempts=2),
        "one": text(),
        "two": text(OTHER),
        "again": ask("Again?"),
    }
    edges = ["start > outer", "outer > inner", "inner > one", "one > two", "two > again", "again > inner"]
    world = world_of(nodes, edges, "ussd")
    world.sms.script[OTHER] = [REFUSED, REFUSED, Answer()]

    await (await Phone(world).dials()).types("1")

    assert [key for key, _ in world.sms.calls if "one" in key] == ["exe:one:0", "exe:one:1"]


@in_virtual_time
async def test_no_try_begins_behind_the_timeout() -> None:
    nodes = {"retry": {**retry(maxAttempts=10, backoffMultiplier=1), "timeout": 7000}, "one": text()}
    world = world_of(nodes, ["start > retry", "retry > one"])
    world.sms.script[NUMBER] = [REFUSED]

    assert await ended(world) == ["exe:one:0", "exe:one:1", "exe:one:2"]


@in_virtual_time
async def test_a_pause_between_tries_holds_no_memory_and_counts_as_no_active_time() -> None:
    world = world_of({"retry": retry(), "one": text()}, ["start > retry", "retry > one"], maxExecutionTimeMs=1000)
    world.sms.script[NUMBER] = [REFUSED, Answer()]
    world.comes_in(None, {"msisdn": NUMBER})
    assert world.task is not None
    await world.task
    assert not world.disk.leased
    assert {name: wait.expires_at_ms - EPOCH_MS for name, wait in world.state.waits.items()} == {"retry": 3000}
    await world.rest()
    assert world.state.status == "completed"
    assert now_ms() - EPOCH_MS == 3000


@in_virtual_time
async def test_what_was_said_is_not_said_again() -> None:
    nodes = {"retry": retry(), "say": say("Sending."), "one": text(), "menu": ask("Menu")}
    world = world_of(nodes, ["start > retry", "retry > say", "say > one", "one > menu"], kind="ussd")
    world.sms.script[NUMBER] = [REFUSED, Answer()]

    (await Phone(world).dials()).sees("Sending.\nMenu")


@in_virtual_time
async def test_behind_a_screen_nothing_is_tried_again() -> None:
    nodes = {"retry": retry(), "menu": ask("Menu"), "one": text(), "bye": bye("Bye")}
    world = world_of(nodes, ["start > retry", "retry > menu", "menu > one", "one > bye"], kind="ussd")
    world.sms.script[NUMBER] = [REFUSED]

    phone = await Phone(world).dials()
    await phone.types("1")

    assert world.state.status == "failed"
    assert [key for key, _ in world.sms.calls] == ["exe:one:0"]
    assert isinstance(phone.screen, Reply)


@in_virtual_time
@pytest.mark.parametrize("stop_after", range(1, 12))
async def test_a_death_at_any_step_neither_loses_a_try_nor_sends_twice(stop_after: int) -> None:
    world = two_texts(maxAttempts=3)
    world.sms.script[OTHER] = [REFUSED, REFUSED, Answer()]
    world.steps.stop_after = stop_after

    await ended(world)

    assert world.state.status == "completed"
    assert sorted(world.sms.inbox) == ["exe:one:0", "exe:two:2"]
    assert world.output("retry") == {"attempt": 3}


def test_a_branch_holds_what_only_it_leads_to_up_to_the_next_wait() -> None:
    nodes = {
        "retry": retry(),
        "in": text(),
        "menu": ask("Menu"),
        "behind": text(OTHER),
        "aside": text(LATE),
        "shared": text(),
    }
    edges = [
        "start > retry",
        "retry > in",
        "in > menu",
        "menu > behind",
        "start > aside",
        "aside > shared",
        "in > shared",
    ]
    program = program_of(document("ussd", nodes, edges))
    configs = {
        node_id: found.type.config.model_validate(found.config, context=COMPILING)
        for node_id, found in program.nodes.items()
    }

    assert covered(program.graph, configs) == {"retry": {"in", "menu"}}


@in_virtual_time
async def test_a_branch_that_fails_before_it_reaches_anything_is_given_up_at_once() -> None:
    before, one = text(OTHER), sms(NUMBER, "{{nothing}}")
    nodes = {"before": before, "retry": retry(initialDelayMs=0), "one": one, "menu": ask("Menu")}
    edges = ["start > before", "before > retry", "retry:success > one", "retry:max_retries > menu", "one > menu"]
    world = world_of(nodes, edges, kind="ussd")

    (await Phone(world).dials()).sees("Menu")

    assert now_ms() == EPOCH_MS
