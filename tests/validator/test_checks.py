"""One row a code: a flow that has the fault, the place where it is reported, and a flow like it that has not."""

import re
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from services.validator.validation import Report, validate
from tests.validator.flow_texts import MERGE, READ, ask, bye, condition, flow, screen, sms, switch, write
from workflow.issue_codes import IssueCode
from workflow.parse import parse_flow

PAGE = Path(__file__).parent.parent.parent / "docs" / "validation.md"

Document = dict[str, Any]


class Row(NamedTuple):
    name: str
    code: str
    path: str | None
    faulty: Document
    sound: Document


TWICE = {"maxAttempts": 2, "initialDelayMs": 5}
PAST = {"cronExpression": "0 7 * * *", "endDate": "2020-01-01"}
AHEAD = {"endDate": "9999-12-31"}
AT_NIGHT = {"cronExpression": "0 30 2 * * *", "timezone": "Europe/Berlin"}
GOOD = flow({"a": sms(), "end": bye()}, "start > a", "a > end")


def report_on(document: Document) -> Report:
    return validate(parse_flow(document))


def codes(document: Document) -> set[str]:
    return {issue.code for issue in report_on(document).issues}


def post(body: Any) -> tuple[str, Document]:
    return ("HTTP_REQUEST", {"method": "POST", "url": "https://example.com", "body": body})


def changed(section: str, **values: Any) -> Document:
    return {**GOOD, section: {**GOOD.get(section, {}), **values}}


def without(section: str, key: str) -> Document:
    return {**GOOD, section: {name: value for name, value in GOOD[section].items() if name != key}}


STRUCTURE = [
    Row("no metadata", "MISSING_REQUIRED_FIELD", "metadata", {**GOOD, "metadata": None}, GOOD),
    Row("no trigger", "MISSING_REQUIRED_FIELD", "trigger", {**GOOD, "trigger": None}, GOOD),
    Row("no nodes", "MISSING_REQUIRED_FIELD", "nodes", {key: GOOD[key] for key in GOOD if key != "nodes"}, GOOD),
    Row("no name", "MISSING_REQUIRED_FIELD", "metadata.name", without("metadata", "name"), GOOD),
    Row("empty name", "SCHEMA_VALIDATION_ERROR", "metadata.name", changed("metadata", name=""), GOOD),
    Row(
        "workflow id with a slash",
        "SCHEMA_VALIDATION_ERROR",
        "metadata.workflowId",
        changed("metadata", workflowId="a/b"),
        changed("metadata", workflowId="a.b_c-1"),
    ),
    Row(
        "reserved workflow id",
        "SCHEMA_VALIDATION_ERROR",
        "metadata.workflowId",
        changed("metadata", workflowId="executions"),
        changed("metadata", workflowId="my-executions"),
    ),
    Row(
        "version 0",
        "SCHEMA_VALIDATION_ERROR",
        "metadata.version",
        changed("metadata", version=0),
        changed("metadata", version=7),
    ),
    Row(
        "node id with a space",
        "SCHEMA_VALIDATION_ERROR",
        "nodes[0].id",
        flow({"a b": sms(), "end": bye()}, "start > a b", "a b > end"),
        GOOD,
    ),
    Row(
        "two nodes with one id",
        "DUPLICATE_NODE_ID",
        "nodes[2].id",
        {**GOOD, "nodes": [*GOOD["nodes"], {"id": "a", "type": "SEND_SMS", "config": sms()[1]}]},
        GOOD,
    ),
    Row(
        "the trigger in nodes with another type",
        "DUPLICATE_NODE_ID",
        "nodes[0].id",
        {**GOOD, "nodes": [{"id": "start", "type": "SMS_RECEIVED"}, *GOOD["nodes"]]},
        {**GOOD, "nodes": [GOOD["trigger"], *GOOD["nodes"]]},
    ),
    Row(
        "the trigger in nodes with another config",
        "TRIGGER_DIFFERS",
        "nodes[0].config",
        {**GOOD, "nodes": [{**GOOD["trigger"], "config": {"serviceCode": "*1#"}}, *GOOD["nodes"]]},
        {**GOOD, "nodes": [{**GOOD["trigger"], "label": "Dial", "selected": True}, *GOOD["nodes"]]},
    ),
    Row(
        "the trigger in nodes, disabled there alone",
        "TRIGGER_DIFFERS",
        "nodes[0].disabled",
        {**GOOD, "nodes": [{**GOOD["trigger"], "disabled": True}, *GOOD["nodes"]]},
        {**GOOD, "nodes": [{**GOOD["trigger"], "disabled": False, "timeout": None}, *GOOD["nodes"]]},
    ),
    Row(
        "two edges with one id",
        "SCHEMA_VALIDATION_ERROR",
        "edges[1].id",
        {**GOOD, "edges": [{**edge, "id": "e"} for edge in GOOD["edges"]]},
        GOOD,
    ),
    Row(
        "edge without a target", "MISSING_REQUIRED_FIELD", "edges[0].target", {**GOOD, "edges": [{"source": "a"}]}, GOOD
    ),
    Row(
        "node that is no object", "SCHEMA_VALIDATION_ERROR", "nodes[0]", {**GOOD, "nodes": ["a", *GOOD["nodes"]]}, GOOD
    ),
    Row("unknown section", "UNKNOWN_FIELD", "setings", {**GOOD, "setings": {}}, {**GOOD, "viewport": {"zoom": 1}}),
    Row(
        "unknown key of a node",
        "UNKNOWN_FIELD",
        "nodes[0].timout",
        flow({"a": (*sms(), {"timout": 5}), "end": bye()}, "start > a", "a > end"),
        flow(
            {"a": (*sms(), {"timeout": 5, "measured": {}, "zIndex": 1, "data": {}}), "end": bye()},
            "start > a",
            "a > end",
        ),
    ),
    Row(
        "settings in data, where a canvas keeps its own",
        "UNKNOWN_FIELD",
        "nodes[0].data",
        {**GOOD, "nodes": [{"id": "a", "type": "MERGE", "data": {"strategy": "first"}}, GOOD["nodes"][1]]},
        {**GOOD, "nodes": [{**GOOD["nodes"][0], "data": {"label": "A"}}, GOOD["nodes"][1]]},
    ),
    Row(
        "a required field that is null",
        "MISSING_REQUIRED_FIELD",
        "nodes[0].config.value",
        flow(
            {"a": ("SWITCH", {"value": None, "cases": [{"value": "1", "label": "1"}]}), "end": bye()},
            "start > a",
            "a > end",
        ),
        flow({"a": switch("1"), "end": bye()}, "start > a", "a > end"),
    ),
    Row("no description", "MISSING_DESCRIPTION", "metadata.description", without("metadata", "description"), GOOD),
    Row("blank description", "MISSING_DESCRIPTION", "metadata.description", changed("metadata", description=" "), GOOD),
]

