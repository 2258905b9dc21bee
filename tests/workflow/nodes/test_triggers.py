"""SMS_RECEIVED and USSD_SESSION_START: which callbacks start a flow."""

from typing import Any

import pytest

from tests.workflow.stage import Findings, Stage
from workflow.nodes.scheduled import Scheduled
from workflow.nodes.sms_received import SmsReceived
from workflow.nodes.ussd_session_start import UssdSessionStart
from workflow.outcome import Done
from workflow.trigger_type import TriggerType

SMS, USSD = SmsReceived(), UssdSessionStart()
MESSAGE = {"msisdn": "+254711000001", "message": "Join now", "shortCode": "22334"}
DIAL = {"sessionId": "s", "msisdn": "+254711000001", "serviceCode": "*384*1#", "networkCode": "63902"}


def narrowness(trigger: TriggerType[Any], document: dict[str, Any], payload: dict[str, Any]) -> int | None:
    return trigger.specificity(trigger.config.model_validate(document), payload)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"shortCode": "22334"},
        {"keyword": "join"},
        {"keyword": "Join", "caseSensitive": True},
        {"regexPattern": "^Join (now|later)$"},
        {"phoneNumber": "+254711*"},
        {"phoneNumber": "*"},
    ],
)
def test_a_message_starts_the_flow_when_its_filters_fit(document: dict[str, Any]) -> None:
    assert narrowness(SMS, document, MESSAGE) is not None


@pytest.mark.parametrize(
    "document",
    [
        {"shortCode": "1"},
        {"keyword": "joi"},
        {"keyword": "join", "caseSensitive": True},
        {"keyword": "now"},
        {"regexPattern": "^now"},
        {"phoneNumber": "+255*"},
        {"shortCode": "22334", "keyword": "stop"},
    ],
)
def test_a_message_does_not_start_the_flow_when_a_filter_does_not_fit(document: dict[str, Any]) -> None:
    assert narrowness(SMS, document, MESSAGE) is None


@pytest.mark.parametrize("message", ["Price.", "price!", '"PRICE" maize', "“Price”, maize", "*price#", " PRICE\nmaize"])
def test_a_keyword_is_found_between_the_marks_that_people_write(message: str) -> None:
    assert narrowness(SMS, {"keyword": "PRICE"}, {**MESSAGE, "message": message}) is not None


@pytest.mark.parametrize("message", ["Prices.", "the price", "...", "", "3.5"])
def test_a_message_that_begins_with_another_word_does_not_start_the_flow(message: str) -> None:
    assert narrowness(SMS, {"keyword": "PRICE"}, {**MESSAGE, "message": message}) is None


def test_a_keyword_with_marks_of_its_own_is_taken_literally_first() -> None:
    message = {**MESSAGE, "message": "#join"}
    literal = narrowness(SMS, {"keyword": "#JOIN"}, message)
    bare = narrowness(SMS, {"keyword": "JOIN", "regexPattern": "(?i)join", "phoneNumber": "*"}, message)
    assert literal is not None
    assert bare is not None
    assert literal > bare > 3, "3 have the other two filters alone"
    assert narrowness(SMS, {"keyword": "#JOIN"}, MESSAGE) is None


def test_narrower_filters_win() -> None:
    filters = [{}, {"phoneNumber": "*"}, {"regexPattern": "J"}, {"keyword": "join"}, {"shortCode": "22334"}]
    found = [narrowness(SMS, document, MESSAGE) for document in filters]
    assert found == [0, 1, 2, 8, 16]


def test_equal_filters_claim_the_same() -> None:
    def claim(document: dict[str, Any]) -> tuple[str, ...]:
        return SMS.claim(SMS.config.model_validate(document))

    assert claim({"keyword": "JOIN"}) == claim({"keyword": "join"})
    assert claim({"keyword": "JOIN"}) != claim({"keyword": "join", "shortCode": "1"})


def test_a_pattern_that_is_none_is_found(findings: Findings) -> None:
    for pattern in ("(", "(\\pL{100}){10}", "\u00e9" * 501):
        assert findings(SMS, {"regexPattern": pattern}) == [("INVALID_NODE_CONFIG", "regexPattern")]


def test_reports_of_incoming_messages_have_no_effect_and_it_is_said(findings: Findings) -> None:
    assert findings(SMS, {"requireDeliveryReport": True}) == [("UNSUPPORTED_BY_PROVIDER", "requireDeliveryReport")]


