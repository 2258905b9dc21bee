"""For each type of node and each handle that it leaves by: a flow that takes it, or the test that does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.flows import Document, ask, bye, node, sms


@dataclass(frozen=True, kw_only=True)
class Row:
    """
    A flow that leaves a node by a handle, and what ran of it.

    Attributes:
        way: What starts it: execute, dial or call.
        nodes: What stands behind the trigger; `tried` is the node in question.
        ran: Ids of what was not skipped, without the trigger, in the order in which they ended.
        keys: What the caller presses, or the person types.
        fault: What Africa's Talking answers first.
        output: What stands in the last output of the node in question, among other things.
    """

    way: str = "execute"
    nodes: tuple[Document, ...]
    edges: tuple[str, ...]
    ran: tuple[str, ...]
    keys: str = ""
    fault: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)


def passes(node_id: str) -> Document:
    """A node that succeeds and says nothing."""
    return node(node_id, "CONDITION", {"expression": "1 == 1"})


def merge(strategy: str, output: Mapping[str, Any]) -> Row:
    branches = (
        node("one", "CONDITION", {"expression": "1 == 1"}),
        node("two", "SWITCH", {"value": "a", "cases": [{"value": "b", "label": "b"}]}),
    )
    return Row(
        nodes=(*branches, node("tried", "MERGE", {"strategy": strategy}), passes("then")),
        edges=("start>one", "start>two", "one>tried:input1", "two>tried:input2", "tried>then"),
        ran=("one", "two", "tried", "then"),
        output=output,
    )


ONCE = {"maxAttempts": 1, "initialDelayMs": 0}
BRANCH = (
    node("tried", "RETRY", {"maxAttempts": 2, "initialDelayMs": 1}),
    sms("send", retry=ONCE),
    passes("gave-up"),
)
BRANCH_EDGES = ("start>tried", "tried:success>send", "tried:max_retries>gave-up")
HOLE = "{{triggerPayload.none}}"

ROWS: Mapping[tuple[str, str], Row] = {
    ("RETRY", "success"): Row(
        nodes=BRANCH,
        edges=BRANCH_EDGES,
        ran=("tried", "send", "tried", "send"),
        fault={"product": "sms", "kind": "http_status", "status": 500, "times": 1},
        output={"attempt": 2},
    ),
    ("RETRY", "max_retries"): Row(
        nodes=BRANCH,
        edges=BRANCH_EDGES,
        ran=("tried", "send", "tried", "send", "tried", "gave-up"),
        fault={"product": "sms", "kind": "http_status", "status": 500, "times": 2},
        output={"attempt": 2},
    ),
    ("RATE_LIMIT", "default"): Row(
        nodes=(
            node("tried", "RATE_LIMIT", {"maxRequests": 1, "windowMs": 100, "key": "{{msisdn}}"}),
            node("again", "RATE_LIMIT", {"maxRequests": 1, "windowMs": 100, "key": "{{msisdn}}"}),
        ),
        edges=("start>tried", "tried>again"),
        ran=("tried", "again"),
        output={"waitedMs": 0},
    ),
    ("MERGE", "default first"): Row(
        nodes=(
            passes("one"),
            node("two", "DELAY", {"duration": 50}),
            node("tried", "MERGE", {"strategy": "first"}),
        ),
        edges=("start>one", "start>two", "one>tried:input1", "two>tried:input2"),
        ran=("one", "tried", "two"),
        output={"result": True},
    ),
    ("MERGE", "default last"): merge("last", {"value": "a"}),
    ("MERGE", "default all"): merge("all", {"items": [{"result": True}, {"value": "a", "matched": None}]}),
    ("MERGE", "default merge"): merge("merge", {"result": True, "value": "a"}),
    ("SEND_USSD_RESPONSE", "error"): Row(
        way="dial",
        nodes=(ask("tried", f"Hello {HOLE}"), bye("sorry", "Sorry")),
        edges=("start>tried", "tried:success>sorry", "tried:error>sorry"),
        ran=("tried", "sorry"),
    ),
    ("SEND_USSD_RESPONSE", "success"): Row(
        way="dial",
        nodes=(ask("tried", "Hello"), bye("thanks", "Thanks")),
        edges=("start>tried", "tried:success>thanks"),
        ran=("tried", "thanks"),
        keys="1",
        output={"input": "1"},
    ),
    ("PLAY_IVR", "error"): Row(
        way="call",
        nodes=(
            node("tried", "PLAY_IVR", {"text": f"Hello {HOLE}"}),
            node("sorry", "PLAY_IVR", {"text": "Sorry"}),
            node("end", "SESSION_END", {}),
        ),
        edges=("start>tried", "tried:error>sorry", "tried:success>end", "sorry>end"),
        ran=("tried", "sorry", "end"),
    ),
    ("COLLECT_DTMF", "error"): Row(
        way="call",
        nodes=(
            node("tried", "COLLECT_DTMF", {"maxDigits": 1, "validKeys": "1", "retryOnInvalid": False, "timeout": 60}),
            node("sorry", "PLAY_IVR", {"text": "Sorry"}),
            node("end", "SESSION_END", {}),
        ),
        edges=("start>tried", "tried:error>sorry", "tried:success>end", "tried:timeout>end", "sorry>end"),
        ran=("tried", "sorry", "end"),
        keys="9",
    ),
    ("INITIATE_CALL", "error"): Row(
        nodes=(node("tried", "INITIATE_CALL", {"to": "12{{triggerPayload.tail}}"}), passes("then")),
        edges=("start>tried", "tried:error>then"),
        ran=("tried", "then"),
    ),
    ("REQUEST_PAYMENT", "error"): Row(
        nodes=(
            node(
                "tried",
                "REQUEST_PAYMENT",
                {
                    "transactionType": "checkout",
                    "amount": "{{triggerPayload.tail}}",
                    "phoneNumber": "{{msisdn}}",
                    "productName": "shop",
                },
            ),
            passes("then"),
        ),
        edges=("start>tried", "tried:error>then"),
        ran=("tried", "then"),
    ),
    ("REFUND_PAYMENT", "error"): Row(
        nodes=(node("tried", "REFUND_PAYMENT", {"transactionId": "ATPid_none"}), passes("then")),
        edges=("start>tried", "tried:error>then"),
        ran=("tried", "then"),
    ),
    ("WAIT_FOR_SMS", "timeout"): Row(
        nodes=(node("tried", "WAIT_FOR_SMS", {"timeout": 1}), passes("then")),
        edges=("start>tried", "tried:timeout>then"),
        ran=("tried", "then"),
    ),
    ("SWITCH", "default"): Row(
        nodes=(node("tried", "SWITCH", {"value": "2", "cases": [{"value": "1", "label": "1"}]}), passes("then")),
        edges=("start>tried", "tried:default>then"),
        ran=("tried", "then"),
        output={"value": "2", "matched": None},
    ),
    ("SWITCH", "1"): Row(
        nodes=(node("tried", "SWITCH", {"value": "1", "cases": [{"value": "1", "label": "1"}]}), passes("then")),
        edges=("start>tried", "tried:1>then"),
        ran=("tried", "then"),
        output={"value": "1", "matched": "1"},
    ),
    ("CONDITION", "false"): Row(
        nodes=(node("tried", "CONDITION", {"expression": "1 == 2"}), passes("then"), passes("other")),
        edges=("start>tried", "tried:false>then", "tried:true>other"),
        ran=("tried", "then"),
        output={"result": False},
    ),
}

CALLS, SHOP = "tests/e2e/test_calls.py", "tests/e2e/test_airtime_shop.py"
PATIENT = f"{CALLS}::test_a_patient_who_answers_the_second_call_confirms_the_appointment"
CLINIC = f"{CALLS}::test_a_caller_walks_the_menu_of_the_clinic_and_gets_the_way_by_sms"
REPORT = "tests/e2e/test_web.py::test_the_nightly_report_comes_by_sms_or_an_apology_does"
ECHO = "tests/e2e/test_conformance.py::test_sms_echo_answers_an_sms_that_comes_in"
SESSIONS = "tests/e2e/test_sessions.py::test_a_value_of_the_flow_is_there_in_the_next_session_of_that_phone_alone"

ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("SMS_RECEIVED", "default"): ECHO,
    (
        "USSD_SESSION_START",
        "default",
    ): "tests/e2e/test_conformance.py::test_the_menu_shows_the_balance_and_says_goodbye",
    ("INCOMING_CALL", "default"): CLINIC,
    ("PAYMENT_CALLBACK", "default"): f"{SHOP}::test_somebody_pays_and_gets_airtime_once_and_a_receipt",
    ("SCHEDULED", "default"): "tests/e2e/test_schedules.py::test_each_time_is_met_once_though_an_engine_is_killed",
    ("HTTP_WEBHOOK", "default"): "tests/e2e/test_web.py::test_a_serious_alert_is_in_the_inbox_of_who_is_on_call",
    ("SEND_SMS", "success"): ECHO,
    ("SEND_SMS", "error"): "tests/e2e/test_faults.py::test_an_error_edge_is_taken_and_the_execution_completes",
    (
        "WAIT_FOR_SMS",
        "success",
    ): "tests/e2e/test_survey.py::test_a_survey_asks_by_sms_and_goes_on_with_what_is_answered",
    ("INITIATE_CALL", "success"): PATIENT,
    ("INITIATE_CALL", "no_answer"): f"{CALLS}::test_a_patient_whom_no_call_reaches_gets_an_sms",
    ("PLAY_IVR", "success"): CLINIC,
    ("COLLECT_DTMF", "success"): CLINIC,
    ("COLLECT_DTMF", "timeout"): (
        f"{CALLS}::test_whoever_presses_nothing_takes_the_timeout_edge_without_a_callback_of_the_keys"
    ),
    ("SEND_AIRTIME", "success"): f"{SHOP}::test_somebody_pays_and_gets_airtime_once_and_a_receipt",
    ("SEND_AIRTIME", "error"): f"{SHOP}::test_airtime_that_was_refused_is_paid_back_once",
    ("REQUEST_PAYMENT", "success"): f"{SHOP}::test_somebody_pays_and_gets_airtime_once_and_a_receipt",
    ("REFUND_PAYMENT", "success"): (
        f"{SHOP}::test_a_refund_pays_back_what_was_paid_and_a_retry_of_the_call_pays_nothing"
    ),
    ("HTTP_REQUEST", "success"): REPORT,
    ("HTTP_REQUEST", "error"): REPORT,
    ("CONDITION", "true"): "tests/e2e/test_web.py::test_a_serious_alert_is_in_the_inbox_of_who_is_on_call",
    ("DELAY", "default"): "tests/e2e/test_patience.py::test_execute_waits_for_a_short_delay",
    ("SESSION_READ", "default"): SESSIONS,
    ("SESSION_WRITE", "default"): SESSIONS,
}
"""Handles that other tests take, as they were seen to."""
