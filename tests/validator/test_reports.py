"""What a report is like as a whole: all faults at once, in order, bounded."""

from pathlib import Path
from typing import Any

import pytest

from services.validator.validation import MAX_LISTED, Report, validate
from tests.validator.flow_texts import ask, bye, condition, flow, screen, sms, switch, write
from workflow.catalogue import CATALOGUE
from workflow.parse import MAX_DOCUMENT_BYTES, MAX_EDGES, MAX_NODES, parse_flow, parse_text

CONFORMANCE = Path(__file__).parent.parent / "conformance"


def report_on(document: dict[str, Any]) -> Report:
    return validate(parse_flow(document))


def test_all_faults_are_reported_at_once_and_in_order() -> None:
    document = flow(
        {"a": ("SEND_SMS", {"enqueue": 1, "message": "{{nme"}), "b": ("NOTHING", {}), "c": (*bye(), {"retry": {}})},
        "start > a",
        "a > x",
        "b :no > c",
    )
    del document["metadata"]["name"]
    document["settings"] = {"timezone": 5}
    found = [(issue.code, issue.path) for issue in report_on(document).issues if not issue.is_warning]
    assert found == [
        ("MISSING_REQUIRED_FIELD", "metadata.name"),
        ("INVALID_NODE_CONFIG", "nodes[0].config.enqueue"),
        ("INVALID_TEMPLATE", "nodes[0].config.message"),
        ("MISSING_REQUIRED_FIELD", "nodes[0].config.to"),
        ("UNREACHABLE_NODE", "nodes[1]"),
        ("INVALID_NODE_TYPE", "nodes[1].type"),
        ("UNREACHABLE_NODE", "nodes[2]"),
        ("MISSING_REQUIRED_FIELD", "nodes[2].retry.initialDelayMs"),
        ("MISSING_REQUIRED_FIELD", "nodes[2].retry.maxAttempts"),
        ("INVALID_EDGE_TARGET", "edges[1].target"),
        ("SCHEMA_VALIDATION_ERROR", "settings.timezone"),
    ]


def test_nodes_and_edges_stand_in_their_order_beyond_ten() -> None:
    document = flow({f"n{index}": ("NOTHING", {}) for index in range(12)}, "start > n0")
    places = [issue.path for issue in report_on(document).issues if issue.code == "INVALID_NODE_TYPE"]
    assert places == [f"nodes[{index}].type" for index in range(12)]


def test_an_edge_from_nowhere_does_not_accuse_the_nodes_behind_it() -> None:
    report = report_on(flow({"a": sms(), "b": sms(), "end": bye()}, "strat > a", "a > b", "b > end"))
    assert [issue.code for issue in report.issues] == ["INVALID_EDGE_SOURCE"]


def test_a_node_of_an_unknown_type_causes_no_further_faults() -> None:
    report = report_on(
        flow({"a": ("SEND_SNS", {}), "b": bye("{{node_a.output.x}}")}, "start > a", "a :sent > b", "a :failed > a")
    )
    assert [issue.code for issue in report.issues] == ["INVALID_NODE_TYPE"]


def test_issues_name_their_node_or_edge() -> None:
    report = report_on(flow({"a": sms(enqueue=5), "end": bye()}, "start > a", "a :no > end"))
    assert [(issue.node_id, issue.edge_id) for issue in report.issues] == [("a", None), (None, "e-a-end")]


def faults(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(issue.code, issue.path) for issue in report_on(document).issues if not issue.is_warning]


def test_a_fault_of_a_config_hides_none_of_the_edges_behind_it() -> None:
    nodes = {"c": ("CONDITION", {}), "s": sms(enqueue=5), "end": bye(clearData="no"), "x": sms()}
    edges = ("start > c", "c :yes > s", "c :true ?{{inptu}} == 1 > s", "s > end", "end > x")
    assert faults(flow(nodes, *edges)) == [
        ("MISSING_REQUIRED_FIELD", "nodes[0].config.expression"),
        ("INVALID_NODE_CONFIG", "nodes[1].config.enqueue"),
        ("INVALID_NODE_CONFIG", "nodes[2].config.clearData"),
        ("INVALID_EDGE_HANDLE", "edges[1].sourceHandle"),
        ("UNKNOWN_VARIABLE", "edges[2].condition"),
        ("INVALID_EDGE_HANDLE", "edges[4].source"),
    ]


def test_a_node_of_an_unknown_type_may_have_placed_the_call_that_a_later_one_speaks_in() -> None:
    nodes = {"call": ("INITIATE_CAL", {}), "say": ("PLAY_IVR", {"text": "Hello"})}
    assert faults(flow(nodes, "start > call", "call > say")) == [("INVALID_NODE_TYPE", "nodes[0].type")]