SETTINGS = [
    Row(
        "time zone that does not exist",
        "SCHEMA_VALIDATION_ERROR",
        "settings.timezone",
        changed("settings", timezone="Africa/Nairobbi"),
        changed("settings", timezone="Africa/Nairobi"),
    ),
    Row(
        "country that does not exist",
        "SCHEMA_VALIDATION_ERROR",
        "settings.defaultCountry",
        changed("settings", defaultCountry="XX"),
        changed("settings", defaultCountry="KE"),
    ),
    Row(
        "blank sentence for a person",
        "SCHEMA_VALIDATION_ERROR",
        "settings.ussd.apology",
        changed("settings", ussd={"apology": " "}),
        changed("settings", ussd={"apology": "Pole"}),
    ),
    Row(
        "unknown way of dealing with missing variables",
        "SCHEMA_VALIDATION_ERROR",
        "settings.missingVariable",
        changed("settings", missingVariable="ignore"),
        changed("settings", missingVariable="empty"),
    ),
    Row(
        "rate limit",
        "SCHEMA_VALIDATION_ERROR",
        "settings.rateLimit.maxRequests",
        changed("settings", rateLimit={"maxRequests": 0, "windowMs": 1}),
        changed("settings", maxConcurrentExecutions=5),
    ),
    Row(
        "error webhook that is no address",
        "SCHEMA_VALIDATION_ERROR",
        "errorHandling.errorWebhook",
        changed("errorHandling", errorWebhook="ftp://example.com"),
        changed("errorHandling", errorWebhook="https://example.com/failed"),
    ),
]