def test_a_dial_starts_the_flow_of_its_code() -> None:
    assert narrowness(USSD, {}, DIAL) == 0
    assert narrowness(USSD, {"serviceCode": "*384*1#"}, DIAL) == 2
    assert narrowness(USSD, {"serviceCode": "*384*1#", "networkCode": "63902"}, DIAL) == 3
    assert narrowness(USSD, {"serviceCode": "*384*2#"}, DIAL) is None
    assert narrowness(USSD, {"networkCode": "63903"}, DIAL) is None


def test_a_dial_opens_a_session_of_the_configured_length(findings: Findings) -> None:
    assert USSD.session_ttl_seconds(USSD.config.model_validate({"sessionTimeout": 120})) == 120
    assert findings(USSD, {"requireSessionId": False}) == [("UNSUPPORTED_BY_PROVIDER", "requireSessionId")]


@pytest.mark.parametrize("trigger", [SMS, USSD])
async def test_a_trigger_hands_the_payload_on(stage: Stage, trigger: Any) -> None:
    stage.payload = {"msisdn": "+254711000001"}
    assert await stage.run(trigger, {}) == Done(output={"msisdn": "+254711000001"})


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"cronExpression": "every day"}, "cronExpression"),
        ({"cronExpression": "0 0 31 2 *"}, "cronExpression"),
        ({"cronExpression": "0 7 * * *", "timezone": "Nairobi"}, "timezone"),
        ({"cronExpression": "0 7 * * *", "timezone": "../../etc/passwd"}, "timezone"),
        ({"cronExpression": "0 7 * * *", "startDate": "tomorrow"}, "startDate"),
        ({"cronExpression": "0 7 * * *", "startDate": "2027-01-02", "endDate": "2027-01-01"}, "endDate"),
        ({"cronExpression": "0 0 24 12 *", "startDate": "2027-01-02", "endDate": "2027-02-01"}, "cronExpression"),
        ({"cronExpression": "0 0 29 2 *", "startDate": "9997-03-01"}, "cronExpression"),
        ({"cronExpression": "0 7 * * *", "startDate": "9999-12-31T23:59Z", "timezone": "Asia/Tokyo"}, "cronExpression"),
    ],
)
def test_a_schedule_that_never_comes_is_a_fault_with_its_field(
    findings: Findings, document: dict[str, Any], field: str
) -> None:
    assert findings(Scheduled(), document) == [("INVALID_NODE_CONFIG", field)]


@pytest.mark.parametrize("start", ["0001-01-01", "0001-01-01T00:00+03:00", "1969-12-31"])
def test_a_schedule_may_begin_in_any_past_and_end_with_the_calendar(findings: Findings, start: str) -> None:
    ends = {"startDate": start, "endDate": "9999-12-31T23:59:59Z"}
    assert findings(Scheduled(), {"cronExpression": "0 7 * * *", "timezone": "Africa/Nairobi", **ends}) == []


def test_a_schedule_whose_end_has_passed_is_a_warning(findings: Findings) -> None:
    document = {"cronExpression": "0 7 * * *", "endDate": "2020-01-01"}
    assert findings(Scheduled(), document) == [("SCHEDULE_OVER", "endDate")]


def test_a_schedule_knows_its_zone_its_ends_and_its_number() -> None:
    config = {
        "cronExpression": "0 7 * * *",
        "timezone": "Africa/Nairobi",
        "startDate": "2027-01-01",
        "endDate": "2027-12-31T23:59:59Z",
        "maxExecutions": 3,
        "skipMissed": True,
    }
    schedule = Scheduled().schedule(Scheduled.config.model_validate(config))
    assert schedule.first_ms == 1798750800000
    assert schedule.last_ms == 1830297599000
    assert (schedule.most, schedule.skips_missed) == (3, True)


@pytest.mark.parametrize("code", ["384*1", "*384*1", "384*1#"])
def test_a_code_that_nobody_can_dial_is_told_of(findings: Findings, code: str) -> None:
    assert findings(USSD, {"serviceCode": code}) == [("UNSUPPORTED_BY_PROVIDER", "serviceCode")]
    assert findings(USSD, {"serviceCode": "*384*1#"}) == []