def test_an_empty_expression_is_told_of_once() -> None:
    assert len(faults(flow({"c": condition(""), "end": bye()}, "start > c", "c :true > end"))) == 1


CASES = [{"value": "1", "label": "One"}, {"value": 2, "label": "Two"}]
AN_EDGE = ("INVALID_EDGE_HANDLE", "edges[1].sourceHandle")


@pytest.mark.parametrize(
    ("config", "handle", "expected"),
    [
        pytest.param({"cases": CASES}, "3", [AN_EDGE], id="all cases can be read"),
        pytest.param({"cases": CASES}, "2", [], id="a case that can be read"),
        pytest.param({"value": "x", "cases": [*CASES, {"value": "3"}]}, "3", [], id="a case without a label"),
        pytest.param(
            {"value": "x", "cases": [*CASES, {"value": "3"}]}, "4", [AN_EDGE], id="no case, one lacks a label"
        ),
        pytest.param({"value": "x", "cases": [*CASES, {"vale": "3"}]}, "3", [], id="a case without a value"),
        pytest.param({"value": "x", "cases": [*CASES, {"value": True}]}, "3", [], id="a case whose value is no text"),
        pytest.param({"value": "x", "cases": [*CASES, "3"]}, "3", [], id="a case that is no object"),
        pytest.param({"value": "x", "cases": []}, "3", [], id="no cases yet"),
        pytest.param({"value": "x", "cases": "3"}, "3", [], id="cases that are no list"),
        pytest.param({"value": "x"}, "3", [], id="no list of cases"),
        pytest.param(None, "3", [], id="no config"),
    ],
)
def test_an_edge_is_not_accused_for_cases_that_cannot_be_read(
    config: Any, handle: str, expected: list[tuple[str, str]]
) -> None:
    document = flow({"s": ("SWITCH", config), "end": bye()}, "start > s", f"s :{handle} > end", "s > end")
    found = faults(document)
    assert [fault for fault in found if fault[0] != "INVALID_EDGE_HANDLE"], "the config has a fault"
    assert [fault for fault in found if fault[0] == "INVALID_EDGE_HANDLE"] == expected


@pytest.mark.parametrize("node_type", CATALOGUE.values(), ids=lambda node_type: node_type.type)
def test_a_type_whose_handles_depend_on_its_config_says_what_a_faulty_one_leaves_of_them(node_type: Any) -> None:
    of_its_own = {name for name in ("output_handles", "handles_despite_faults") if name in vars(type(node_type))}
    assert len(of_its_own) != 1


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("SEND_SNS", "SEND_SMS"),
        ("send_sms", "SEND_SMS"),
        ("SESION_END", "SESSION_END"),
        ("SEND_USSD", "SEND_USSD_RESPONSE"),
    ],
)
def test_a_mistyped_node_type_gets_a_suggestion(mistyped: str, meant: str) -> None:
    report = report_on(flow({"a": (mistyped, {})}, "start > a"))
    assert f"did you mean {meant}?" in report.issues[0].message


def test_an_unknown_node_type_says_where_the_known_ones_are() -> None:
    assert "GET /api/node-types" in report_on(flow({"a": ("FAX", {})}, "start > a")).issues[0].message


def test_a_node_behind_one_that_nothing_leads_to_names_that_one() -> None:
    report = report_on(flow({"a": sms(), "b": sms(), "end": bye()}, "start > end", "a > b"))
    messages = {issue.node_id: issue.message for issue in report.issues if issue.code == "UNREACHABLE_NODE"}
    assert "draw an edge" in messages["a"]
    assert "behind a" in messages["b"]


def test_a_node_that_a_mistyped_edge_missed_names_that_edge() -> None:
    report = report_on(flow({"a": sms(), "end": bye()}, "start > a", "a > edn"))
    [message] = [issue.message for issue in report.issues if issue.code == "UNREACHABLE_NODE"]
    assert "e-a-edn" in message


def test_two_screens_behind_a_decision_without_handles_name_its_edges() -> None:
    report = report_on(flow({"c": condition("1 == 1"), "a": bye("A"), "b": bye("B")}, "start > c", "c > a", "c > b"))
    [message] = [issue.message for issue in report.issues if issue.code == "INVALID_NODE_CONNECTION"]
    assert "e-c-a and e-c-b are taken whatever comes out of c; set sourceHandle to true or false" in message