NODES = [
    Row(
        "unknown node type",
        "INVALID_NODE_TYPE",
        "nodes[0].type",
        flow({"a": ("SEND_SNS", {}), "end": bye()}, "start > a", "a > end"),
        GOOD,
    ),
    Row("trigger that starts nothing", "INVALID_NODE_TYPE", "trigger.type", flow({}, trigger="SEND_SMS"), GOOD),
    Row(
        "second trigger beside the trigger",
        "INVALID_NODE_TYPE",
        "nodes[1].type",
        {**GOOD, "nodes": [GOOD["trigger"], {"id": "other", "type": "SMS_RECEIVED"}, *GOOD["nodes"]]},
        {**GOOD, "nodes": [GOOD["trigger"], *GOOD["nodes"]]},
    ),
    Row(
        "another trigger in nodes",
        "TRIGGER_NOT_IN_NODES",
        "nodes[0]",
        {**GOOD, "nodes": [{**GOOD["trigger"], "id": "other"}, *GOOD["nodes"]]},
        GOOD,
    ),
    Row(
        "config without what it needs",
        "MISSING_REQUIRED_FIELD",
        "nodes[0].config.to",
        flow({"a": ("SEND_SMS", {"message": "x"}), "end": bye()}, "start > a", "a > end"),
        GOOD,
    ),
    Row(
        "config with a wrong type",
        "INVALID_NODE_CONFIG",
        "nodes[0].config.enqueue",
        flow({"a": sms(enqueue="yes"), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms(enqueue=True), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "config out of range",
        "INVALID_NODE_CONFIG",
        "trigger.config.sessionTimeout",
        flow({"end": bye()}, "start > end", trigger_config={"sessionTimeout": 9}),
        flow({"end": bye()}, "start > end", trigger_config={"sessionTimeout": 10}),
    ),
    Row(
        "config of an entry of a list",
        "INVALID_NODE_CONFIG",
        "nodes[0].config.menuItems[1].option",
        flow(
            {
                "a": ask(menuType="menu", menuItems=[{"option": "1", "text": "A"}, {"option": "", "text": "B"}]),
                "end": bye(),
            },
            "start > a",
            "a > end",
        ),
        flow(
            {
                "a": ask(menuType="menu", menuItems=[{"option": "1", "text": "A"}, {"option": "2", "text": "B"}]),
                "end": bye(),
            },
            "start > a",
            "a > end",
        ),
    ),
    Row(
        "what a type finds in its own config",
        "INVALID_NODE_CONFIG",
        "nodes[1].config.cases[1].value",
        flow({"m": ask(), "s": switch("1", "1"), "end": bye()}, "start > m", "m > s", "s :1 > end", "s > end"),
        flow({"m": ask(), "s": switch("1", "2"), "end": bye()}, "start > m", "m > s", "s :1 > end", "s > end"),
    ),
    Row(
        "case with the name of an outcome",
        "INVALID_NODE_CONFIG",
        "nodes[1].config.cases[0].value",
        flow({"m": ask(), "s": switch("error"), "end": bye()}, "start > m", "m > s", "s > end"),
        flow({"m": ask(), "s": switch("ERROR"), "end": bye()}, "start > m", "m > s", "s > end"),
    ),
    Row(
        "unknown key of a config",
        "UNKNOWN_CONFIG_FIELD",
        "nodes[0].config.mesage",
        flow({"a": sms(mesage="x"), "end": bye()}, "start > a", "a > end"),
        GOOD,
    ),
    Row(
        "unknown key inside of a config",
        "UNKNOWN_CONFIG_FIELD",
        "nodes[0].config.pagination.itemPerPage",
        flow({"a": screen(pagination={"itemPerPage": 3}), "end": bye()}, "start > a", "a > end"),
        flow({"a": screen(pagination={"itemsPerPage": 3}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "config field that has no effect",
        "UNSUPPORTED_BY_PROVIDER",
        "nodes[1].config.redirectUrl",
        flow({"a": sms(), "end": bye(redirectUrl="https://example.com")}, "start > a", "a > end"),
        flow({"end": bye(redirectUrl="https://example.com")}, "start > end", trigger="INCOMING_CALL"),
    ),
    Row(
        "words of a call in a USSD session",
        "INVALID_NODE_CONNECTION",
        "nodes[0]",
        flow({"a": ("PLAY_IVR", {"text": "Hello"}), "end": bye()}, "start > a", "a > end"),
        flow(
            {"call": ("INITIATE_CALL", {"to": "{{msisdn}}"}), "a": ("PLAY_IVR", {"text": "Hello"}), "end": bye()},
            *("start > call", "call :success > a", "a > end"),
        ),
    ),
    Row(
        "a screen in a call",
        "INVALID_NODE_CONNECTION",
        "nodes[0]",
        flow({"a": screen(), "end": bye()}, "start > a", "a > end", trigger="INCOMING_CALL"),
        flow({"a": ("PLAY_IVR", {"text": "Hello"}), "end": bye()}, "start > a", "a > end", trigger="INCOMING_CALL"),
    ),
    Row(
        "keys asked for in two branches at once",
        "INVALID_NODE_CONNECTION",
        "nodes[1]",
        flow(
            {"a": ("COLLECT_DTMF", {}), "b": ("COLLECT_DTMF", {"maxDigits": 1}), "end": bye()},
            *("start > a", "start > b", "a > end", "b > end"),
            trigger="INCOMING_CALL",
        ),
        flow(
            {"a": ("COLLECT_DTMF", {}), "b": ("COLLECT_DTMF", {"maxDigits": 1}), "end": bye()},
            *("start > a", "a > b", "b > end"),
            trigger="INCOMING_CALL",
        ),
    ),
    Row(
        "a ring time-out, which the network sets",
        "UNSUPPORTED_BY_PROVIDER",
        "nodes[0].config.timeout",
        flow({"a": ("INITIATE_CALL", {"to": "{{msisdn}}", "timeout": 20}), "end": bye()}, "start > a", "a > end"),
        flow({"a": ("INITIATE_CALL", {"to": "{{msisdn}}"}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "neither words nor a recording",
        "INVALID_NODE_CONFIG",
        "nodes[0].config.text",
        flow({"a": ("PLAY_IVR", {}), "end": bye()}, "start > a", "a > end", trigger="INCOMING_CALL"),
        flow(
            {"a": ("PLAY_IVR", {"audioUrl": "https://example.com/a.mp3"}), "end": bye()},
            *("start > a", "a > end"),
            trigger="INCOMING_CALL",
        ),
    ),
    Row(
        "address that is none",
        "INVALID_NODE_CONFIG",
        "nodes[0].config.deliveryReportUrl",
        flow({"a": sms(deliveryReportUrl="ftp://x"), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms(deliveryReportUrl="https://x.example/r"), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "template that does not parse",
        "INVALID_TEMPLATE",
        "nodes[0].config.message",
        flow({"a": sms("Hi {{msisdn"), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms("Hi {{msisdn | truncate(3)}}"), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "template in an optional field",
        "INVALID_TEMPLATE",
        "nodes[0].config.from",
        flow({"a": sms(**{"from": "{{msisdn |}}"}), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms(**{"from": "{{serviceCode}}"}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "template inside of data",
        "INVALID_TEMPLATE",
        'nodes[0].config.data["first name"]',
        flow({"a": write(**{"first name": "{{}}"}), "end": bye()}, "start > a", "a > end"),
        flow({"a": write(**{"first name": "{{input}}"}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "expression that does not parse",
        "INVALID_EXPRESSION",
        "nodes[0].config.expression",
        flow({"c": condition("{{input}} =="), "end": bye()}, "start > c", "c > end"),
        flow({"c": condition("{{input}} == '1'"), "end": bye()}, "start > c", "c > end"),
    ),
    Row(
        "condition of an edge that does not parse",
        "INVALID_EXPRESSION",
        "edges[1].condition",
        flow({"a": sms(), "end": bye()}, "start > a", "a ?{{input}} >>> 5 > end"),
        flow({"a": sms(), "end": bye()}, "start > a", "a ?{{input}} > 5 > end"),
    ),
    Row(
        "screen that does not fit",
        "USSD_SCREEN_TOO_LONG",
        "nodes[0].config",
        flow({"a": screen("x" * 161 + "{{session.sessionId}}"), "end": bye()}, "start > a", "a > end"),
        flow({"a": screen("x" * 160 + "{{session.sessionId}}"), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "screen of characters that take two septets",
        "USSD_SCREEN_TOO_LONG",
        "nodes[0].config",
        flow({"a": screen("€" * 81), "end": bye()}, "start > a", "a > end"),
        flow({"a": screen("€" * 80), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "screen beyond the GSM alphabet",
        "USSD_SCREEN_TOO_LONG",
        "nodes[0].config",
        flow({"a": screen("\u1200" * 81), "end": bye()}, "start > a", "a > end"),
        flow({"a": screen("\u1200" * 80), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "longer screens on Airtel",
        "USSD_SCREEN_TOO_LONG",
        "nodes[0].config",
        flow({"a": screen("x" * 185), "end": bye()}, "start > a", "a > end", trigger_config={"networkCode": "63903"}),
        flow({"a": screen("x" * 184), "end": bye()}, "start > a", "a > end", trigger_config={"networkCode": "63903"}),
    ),
    Row(
        "long list that is cut into screens",
        "USSD_SCREEN_TOO_LONG",
        "nodes[0].config",
        flow({"a": ask("\\n".join(["x" * 40] * 10)), "end": bye()}, "start > a", "a > end"),
        flow(
            {"a": ask("\\n".join(["x" * 40] * 10), pagination={"enabled": True, "itemsPerPage": 3}), "end": bye()},
            "start > a",
            "a > end",
        ),
    ),
    Row(
        "screen that the phone number makes too long",
        "USSD_SCREEN_TOO_LONG",
        "nodes[0].config",
        flow({"a": ask("x" * 150 + "{{msisdn}}"), "end": bye()}, "start > a", "a > end"),
        flow({"a": ask("x" * 150 + "{{input}}"), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "number that is none",
        "INVALID_PHONE_NUMBER",
        "nodes[0].config.to",
        flow({"a": sms(to="+254711000001, 0711000002"), "end": bye()}, "start > a", "a > end"),
        flow(
            {"a": sms(to="+254711000001, 0711000002,{{msisdn}}"), "end": bye()},
            "start > a",
            "a > end",
            settings={"defaultCountry": "KE"},
        ),
    ),
    Row(
        "number in a list that is none",
        "INVALID_PHONE_NUMBER",
        "nodes[0].config.to[1]",
        flow({"a": sms(to=["{{msisdn}}", "+2547"]), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms(to=["{{msisdn}}", "+254711000001"]), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "menu that offers what nothing follows",
        "MENU_OPTION_WITHOUT_CASE",
        "nodes[0].config",
        flow(
            {"m": ask("Shop\\n1. Maize\\n2. Beans\\n3. Rice"), "c": switch("1"), "end": bye()},
            "start > m",
            "m > c",
            "c :1 > end",
            "c :default > m",
        ),
        flow(
            {"m": ask("Shop\\n1. Maize\\n2. Beans\\n0. Exit"), "c": switch("1", "2"), "end": bye()},
            "start > m",
            "m > c",
            "c :1 > end",
            "c :2 > end",
            "c :default > end",
        ),
    ),
    Row(
        "case that no menu offers",
        "CASE_WITHOUT_MENU_OPTION",
        "nodes[1].config",
        flow(
            {
                "m": ask("Shop", menuType="menu", menuItems=[{"option": "1", "text": "Maize"}]),
                "c": switch("1", "2"),
                "end": bye(),
            },
            "start > m",
            "m > c",
            "c :1 > end",
            "c :2 > end",
            "c :default > m",
        ),
        flow(
            {"m": ask("How many?"), "c": switch("1", "2"), "end": bye()},
            "start > m",
            "m > c",
            "c :1 > end",
            "c :2 > end",
            "c :default > m",
        ),
    ),
    Row(
        "text that takes two messages",
        "SMS_MULTI_SEGMENT",
        "nodes[0].config.message",
        flow({"a": sms("x" * 161 + "{{msisdn}}"), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms("x" * 160), "end": bye()}, "start > a", "a > end"),
    ),
]

EDGES = [
    Row("edge from nowhere", "INVALID_EDGE_SOURCE", "edges[0].source", flow({"end": bye()}, "strat > end"), GOOD),
    Row("edge to nowhere", "INVALID_EDGE_TARGET", "edges[1].target", flow({"a": sms()}, "start > a", "a > edn"), GOOD),
    Row(
        "handle that is not there",
        "INVALID_EDGE_HANDLE",
        "edges[1].sourceHandle",
        flow({"c": condition(), "end": bye()}, "start > c", "c :yes > end"),
        flow({"c": condition(), "end": bye()}, "start > c", "c :true > end", "c :error > end", "c :timeout > end"),
    ),
    Row(
        "condition that names no outcome",
        "INVALID_EDGE_HANDLE",
        "edges[2].condition",
        flow({"m": ask(), "s": switch("1"), "end": bye()}, "start > m", "m > s", "s ?2 > end", "s > end"),
        flow({"m": ask(), "s": switch("1"), "end": bye()}, "start > m", "m > s", "s ?1 > end", "s ?default > end"),
    ),
    Row(
        "condition_met of a node that has no true",
        "INVALID_EDGE_HANDLE",
        "edges[1].condition",
        flow({"a": sms(), "end": bye()}, "start > a", "a ?condition_met > end"),
        flow({"c": condition(), "end": bye()}, "start > c", "c ?condition_met > end", "c ?false > end"),
    ),
    Row(
        "bare expression",
        "INVALID_EDGE_HANDLE",
        "edges[1].condition",
        flow({"a": sms(), "end": bye()}, "start > a", "a ?input == 1 > end"),
        flow({"a": sms(), "end": bye()}, "start > a", "a ?{{input}} == 1 > end"),
    ),
    Row(
        "handle and condition that differ",
        "INVALID_EDGE_HANDLE",
        "edges[1].condition",
        flow({"c": condition(), "end": bye()}, "start > c", "c :true ?false > end"),
        flow({"c": condition(), "end": bye()}, "start > c", "c :true ?condition_met > end"),
    ),
    Row(
        "way on from the end",
        "INVALID_EDGE_HANDLE",
        "edges[1].source",
        flow({"end": bye(), "a": sms()}, "start > end", "end > a"),
        flow({"end": bye(), "a": sms()}, "start > end", "end :error > a"),
    ),
    Row(
        "target handle that is not there",
        "INVALID_EDGE_HANDLE",
        "edges[1].targetHandle",
        {**GOOD, "edges": [{"source": "start", "target": "a"}, {"source": "a", "target": "end", "targetHandle": "in"}]},
        {
            **GOOD,
            "edges": [{"source": "start", "target": "a"}, {"source": "a", "target": "end", "targetHandle": "default"}],
        },
    ),
    Row(
        "target handle of a MERGE",
        "INVALID_EDGE_HANDLE",
        "edges[2].targetHandle",
        {
            **flow({"a": sms(), "j": MERGE, "end": bye()}, "start > a", "j > end"),
            "edges": [
                *flow({}, "start > a", "j > end")["edges"],
                {"source": "a", "target": "j", "targetHandle": "left"},
            ],
        },
        {
            **flow({"a": sms(), "j": MERGE, "end": bye()}, "start > a", "j > end"),
            "edges": [
                *flow({}, "start > a", "j > end")["edges"],
                {"source": "a", "target": "j", "targetHandle": "input7"},
            ],
        },
    ),
    Row(
        "edge into the trigger",
        "TRIGGER_HAS_INCOMING_EDGES",
        "edges[1].target",
        flow({"m": ask(), "end": bye()}, "start > m", "m > start", "m :error > end"),
        flow({"m": ask(), "end": bye()}, "start > m", "m > m", "m :error > end"),
    ),
]

SHAPE = [
    Row(
        "node that nothing leads to",
        "UNREACHABLE_NODE",
        "nodes[1]",
        flow({"end": bye(), "a": sms()}, "start > end"),
        flow({"a": sms(), "end": bye()}, "start > a", "start > end"),
    ),
    Row(
        "cycle that waits for nobody",
        "CYCLE_DETECTED",
        "nodes[0]",
        flow({"j": MERGE, "a": sms(), "end": bye()}, "start > j", "j > a", "a > j", "a :error > end"),
        flow({"m": ask(), "s": switch("0"), "end": bye()}, "start > m", "m > s", "s :0 > m", "s > end"),
    ),
    Row(
        "node that leads to itself",
        "CYCLE_DETECTED",
        "nodes[0]",
        flow({"a": sms(), "end": bye()}, "start > a", "a > a", "a :error > end"),
        flow({"a": ask(), "end": bye()}, "start > a", "a > a", "a :error > end"),
    ),
    Row(
        "cycle past a screen that is disabled",
        "CYCLE_DETECTED",
        "nodes[0]",
        flow(
            {"m": (*ask(), {"disabled": True}), "a": sms(), "end": bye()},
            "start > m",
            "m > a",
            "a > m",
            "a :error > end",
        ),
        flow({"m": ask(), "a": sms(), "end": bye()}, "start > m", "m > a", "a > m", "a :error > end"),
    ),
    Row(
        "USSD flow that never ends its session",
        "USSD_MISSING_SESSION_END",
        "trigger",
        flow({"m": screen()}, "start > m"),
        flow({"m": screen(autoEndSession=True)}, "start > m"),
    ),
    Row(
        "session end that cannot be reached",
        "USSD_MISSING_SESSION_END",
        "trigger",
        flow({"m": screen(), "end": bye()}, "start > m"),
        flow({"m": screen()}, "start > m", trigger="SMS_RECEIVED"),
    ),
    Row(
        "two screens side by side",
        "INVALID_NODE_CONNECTION",
        "nodes[1]",
        flow({"a": screen("A"), "b": screen("B"), "end": bye()}, "start > a", "start > b", "a > end", "b > end"),
        flow({"a": screen("A"), "b": screen("B"), "end": bye()}, "start > a", "start > b", "a > b", "b > end"),
    ),
    Row(
        "screen beside what follows an SMS",
        "INVALID_NODE_CONNECTION",
        "nodes[1]",
        flow({"x": sms(), "a": ask(), "end": bye()}, "start > x", "start > a", "x > end"),
        flow({"x": sms(), "a": ask(), "end": bye()}, "start > x", "start > a", "x > end", "a > end"),
    ),
    Row(
        "question beside a silent end",
        "INVALID_NODE_CONNECTION",
        "nodes[1]",
        flow({"a": ask(), "end": bye(None)}, "start > a", "start > end"),
        flow({"a": ask(), "end": bye(None)}, "start > a", "a > end"),
    ),
    Row(
        "conditional screen beside one that always comes",
        "INVALID_NODE_CONNECTION",
        "nodes[2]",
        flow({"m": ask(), "a": bye("A"), "b": bye("B")}, "start > m", "m ?{{input}} == '1' > a", "m > b"),
        flow(
            {"m": ask(), "a": bye("A"), "b": bye("B")},
            "start > m",
            "m ?{{input}} == '1' > a",
            "m ?{{input}} == '2' > b",
        ),
    ),
    Row(
        "screens behind a MERGE that takes the first",
        "INVALID_NODE_CONNECTION",
        "nodes[2]",
        flow(
            {"a": screen("A"), "j": ("MERGE", {"strategy": "first"}), "b": bye("B"), "x": sms()},
            "start > a",
            "start > x",
            "a > j",
            "x > j",
            "j > b",
        ),
        flow(
            {"a": screen("A"), "j": MERGE, "b": bye("B"), "x": sms()},
            "start > a",
            "start > x",
            "a > j",
            "x > j",
            "j > b",
        ),
    ),
    Row(
        "decision that nothing follows",
        "DEAD_END_NODE",
        "nodes[0]",
        flow({"c": condition("{{message}} == 'x'")}, "start > c", trigger="SMS_RECEIVED"),
        flow({"c": condition("{{message}} == 'x'"), "a": sms()}, "start > c", "c :true > a", trigger="SMS_RECEIVED"),
    ),
    Row(
        "screen that nothing follows",
        "DEAD_END_NODE",
        "nodes[0]",
        flow({"a": ask(), "b": bye()}, "start ?{{text}} == '' > a", "start ?{{text}} != '' > b"),
        flow({"a": ask(), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "answer that leads nowhere",
        "DEAD_END_NODE",
        "nodes[1]",
        flow({"m": ask(), "s": switch("1", "2"), "end": bye()}, "start > m", "m > s", "s :1 > end"),
        flow(
            {"m": ask(), "s": switch("1", "2"), "end": bye()},
            "start > m",
            "m > s",
            "s :1 > end",
            "s :2 > end",
            "s > end",
        ),
    ),
]

TWO_WRITERS = {"c": condition(), "x": write(city="x"), "y": write(city="y"), "end": bye("{{session.data.city}}")}
KEEPING = {"w": ("SESSION_WRITE", {"data": {"k": 1}, "scope": "global"})}

VARIABLES = [
    Row(
        "name that no payload has",
        "UNKNOWN_VARIABLE",
        "nodes[0].config.message",
        flow({"a": sms("{{nme}}"), "end": bye()}, "start > a", "a > end"),
        flow({"a": sms("{{nme | default('friend')}}"), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "name that no payload has, in an expression",
        "UNKNOWN_VARIABLE",
        "nodes[0].config.expression",
        flow({"c": condition("inptu == '1'"), "end": bye()}, "start > c", "c > end"),
        flow({"c": condition("input == '1'"), "end": bye()}, "start > c", "c > end"),
    ),
    Row(
        "name that no payload has, on an edge",
        "UNKNOWN_VARIABLE",
        "edges[1].condition",
        flow({"a": sms(), "end": bye()}, "start > a", "a ?{{inptu}} == '1' > end"),
        flow({"a": sms(), "end": bye()}, "start > a", "a ?{{input}} == '1' > end"),
    ),
    Row(
        "key below a reserved name",
        "UNKNOWN_VARIABLE",
        "nodes[0].config.message",
        flow({"a": sms("{{session.dta.name}}"), "end": bye()}, "start > a", "a > end"),
        flow(
            {"a": sms("{{session.msisdn}} {{workflow.name}} {{execution.id}} {{triggerPayload.x.y}}"), "end": bye()},
            "start > a",
            "a > end",
        ),
    ),
    Row(
        "node that does not exist",
        "UNKNOWN_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{{node_b.output.status}}")}, "start > a", "a :success > end"),
        flow({"a": sms(), "end": bye("{{node_a.output.status}}")}, "start > a", "a :success > end"),
    ),
    Row(
        "node that comes later",
        "UNKNOWN_VARIABLE",
        "nodes[0].config.message",
        flow({"a": sms("{{node_b.output.status}}"), "b": sms(), "end": bye()}, "start > a", "a > b", "b > end"),
        flow({"a": sms("{{node_start.output.msisdn}}"), "b": sms(), "end": bye()}, "start > a", "a > b", "b > end"),
    ),
    Row(
        "node on the other branch",
        "UNKNOWN_VARIABLE",
        "nodes[2].config.message",
        flow(
            {"c": condition(), "a": sms(), "b": bye("{{node_a.output.cost}}")},
            "start > c",
            "c :true > a",
            "c :false > b",
        ),
        flow(
            {"c": condition(), "a": sms(), "b": bye("{{node_c.output.result}}")},
            "start > c",
            "c :true > a",
            "c :false > b",
        ),
    ),
    Row(
        "field that the output does not have",
        "UNKNOWN_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{{node_a.output.state}}")}, "start > a", "a > end"),
        flow({"a": READ, "end": bye("{{node_a.output.anything}}")}, "start > a", "a > end"),
    ),
    Row(
        "node without its output",
        "UNKNOWN_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{{node_a.status}}")}, "start > a", "a > end"),
        flow({"a": sms(), "end": bye("{{node_a.output}}")}, "start > a", "a > end"),
    ),
    Row(
        "node that is disabled",
        "UNKNOWN_VARIABLE",
        "nodes[1].config.message",
        flow({"a": (*sms(), {"disabled": True}), "end": bye("{{node_a.output.cost}}")}, "start > a", "a > end"),
        flow({"a": sms(), "end": bye("{{node_a.output.cost}}")}, "start > a", "a > end"),
    ),
    Row(
        "optional key of the payload",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[0].config.message",
        flow({"a": sms("{{linkId}}")}, "start > a", trigger="SMS_RECEIVED"),
        flow({"a": sms("{{message}}")}, "start > a", trigger="SMS_RECEIVED"),
    ),
    Row(
        "node on one of two ways",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[2].config.message",
        flow(
            {"c": condition(), "a": sms(), "end": bye("{{node_a.output.cost}}")},
            "start > c",
            "c :true > a",
            "c :false > end",
            "a > end",
        ),
        flow(
            {"c": condition(), "a": sms(), "end": bye("{{node_a.output.cost}}")}, "start > c", "c :true > a", "a > end"
        ),
    ),
    Row(
        "node that failed on one way",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{{node_a.output.cost}}")}, "start > a", "a > end", "a :error > end"),
        flow(
            {"x": sms(), "y": sms(), "end": bye("{{node_x.output.cost}} {{node_y.output.cost}}")},
            "start > x",
            "start > y",
            "x > end",
            "y > end",
        ),
    ),
    Row(
        "error behind a success",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{{node_a.error.code}}")}, "start > a", "a > end"),
        flow({"a": sms(), "end": bye("{{node_a.error.code}}")}, "start > a", "a :error > end"),
    ),
    Row(
        "error of what has not run",
        "UNKNOWN_VARIABLE",
        "nodes[0].config.message",
        flow({"a": sms("{{node_b.error.code}}"), "b": sms(), "end": bye()}, "start > a", "a > b", "b > end"),
        flow(
            {"a": sms(), "b": sms("{{node_a.error.details.any}}"), "end": bye()}, "start > a", "a :error > b", "b > end"
        ),
    ),
    Row(
        "unknown part of an error",
        "UNKNOWN_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{{node_a.error.cod}}")}, "start > a", "a :error > end"),
        flow({"a": sms(), "end": bye("{{node_a.error}}")}, "start > a", "a :error > end"),
    ),
    Row(
        "node whose failure is passed over",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[1].config.message",
        flow(
            {"a": sms(), "end": bye("{{node_a.output.cost}}")},
            "start > a",
            "a > end",
            errorHandling={"continueOnError": True},
        ),
        flow(
            {"a": sms(), "end": bye("{{node_a.output.cost}}")},
            "start > a",
            "a :success > end",
            errorHandling={"continueOnError": True},
        ),
    ),
    Row(
        "node that runs beside",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[1].config.message",
        flow({"a": sms(), "b": bye("{{node_a.output.cost}}")}, "start > a", "start > b"),
        flow({"a": sms(), "b": bye("{{node_a.output.cost}}")}, "start > a", "start > b", "a > b"),
    ),
    Row(
        "stored value that nobody wrote",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[1].config.message",
        flow({"w": write(city="x"), "end": bye("{{session.data.name}}")}, "start > w", "w > end"),
        flow({"w": write(name={"first": "x"}), "end": bye("{{session.data.name.first}}")}, "start > w", "w > end"),
    ),
    Row(
        "stored value of another scope",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[1].config.message",
        flow({"w": ("SESSION_WRITE", {"data": {"k": 1}}), "end": bye("{{global.data.k}}")}, "start > w", "w > end"),
        flow(
            {"w": ("SESSION_WRITE", {"data": {"k": 1}, "scope": "global"}), "end": bye("{{global.data.k}}")},
            "start > w",
            "w > end",
        ),
    ),
    Row(
        "stored value that one of two ways does not write",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[3].config.message",
        flow(TWO_WRITERS, "start > c", "c :true > x", "c :false > y", "x > end", "y > end", "c > end"),
        flow(TWO_WRITERS, "start > c", "c :true > x", "c :false > y", "x > end", "y > end"),
    ),
    Row(
        "wait for the SMS of a phone that nobody names",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[0]",
        flow({"w": ("WAIT_FOR_SMS", {})}, "start > w", trigger="HTTP_WEBHOOK", trigger_config={"path": "/x"}),
        flow({"w": ("WAIT_FOR_SMS", {})}, "start > w", trigger="SMS_RECEIVED"),
    ),
    Row(
        "value that is kept for a phone that nobody names",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[0]",
        flow(KEEPING, "start > w", trigger="HTTP_WEBHOOK", trigger_config={"path": "/x"}),
        flow({"w": write(k=1)}, "start > w", trigger="HTTP_WEBHOOK", trigger_config={"path": "/x"}),
    ),
    Row(
        "placeholder where none is filled in",
        "PLACEHOLDER_NOT_FILLED",
        "nodes[0].config.cases[1].value",
        flow({"s": switch("1", "{{msisdn}}"), "end": bye()}, "start > s", "s :1 > end", "s > end"),
        flow({"s": switch("1", "2", value="{{msisdn}}"), "end": bye()}, "start > s", "s :1 > end", "s > end"),
    ),
    Row(
        "known name in single braces",
        "PLACEHOLDER_NOT_FILLED",
        "nodes[0].config.message",
        flow({"end": bye("Hello ${msisdn}")}, "start > end"),
        flow({"end": bye("Hello {friend} {session} { msisdn }, {{msisdn}}")}, "start > end"),
    ),
    Row(
        "known node in single braces",
        "PLACEHOLDER_NOT_FILLED",
        "nodes[1].config.message",
        flow({"a": sms(), "end": bye("{node_a.output.cost}")}, "start > a", "a > end"),
        flow({"a": sms(), "end": bye("{node_b.output.cost}")}, "start > a", "a > end"),
    ),
    Row(
        "format of a time that names no part of it",
        "INVALID_TEMPLATE",
        "nodes[0].config.message",
        flow({"end": bye('{{timestamp | date("DD/MM/YYYY")}}')}, "start > end"),
        flow({"end": bye('{{timestamp | date("%d/%m/%Y")}}')}, "start > end"),
    ),
    Row(
        "missing variables that are welcome",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[0].config.message",
        flow({"end": bye("{{session.data.name}}")}, "start > end"),
        flow({"end": bye("{{session.data.name}}")}, "start > end", settings={"missingVariable": "empty"}),
    ),
    Row(
        "stored value, in an expression that may ask for null",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[0].config.message",
        flow({"end": bye("{{session.data.name}}")}, "start > end"),
        flow({"c": condition("{{session.data.name}} == null"), "end": bye()}, "start > c", "c > end"),
    ),
    Row(
        "answer in a flow whose trigger has none",
        "UNKNOWN_VARIABLE",
        "nodes[0].config.message",
        flow({"a": sms("{{input}}"), "m": ask()}, "start > a", "a > m", trigger="SMS_RECEIVED"),
        flow({"a": sms("{{input}}"), "m": ask()}, "start > m", "m > a", trigger="SMS_RECEIVED"),
    ),
    Row(
        "answer that was asked for on one way",
        "MAYBE_UNBOUND_VARIABLE",
        "nodes[0].config.message",
        flow(
            {"a": sms("{{input}}"), "m": ask(), "c": condition("{{message}} == 'x'")},
            "start > c",
            "c :true > m",
            "c :false > a",
            "m > a",
            trigger="SMS_RECEIVED",
        ),
        flow(
            {"a": sms("{{input}}"), "m": ask(), "c": condition("{{message}} == 'x'")},
            "start > m",
            "m > c",
            "c :true > a",
            trigger="SMS_RECEIVED",
        ),
    ),
]

OF_TYPES = [
    Row(
        "a menu that waits for nobody",
        "SCREEN_WITHOUT_INPUT",
        "nodes[0].config.expectInput",
        flow({"a": screen(menuType="input"), "end": bye()}, "start > a", "a > end"),
        flow({"a": ask(menuType="input"), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "a menu that does not wait for the answer that the flow decides by",
        "SCREEN_WITHOUT_INPUT",
        "nodes[0].config.expectInput",
        flow({"m": screen("1. A\n2. B"), "s": switch("1", "2"), "end": bye()}, "start > m", "m > s", "s > end"),
        flow(
            {"q": ask("1. A\n2. B"), "m": screen("You chose:"), "s": switch("1", "2"), "end": bye()},
            "start > q",
            "q > m",
            "m > s",
            "s > end",
        ),
    ),
    Row(
        "an amount of any currency",
        "AMOUNT_WITHOUT_CURRENCY",
        "trigger.config.maxAmount",
        flow({"end": bye()}, "start > end", trigger="PAYMENT_CALLBACK", trigger_config={"maxAmount": 5}),
        flow(
            {"end": bye()},
            "start > end",
            trigger="PAYMENT_CALLBACK",
            trigger_config={"maxAmount": 5, "currency": "KES"},
        ),
    ),
    Row(
        "a schedule that has ended",
        "SCHEDULE_OVER",
        "trigger.config.endDate",
        flow({"a": sms(to="+254711000001")}, "start > a", trigger="SCHEDULED", trigger_config=PAST),
        flow({"a": sms(to="+254711000001")}, "start > a", trigger="SCHEDULED", trigger_config=PAST | AHEAD),
    ),
    Row(
        "a time that a change of the clock skips or repeats",
        "SCHEDULE_CLOCK_CHANGE",
        "trigger.config.cronExpression",
        flow({"a": sms(to="+254711000001")}, "start > a", trigger="SCHEDULED", trigger_config=AT_NIGHT),
        flow(
            {"a": sms(to="+254711000001")},
            "start > a",
            trigger="SCHEDULED",
            trigger_config=AT_NIGHT | {"cronExpression": "30 2 * * *"},
        ),
    ),
    Row(
        "a text of JSON that a value could break",
        "UNSAFE_JSON_BODY",
        "nodes[0].config.body",
        flow({"a": post('{"name": "{{msisdn}}"}'), "end": bye()}, "start > a", "a > end"),
        flow({"a": post({"name": "{{msisdn}}"}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "attempts of what fails the same way each time",
        "UNSUPPORTED_SETTING",
        "nodes[0].retry",
        flow({"a": (*condition(), {"retry": TWICE}), "end": bye()}, "start > a", "a > end"),
        flow({"a": (*sms(), {"retry": TWICE}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "time-out of what takes no time",
        "UNSUPPORTED_SETTING",
        "nodes[0].timeout",
        flow({"a": (*condition(), {"timeout": 5}), "end": bye()}, "start > a", "a > end"),
        flow(
            {"a": (*condition(), {"timeout": 1000}), "r": ("RETRY", {}, {"timeout": 5}), "end": bye()},
            *("start > a", "a > r", "r > end"),
        ),
    ),
    Row(
        "attempts of a trigger",
        "UNSUPPORTED_SETTING",
        "trigger.retry",
        changed("trigger", retry=TWICE),
        changed("trigger", timeout=1000, disabled=False),
    ),
    Row(
        "trigger that is disabled",
        "UNSUPPORTED_SETTING",
        "trigger.disabled",
        changed("trigger", disabled=True),
        flow({"a": (*sms(), {"disabled": True}), "end": bye()}, "start > a", "a > end"),
    ),
    Row(
        "more faults than anybody reads",
        "MORE_ISSUES",
        None,
        {**GOOD, "edges": [{}] * 300},
        {**GOOD, "edges": [*GOOD["edges"], *[{}] * 100]},
    ),
]

TABLE = [*STRUCTURE, *SETTINGS, *NODES, *EDGES, *SHAPE, *VARIABLES, *OF_TYPES]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_fault_is_reported_at_its_place(row: Row) -> None:
    found = [issue for issue in report_on(row.faulty).issues if issue.code == row.code]
    assert row.path in [issue.path for issue in found]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_flow_without_the_fault_is_not_accused_of_it(row: Row) -> None:
    assert row.code not in codes(row.sound)


def test_edges_of_a_sound_flow_are_not_accused_for_what_a_config_lacks() -> None:
    of_edges = {"INVALID_EDGE_HANDLE", "INVALID_NODE_CONNECTION", "UNREACHABLE_NODE", "CYCLE_DETECTED"}
    for row in TABLE:
        accused = codes(row.sound) & of_edges
        for place, node in enumerate(row.sound.get("nodes") or ()):
            nodes = [*row.sound["nodes"][:place], {**node, "config": {}}, *row.sound["nodes"][place + 1 :]]
            assert codes({**row.sound, "nodes": nodes}) & of_edges <= accused, (row.name, node)


def test_a_fault_of_a_node_or_an_edge_names_it() -> None:
    found = [(row, issue) for row in TABLE for issue in report_on(row.faulty).issues]
    for row, issue in found:
        place = re.fullmatch(r"(nodes|edges)\[(\d+)].*", issue.path or "")
        drawn = row.faulty[place[1]][int(place[2])] if place is not None else None
        assert issue.path or issue.code == "MORE_ISSUES", (row.name, issue)
        if isinstance(drawn, dict) and (drawn.get("id") or "edges" in (issue.path or "")):
            named = [name for name in (issue.node_id, issue.edge_id) if name]
            assert named, (row.name, issue)
            assert drawn.get("id") in (None, *named), (row.name, issue)


def test_every_code_has_a_row() -> None:
    assert {row.code for row in TABLE} == set(get_args(IssueCode))


def test_the_page_of_codes_has_each_with_what_it_keeps_from_running() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (error|warning) \|", PAGE.read_text(), re.MULTILINE))
    given = {
        row.code: "warning" if issue.is_warning else "error"
        for row in TABLE
        for issue in report_on(row.faulty).issues
        if issue.code == row.code
    }

    assert told == given


def test_a_refused_value_with_a_placeholder_says_that_none_is_filled_in() -> None:
    prompt = {"w": ("PLAY_IVR", {"audioUrl": "{{session.data.menu}}"}), "end": bye()}

    issues = report_on(flow(prompt, "start > w", "w > end", trigger="INCOMING_CALL")).issues

    [refused] = [issue for issue in issues if issue.path == "nodes[0].config.audioUrl"]
    assert refused.code == "INVALID_NODE_CONFIG"
    assert refused.message.endswith("; placeholders are not filled in here")


def test_an_open_case_is_told_that_default_is_not_its_way() -> None:
    nodes = {"m": ask(), "s": switch("1", "2"), "end": bye()}

    issues = report_on(flow(nodes, "start > m", "m > s", "s :1 > end", "s :default > end")).issues

    [told] = [issue.message for issue in issues if issue.code == "DEAD_END_NODE"]
    assert told.startswith('s leads nowhere by "2"')
    assert told.endswith("the edge from default is for values that no case has")
