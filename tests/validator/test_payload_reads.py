"""What a flow reads of a payload that may have any key, or that lacks some at times."""

from typing import Any

from services.validator.validation import validate
from tests.validator.flow_texts import ask, bye, condition, flow, sms, write
from workflow.issues import Issue
from workflow.parse import parse_flow
from workflow.suggestions import few_suggestions

AT: dict[str, Any] = {"trigger": "HTTP_WEBHOOK", "trigger_config": {"path": "/x"}}
REMIND = {name: sms("Hello {{name}}", to="{{phone}}") for name in ("first", "second", "third", "fourth")}
IN_A_ROW = ("start > first", "first > second", "second > third", "third > fourth")


def warnings(document: dict[str, Any]) -> tuple[Issue, ...]:
    report = validate(parse_flow(document))
    assert report.valid, report.issues
    return report.issues


def test_a_name_that_a_request_may_bring_is_told_of_once_with_the_nodes_that_fail_without_it() -> None:
    found = warnings(flow(REMIND, *IN_A_ROW, **AT))
    assert [(issue.code, issue.node_id, issue.path) for issue in found] == [
        ("MAYBE_UNBOUND_VARIABLE", "first", "nodes[0].config.message"),
        ("MAYBE_UNBOUND_VARIABLE", "first", "nodes[0].config.to"),
    ]
    assert found[0].message == (
        "{{name}} is there only if the payload has it; first, second, third and 1 more fail without it: give a "
        "default, or ask {{name}} != null before"
    )


def test_a_read_with_a_default_does_not_excuse_one_without() -> None:
    nodes = {
        "a": sms("Hello {{name | default('friend')}}", to="+254711000001"),
        "b": sms("{{name}}", to="+254711000001"),
    }
    (only,) = warnings(flow(nodes, "start > a", "a > b", **AT))
    assert (only.node_id, only.path) == ("b", "nodes[1].config.message")
    assert "; b fails without it" in only.message


def test_what_the_trigger_always_brings_is_not_told_of() -> None:
    text = "{{method}} {{path}} {{body.name}} {{query.page}} {{headers.accept}} {{timestamp}} {{triggerPayload.name}}"
    assert not warnings(flow({"a": sms(text, to="+254711000001")}, "start > a", **AT))


def test_a_key_that_a_payload_lacks_at_times_is_told_of_once() -> None:
    found = warnings(flow({"a": sms(), "b": sms()}, "start > a", "a > b", trigger="PAYMENT_CALLBACK"))
    (only,) = [issue for issue in found if issue.code == "MAYBE_UNBOUND_VARIABLE"]
    assert only.message == (
        "{{msisdn}} is not in every payload of PAYMENT_CALLBACK; a and b fail without it: give a default, or ask "
        "{{msisdn}} != null before"
    )


def test_a_mistyped_name_of_what_the_trigger_brings_is_told_of_wherever_it_is_read() -> None:
    nodes = {
        "c": condition("{{bdy.severity}} >= 3"),
        "a": sms("{{bdy.service}}, {{sesion.data.name}}", to="+254711000001"),
        "b": sms("{{timeStamp | date}}", to="+254711000001"),
    }
    found = warnings(flow(nodes, "start > c", "c :true > a", "c :false > b", **AT))
    assert [(issue.path, issue.message) for issue in found] == [
        ("nodes[0].config.expression", "{{bdy.severity}} is there only if the payload has it; did you mean body?"),
        ("nodes[1].config.message", "{{bdy.service}} is there only if the payload has it; did you mean body?"),
        ("nodes[1].config.message", "{{sesion.data.name}} is there only if the payload has it; did you mean session?"),
        ("nodes[2].config.message", "{{timeStamp}} is there only if the payload has it; did you mean timestamp?"),
    ]


def test_names_of_their_own_are_not_taken_for_mistyped_ones() -> None:
    names = ("phone", "name", "time", "date", "sessionId", "paymentMethod", "order", "userId", "status", "text", "id")
    expression = " || ".join(f"{{{{{name}}}}} == '1'" for name in names)
    nodes = {"c": condition(expression), "a": sms("Hi", to="+254711000001")}
    assert not warnings(flow(nodes, "start > c", "c :true > a", **AT))


