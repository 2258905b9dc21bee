"""Which edges an outcome takes."""

from tests.engine.core.flow_dicts import NUMBER, condition, document, node, sms, switch
from tests.engine.core.outside import failing
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.core.world import World

A, B, C, D = (f"+25471100001{digit}" for digit in range(4))


@in_virtual_time
async def test_a_source_handle_names_the_way() -> None:
    flow = document(
        "sms",
        {"choice": switch("1", "2", value="{{message}}"), "one": sms(A), "two": sms(B), "else": sms(C)},
        ["start > choice", "choice:1 > one", "choice:2 > two", "choice > else"],
    )
    for typed, taken in (("1", "one"), ("2", "two"), ("7", "else")):
        world = World(flow)
        await world.execute({"message": typed})
        assert list(world.sms.inbox) == [f"exe:{taken}:0"]


@in_virtual_time
async def test_a_condition_may_name_the_handle() -> None:
    flow = document(
        "sms",
        {"fork": condition("{{message}} == 'y'"), "yes": sms(A), "met": sms(B), "no": sms(C)},
        [
            "start > fork",
            ("fork > yes", {"condition": "true"}),
            ("fork > met", {"condition": "condition_met"}),
            ("fork > no", {"condition": "false"}),
        ],
    )
    world = World(flow)
    await world.execute({"message": "y"})
    assert list(world.sms.inbox) == ["exe:yes:0", "exe:met:0"]


@in_virtual_time
async def test_an_expression_decides_an_edge_and_sees_the_output_of_its_own_node() -> None:
    flow = document(
        "sms",
        {"send": sms(NUMBER), "cheap": sms(A), "dear": sms(B)},
        [
            "start > send",
            ("send > cheap", {"condition": "{{node_send.output.segments}} == 1"}),
            ("send > dear", {"condition": "{{node_send.output.segments}} > 1"}),
        ],
    )
    world = World(flow)
    await world.execute()
    assert list(world.sms.inbox) == ["exe:send:0", "exe:cheap:0"]
    assert world.statuses()["dear"] == "skipped"


@in_virtual_time
async def test_a_handle_and_an_expression_must_both_hold() -> None:
    flow = document(
        "sms",
        {"fork": condition("1 == 1"), "both": sms(A), "handle": sms(B), "expression": sms(C)},
        [
            "start > fork",
            ("fork:true > both", {"condition": "{{message}} == 'hi'"}),
            ("fork:true > handle", {"condition": "{{message}} == 'no'"}),
            ("fork:false > expression", {"condition": "{{message}} == 'hi'"}),
        ],
    )
    world = World(flow)
    await world.execute({"message": "hi"})
    assert list(world.sms.inbox) == ["exe:both:0"]


@in_virtual_time
async def test_a_success_takes_success_and_plain_edges_and_no_error_edge() -> None:
    flow = document(
        "sms",
        {"send": sms(), "success": sms(A), "plain": sms(B), "error": sms(C), "timeout": sms(D)},
        ["start > send", "send:success > success", "send > plain", "send:error > error", "send:timeout > timeout"],
    )
    world = World(flow)
    await world.execute()
    assert list(world.sms.inbox) == ["exe:send:0", "exe:success:0", "exe:plain:0"]


@in_virtual_time
async def test_a_success_edge_of_a_node_without_that_handle_is_taken_whatever_it_came_to() -> None:
    flow = document(
        "sms",
        {"fork": condition("1 == 2"), "success": sms(A), "no": sms(B), "yes": sms(C)},
        ["start > fork", "fork:success > success", "fork:false > no", "fork:true > yes"],
    )
    world = World(flow)
    await world.execute()
    assert list(world.sms.inbox) == ["exe:success:0", "exe:no:0"]


@in_virtual_time
async def test_a_failure_takes_its_error_edge_and_the_execution_goes_on() -> None:
    flow = document(
        "sms",
        {"send": sms(), "plain": sms(A), "success": sms(B), "error": sms(C, "sorry")},
        ["start > send", "send > plain", "send:success > success", "send:error > error"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent")]
    state = await world.execute()
    assert state.status == "completed"
    assert list(world.sms.inbox) == ["exe:error:0"]
    assert world.statuses() == {
        "start": "success", "send": "error", "plain": "skipped", "success": "skipped", "error": "success",
    }  # fmt: skip


@in_virtual_time
async def test_an_edge_whose_expression_fails_makes_its_node_fail() -> None:
    flow = document(
        "sms",
        {"fork": condition("1 == 1"), "next": sms(A), "caught": sms(B)},
        ["start > fork", ("fork:true > next", {"condition": "{{message}} < 3"}), "fork:error > caught"],
    )
    world = World(flow)
    await world.execute({"message": [1]})
    error = world.results("fork")[-1].error
    assert error is not None
    assert (error.code, error.type) == ("EXPRESSION_FAILED", "validation")
    assert list(world.sms.inbox) == ["exe:caught:0"]


@in_virtual_time
async def test_a_failed_visit_leaves_no_output_behind() -> None:
    flow = document(
        "sms",
        {
            "fork": condition("1 == 1"),
            "next": sms(A),
            "caught": sms(B, "{{node_fork.output.result | default('none')}}"),
        },
        ["start > fork", ("fork:true > next", {"condition": "{{message}} < 3"}), "fork:error > caught"],
    )
    world = World(flow)
    await world.execute({"message": [1]})
    assert world.sms.texts() == ["none"]


@in_virtual_time
async def test_an_error_edge_whose_expression_fails_catches_nothing() -> None:
    flow = document(
        "sms",
        {"send": sms(), "caught": sms(A)},
        ["start > send", ("send:error > caught", {"condition": "{{message}} < 3"})],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent")]
    state = await world.execute({"message": [1]})
    assert state.status == "failed"
    assert state.error is not None
    assert state.error.code == "REJECTED"


@in_virtual_time
async def test_the_log_names_the_handle_that_each_success_left_by() -> None:
    flow = document(
        "sms",
        {
            "fork": condition("{{message}} == 'y'"),
            "choice": switch("y", "n", value="{{message}}"),
            "off": {**sms(A), "disabled": True},
            "fails": sms(B),
            "send": sms(C),
            "end": node("SESSION_END"),
            "never": sms(D),
        },
        [
            "start > fork",
            "fork:true > choice",
            "fork:false > never",
            "choice:y > off",
            "off > fails",
            "fails:error > send",
            "send > end",
        ],
    )
    world = World(flow)
    world.sms.script[B] = [failing(), failing(), failing(), failing()]
    await world.execute({"message": "y"})
    handles = [(result.node_id, str(result.status), result.handle) for result in world.log]
    assert list(dict.fromkeys(handles)) == [
        ("start", "success", "default"),
        ("fork", "success", "true"),
        ("never", "skipped", None),
        ("choice", "success", "y"),
        ("off", "skipped", None),
        ("fails", "error", None),
        ("send", "success", "success"),
        ("end", "success", None),
    ]