def test_a_text_that_does_not_fit_its_pattern_is_told_what_fits() -> None:
    report = report_on(flow({"a": bye()}, "start > a", trigger_config={"serviceCode": "call me"}))
    assert "such as *384*1#" in report.issues[0].message


@pytest.mark.parametrize(
    ("node", "trigger_config", "words"),
    [
        (sms("x" * 161), {}, "it counts 161 characters, and a single message holds 160"),
        (sms("x" * 159 + "€"), {}, "it counts 161 characters, and a single message holds 160 (one of €"),
        (sms("ж" * 71), {}, "it counts 71 characters, and a single message holds 70, since 'ж' is not in the GSM"),
        (sms("x" * 71, encoding="UCS2"), {}, "a single message holds 70, since encoding is UCS2"),
        (screen("x" * 161), {}, "a phone shows 160 (184 on Airtel"),
        (screen("ж" * 81), {}, "a phone shows 80 (92 on Airtel, for a trigger with its networkCode), since 'ж'"),
        (screen("x" * 185), {"networkCode": "63903"}, "a phone on Airtel shows 184: shorten it"),
        (screen("x" * 161), {"networkCode": "63902"}, "a phone shows 160: shorten it"),
    ],
)
def test_a_text_that_is_too_long_is_told_what_there_is_room_for_and_why(
    node: Any, trigger_config: dict[str, Any], words: str
) -> None:
    report = report_on(flow({"a": node, "end": bye()}, "start > a", "a > end", trigger_config=trigger_config))
    assert any(words in issue.message for issue in report.issues)


def test_a_mistyped_variable_gets_a_suggestion() -> None:
    report = report_on(flow({"a": sms("{{msisd}}"), "end": bye()}, "start > a", "a > end"))
    assert "did you mean msisdn?" in report.issues[0].message


def test_a_variable_that_is_the_name_of_a_node_is_told_how_its_output_is_written() -> None:
    report = report_on(flow({"a": sms(), "b": sms("{{a.status}}"), "end": bye()}, "start > a", "a > b", "b > end"))
    assert "{{node_a.output.…}}" in report.issues[0].message


def test_a_syntax_error_names_the_column() -> None:
    report = report_on(flow({"a": sms("Hello {{msisdn | uper}}"), "end": bye()}, "start > a", "a > end"))
    assert report.issues[0].code == "INVALID_TEMPLATE"
    assert "column" in report.issues[0].message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("[]", "object"),
        ('{"a": 1,}', "line 1, column"),
        ('{\n  "a": 1,\n  "a": 2}', "line 3, column"),
        ('{"a": NaN}', "NaN"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"a": ' + "[" * 70 + "]" * 70 + "}", "64"),
        ("{" + " " * MAX_DOCUMENT_BYTES + "}", "larger"),
    ],
)
def test_a_text_that_is_no_document_is_an_answer(text: str, expected: str) -> None:
    report = validate(parse_text(text))
    assert [issue.code for issue in report.issues] == ["SCHEMA_VALIDATION_ERROR"]
    assert expected in report.issues[0].message


def test_too_many_nodes_or_edges_are_refused_without_looking_at_them() -> None:
    nodes = report_on({**flow({}), "nodes": [{}] * (MAX_NODES + 1)})
    edges = report_on({**flow({}), "edges": [{}] * (MAX_EDGES + 1)})
    assert [issue.path for issue in nodes.issues] == ["nodes"]
    assert [issue.path for issue in edges.issues] == ["edges"]


def test_a_report_lists_so_many_errors_and_no_more() -> None:
    document = {**flow({}), "edges": [{}] * 600}
    report = report_on(document)
    errors = [issue for issue in report.issues if not issue.is_warning]
    assert len(errors) == MAX_LISTED + 1
    assert errors[-1].code == "MORE_ISSUES"
    assert not report.valid


def test_keys_of_a_canvas_are_nobodys_business() -> None:
    document = flow({"end": bye()}, "start > end")
    document["nodes"][0] |= {"data": {"label": "x"}, "width": 1, "height": 2, "selected": True, "dragging": False}
    document["nodes"][0] |= {"positionAbsolute": {"x": 1, "y": 2}, "measured": {}, "style": {}, "className": "x"}
    document["edges"][0] |= {
        "type": "smoothstep",
        "animated": True,
        "markerEnd": {"type": "arrow"},
        "sourceHandle": None,
    }
    document["viewport"] = {"x": 0, "y": 0, "zoom": 1}
    assert report_on(document).issues == ()