def test_an_output_that_is_named_without_its_prefix_is_told_of_in_an_expression_too() -> None:
    nodes = {
        "a": sms("Hi", to="+254711000001"),
        "c": condition("{{a.output.cost}} != null"),
        "b": sms(to="+254711000001"),
    }
    (only,) = warnings(flow(nodes, "start > a", "a > c", "c :true > b", **AT))
    assert only.path == "nodes[1].config.expression"
    assert only.message.endswith("what a node gave is {{node_a.output.…}}")


def test_nodes_about_a_phone_that_the_payload_may_lack_are_told_of_once() -> None:
    nodes = {"w": ("WAIT_FOR_SMS", {}), "again": ("WAIT_FOR_SMS", {}), "a": sms("Hi", to="{{msisdn}}")}
    (only,) = warnings(flow(nodes, "start > w", "w > again", "again > a", **AT))
    assert (only.node_id, only.path) == ("w", "nodes[0]")
    assert only.message == (
        "w and again are about the phone number in {{msisdn}}, which is there only if whoever starts the flow sends it "
        "under this name"
    )


def test_missing_names_that_are_welcome_are_not_told_of_but_mistyped_ones_are() -> None:
    nodes = {"a": sms("{{name}} {{boddy.name}}", to="+254711000001")}
    (only,) = warnings(flow(nodes, "start > a", settings={"missingVariable": "empty"}, **AT))
    assert "did you mean body?" in only.message


def test_behind_a_comparison_with_null_a_name_that_may_be_absent_is_expected() -> None:
    nodes = {"c": condition("{{phone}} != null"), "a": sms("Hi", to="{{phone}}")}
    assert not warnings(flow(nodes, "start > c", "c :true > a", **AT))
    beside = {**nodes, "b": sms("{{phone}}", to="+254711000001")}
    (only,) = warnings(flow(beside, "start > c", "c :true > a", "start > b", **AT))
    assert only.node_id == "b"
    assert "; b fails without it" in only.message


def test_it_does_not_matter_which_of_two_ways_has_asked() -> None:
    nodes = {
        "c": condition("{{body.x}} == 1"),
        "one": condition("{{phone}} != null"),
        "other": condition("{{phone}} == null"),
        "a": sms("Hi", to="{{phone}}"),
    }
    ways = ["start > c", "c :true > one", "c :false > other", "one :true > a", "other :false > a"]
    assert not warnings(flow(nodes, *ways, **AT))
    found = warnings(flow(nodes, *ways[:2], "c :false > a", "one :true > a", "start > other", **AT))
    assert [issue.node_id for issue in found if issue.code == "MAYBE_UNBOUND_VARIABLE"] == ["a"]


def test_who_has_asked_for_an_object_may_read_what_is_in_it() -> None:
    nodes = {"c": condition("null != {{order}}"), "a": sms("{{order.id}} {{order.items.0}}", to="+254711000001")}
    assert not warnings(flow(nodes, "start > c", "c :true > a", **AT))


def test_a_comparison_on_an_edge_counts_as_well_and_one_of_another_name_does_not() -> None:
    nodes = {"a": sms("Hi", to="{{phone}}")}
    assert not warnings(flow(nodes, "start ?{{phone}} != null > a", **AT))
    assert len(warnings(flow(nodes, "start ?{{phon}} != null > a", **AT))) == 1


def test_behind_a_comparison_with_null_a_stored_value_is_expected() -> None:
    nodes = {"c": condition("{{session.data.name}} == null"), "m": ask("Name?"), "w": write(name="{{input}}")}
    greet = {"end": bye("Hello {{session.data.name}}")}
    ways = ("c :true > m", "m > w", "w > end", "c :false > end")
    assert not warnings(flow({**nodes, **greet}, "start > c", *ways))


def test_reads_of_a_name_that_is_no_mistake_leave_room_for_the_hint_of_one_that_is() -> None:
    nodes = {"a": sms("{{name}} " * 2000, to="+254711000001"), "b": sms("{{bdy.name}}", to="+254711000001")}
    with few_suggestions():
        found = warnings(flow(nodes, "start > a", "a > b", **AT))
    assert [issue.message.rpartition("; ")[2] for issue in found if issue.node_id == "b"] == ["did you mean body?"]
