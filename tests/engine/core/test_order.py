"""Which node runs when: order, joins, skips, branches side by side."""

import pytest

from tests.engine.core.flow_dicts import NUMBER, condition, document, merge, sms, switch
from tests.engine.core.outside import slow
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.core.world import World

OTHER = "+254711000002"


@in_virtual_time
async def test_a_chain_runs_in_order() -> None:
    world = World(document("sms", {"a": condition("1 == 1"), "b": sms()}, ["start > a", "a:true > b"]))
    state = await world.execute({"message": "hi"})
    assert state.status == "completed"
    assert [result.node_id for result in world.log] == ["start", "a", "b"]
    assert state.output == world.output("b")


@in_virtual_time
async def test_a_node_waits_for_all_of_its_edges() -> None:
    flow = document(
        "sms",
        {"quick": sms(), "late": sms(OTHER), "join": condition("1 == 1")},
        ["start > quick", "start > late", "quick > join", "late > join"],
    )
    world = World(flow)
    world.sms.script[OTHER] = [slow(3)]
    await world.execute()
    assert [result.node_id for result in world.log] == ["start", "quick", "late", "join"]
    assert len(world.results("join")) == 1


@in_virtual_time
async def test_branches_that_do_not_depend_on_each_other_run_side_by_side() -> None:
    world = World(document("sms", {"a": sms(), "b": sms(OTHER)}, ["start > a", "start > b"]))
    world.sms.script = {NUMBER: [slow(5)], OTHER: [slow(5)]}
    await world.execute()
    assert [when for _, when in world.sms.calls] == [0, 0]


@in_virtual_time
async def test_a_join_behind_a_fork_runs_once_when_one_side_is_skipped() -> None:
    flow = document(
        "sms",
        {"fork": condition("{{message}} == 'left'"), "left": sms(), "right": sms(OTHER), "join": condition("1 == 1")},
        ["start > fork", "fork:true > left", "fork:false > right", "left > join", "right > join"],
    )
    world = World(flow)
    await world.execute({"message": "left"})
    assert world.statuses() == {
        "start": "success", "fork": "success", "left": "success", "right": "skipped", "join": "success",
    }  # fmt: skip
    assert world.sms.inbox.keys() == {"exe:left:0"}


@in_virtual_time
async def test_a_skip_goes_down_a_diamond_and_each_node_is_logged_once() -> None:
    flow = document(
        "sms",
        {
            "fork": condition("1 == 2"),
            "top": condition("1 == 1"),
            "left": sms(),
            "right": sms(OTHER),
            "join": merge(),
            "end": sms(),
            "other": sms(),
        },
        [
            "start > fork", "fork:true > top", "fork:false > other", "top > left", "top > right",
            "left > join", "right > join", "join > end",
        ],
    )  # fmt: skip
    world = World(flow)
    state = await world.execute()
    assert state.status == "completed"
    skipped = [result.node_id for result in world.log if result.status == "skipped"]
    assert sorted(skipped) == ["end", "join", "left", "right", "top"]
    assert world.statuses()["other"] == "success"


@in_virtual_time
async def test_a_skipped_branch_does_not_hold_a_join_that_another_one_takes() -> None:
    flow = document(
        "sms",
        {"fork": condition("1 == 2"), "long": sms(), "longer": sms(), "join": sms(OTHER)},
        ["start > fork", "fork:true > long", "long > longer", "longer > join", "fork:false > join"],
    )
    world = World(flow)
    await world.execute()
    assert world.statuses()["join"] == "success"


@in_virtual_time
async def test_merge_first_goes_on_at_the_first_arrival_and_ignores_later_ones_while_siblings_go_on() -> None:
    flow = document(
        "sms",
        {
            "slow": sms(OTHER, "slow"),
            "quick": sms(NUMBER, "quick"),
            "merge": merge("first"),
            "behind": sms("+254711000003", "behind"),
            "own": sms("+254711000004", "own way of slow"),
        },
        [
            "start > slow",
            "start > quick",
            "slow > merge:input1",
            "quick > merge:input2",
            "merge > behind",
            "slow > own",
        ],
    )
    world = World(flow)
    world.sms.script = {OTHER: [slow(9)], NUMBER: [slow(1)]}
    state = await world.execute()
    assert state.status == "completed"
    assert len(world.results("merge")) == len(world.results("behind")) == 1
    assert world.output("merge") == world.output("quick")
    assert world.sms.texts() == ["slow", "quick", "behind", "own way of slow"]
    assert dict(world.sms.calls)["exe:behind:0"] == 1


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("last", {"value": "b", "matched": "b"}),
        ("all", {"items": [{"result": True}, {"value": "b", "matched": "b"}]}),
        ("merge", {"result": True, "value": "b", "matched": "b"}),
    ],
)
def test_merge_takes_outputs_in_the_order_of_the_handles(strategy: str, expected: dict[str, object]) -> None:
    @in_virtual_time
    async def story() -> None:
        flow = document(
            "sms",
            {"two": switch("b", value="b"), "ten": condition("1 == 1"), "merge": merge(strategy)},
            ["start > two", "start > ten", "two:b > merge:input10", "ten:true > merge:input2"],
        )
        world = World(flow)
        await world.execute()
        assert world.output("merge") == expected

    story()


@in_virtual_time
async def test_merge_waits_for_live_branches_only() -> None:
    flow = document(
        "sms",
        {"fork": condition("1 == 1"), "yes": sms(), "no": sms(OTHER), "merge": merge("all")},
        ["start > fork", "fork:true > yes", "fork:false > no", "yes > merge", "no > merge"],
    )
    world = World(flow)
    await world.execute()
    output = world.output("merge")
    assert output is not None
    assert output["items"] == [world.output("yes")]


@in_virtual_time
async def test_a_disabled_node_is_logged_skipped_and_its_plain_and_success_edges_are_taken() -> None:
    flow = document(
        "sms",
        {
            "off": {**sms(), "disabled": True},
            "plain": sms(OTHER, "plain"),
            "success": sms("+254711000003", "success"),
            "failed": sms("+254711000004", "failed"),
        },
        ["start > off", "off > plain", "off:success > success", "off:error > failed"],
    )
    world = World(flow)
    state = await world.execute()
    assert state.status == "completed"
    assert world.sms.texts() == ["plain", "success"]
    assert world.statuses()["off"] == world.statuses()["failed"] == "skipped"


@in_virtual_time
async def test_a_disabled_node_whose_edge_cannot_be_decided_fails_like_any_node() -> None:
    flow = document(
        "sms",
        {"off": {**sms(), "disabled": True}, "next": sms(OTHER)},
        ["start > off", ("off > next", {"condition": "{{message}} > [1]"})],
    )
    world = World(flow)
    state = await world.execute({"message": {"a": 1}})
    assert state.status == "failed"
    assert state.error is not None
    assert state.error.code == "EXPRESSION_FAILED"