def test_null_counts_as_absent() -> None:
    document = flow({"end": (*bye(), {"label": None, "retry": None, "disabled": None})}, "start > end", settings=None)
    assert report_on(document).issues == ()


@pytest.mark.parametrize("name", ["sms-echo", "ussd-menu"])
def test_flows_that_were_written_elsewhere_are_valid(name: str) -> None:
    assert validate(parse_text((CONFORMANCE / f"{name}.json").read_text())).valid


def test_a_menu_with_loops_pages_and_an_sms_is_sound() -> None:
    """The kind of flow that people build: no error and no warning."""
    document = flow(
        {
            "menu": ask(
                "Soko\\n",
                menuType="menu",
                menuItems=[
                    {"option": "1", "text": "Prices"},
                    {"option": "2", "text": "Order"},
                    {"option": "0", "text": "Exit"},
                ],
            ),
            "route": switch("1", "2", "0"),
            "prices": ask("Maize 40\\nBeans 90\\nRice 120", pagination={"enabled": True, "itemsPerPage": 2}),
            "crop": ask("Which crop?", menuType="input"),
            "keep": ("SESSION_WRITE", {"data": {"crop": "{{input}}"}}),
            "check": ("CONDITION", {"expression": "{{session.data.crop}} == 'maize' || {{input}} == 'beans'"}),
            "text": sms("You ordered {{session.data.crop}}"),
            "thanks": bye("Thank you"),
            "sorry": ask("We have no {{session.data.crop}}. 0. Back"),
            "failed": bye("Try again later"),
            "exit": bye(),
        },
        "start > menu",
        "menu > route",
        "route :1 > prices",
        "route :2 > crop",
        "route :0 > exit",
        "route > menu",
        "prices > menu",
        "crop > keep",
        "keep > check",
        "check :true > text",
        "check :false > sorry",
        "sorry > menu",
        "text :success > thanks",
        "text :error > failed",
    )
    assert report_on(document).issues == ()


def test_screens_of_one_turn_in_a_row_are_sound() -> None:
    document = flow({"a": screen("A"), "b": screen("B"), "end": bye()}, "start > a", "a > b", "b > end")
    assert report_on(document).issues == ()


@pytest.mark.parametrize("nodes", [None, {"a": {}}])
def test_edges_are_not_accused_where_the_nodes_cannot_be_read(nodes: Any) -> None:
    document = {**flow({"a": sms(), "end": bye()}, "start > a", "a > end"), "nodes": nodes}
    assert [path for _, path in faults(document)] == ["nodes"]


def test_a_missing_field_is_told_with_what_it_is_for() -> None:
    document = flow({"a": ("DELAY", {}), "s": ("SWITCH", {"value": "1", "cases": [{"label": "x"}]}), "end": bye()})
    messages = {issue.path: issue.message for issue in report_on(document).issues}
    assert messages["nodes[0].config.duration"] == "duration is required: how long to wait, ms"
    assert messages["nodes[1].config.cases[0].value"] == "value is required"


def test_a_session_end_that_cannot_be_reached_is_named() -> None:
    report = report_on(flow({"m": ask(), "end": bye()}, "start > m"))
    [message] = [issue.message for issue in report.issues if issue.code == "USSD_MISSING_SESSION_END"]
    assert message.startswith("no way leads from the trigger to end")


def test_a_stored_value_that_is_misspelt_gets_a_suggestion() -> None:
    nodes = {"w": write(name="Asha"), "end": bye("Hello {{session.data.nmae}}")}
    messages = [issue.message for issue in report_on(flow(nodes, "start > w", "w > end")).issues]
    assert [message.rpartition("; ")[2] for message in messages] == ["did you mean name?"]


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (("DELAY", {"duration": "5s"}), 'duration must be a whole number, not "5s"'),
        (("RATE_LIMIT", {"maxRequests": 1.5, "windowMs": 1}), "maxRequests must be a whole number, not the number 1.5"),
    ],
)
def test_a_value_of_the_wrong_type_is_told_in_plain_words(node: tuple[str, dict[str, Any]], sentence: str) -> None:
    report = report_on(flow({"a": node}, "start > a", trigger="SMS_RECEIVED"))
    assert sentence in [issue.message for issue in report.issues]


def test_the_path_of_a_webhook_is_told_with_an_example() -> None:
    document = flow(
        {"a": sms("Hi", "+254711000001")}, "start > a", trigger="HTTP_WEBHOOK", trigger_config={"path": "new orders"}
    )
    assert [issue.message for issue in report_on(document).issues] == [
        'path must be / and then letters, digits, /, _ or -, such as /orders, not "new orders"'
    ]
