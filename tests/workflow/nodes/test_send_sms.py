"""SEND_SMS: what goes out, and what comes of it."""

from typing import Any

import pytest

from tests.workflow.stage import Findings, Stage, done
from workflow.errors import ErrorType, NodeFailure
from workflow.nodes.send_sms import MAX_MESSAGE_LENGTH, SendSms, total_cost
from workflow.ports import PremiumSms, SmsRecipient

SMS = SendSms()
FIRST, SECOND = "+254711000001", "+254711000002"


async def failure(stage: Stage, document: dict[str, Any]) -> NodeFailure:
    with pytest.raises(NodeFailure) as caught:
        await stage.run(SMS, document)
    assert caught.value.error.type is ErrorType.VALIDATION
    assert stage.outbox.sent == []
    return caught.value


async def test_a_message_goes_out_under_the_key_of_the_visit(stage: Stage) -> None:
    outcome = done(await stage.run(SMS, {"to": FIRST, "message": "Hi"}))
    (request,) = stage.outbox.sent
    assert (request.idempotency_key, request.to, request.message) == ("exec-1:n:2", [FIRST], "Hi")
    assert (request.sender, request.enqueue, request.premium) == ("", False, None)
    assert outcome.output == {
        "messageId": f"id-{FIRST}",
        "status": "Success",
        "cost": "KES 0.8000",
        "segments": 1,
        "recipients": [
            {"number": FIRST, "status": "Success", "statusCode": 101, "messageId": f"id-{FIRST}", "cost": "KES 0.8000"}
        ],
    }
    assert list(outcome.correlations) == [f"sms:id-{FIRST}"]


@pytest.mark.parametrize(
    "to", [f"{FIRST}, {SECOND}", [FIRST, SECOND], f"{FIRST},,{SECOND},{FIRST}", [" +254 711 000001", SECOND]]
)
async def test_several_numbers_get_one_message_each(stage: Stage, to: Any) -> None:
    outcome = done(await stage.run(SMS, {"to": to, "message": "Hi"}))
    assert stage.outbox.sent[0].to == [FIRST, SECOND]
    assert outcome.output["cost"] == "KES 1.6000"


async def test_a_national_number_needs_a_country(stage: Stage) -> None:
    assert (await failure(stage, {"to": "0711000001", "message": "Hi"})).error.code == "INVALID_PHONE_NUMBER"
    stage.default_country = "KE"
    await stage.run(SMS, {"to": "0711000001", "message": "Hi"})
    assert stage.outbox.sent[0].to == [FIRST]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"to": "", "message": "Hi"}, "INVALID_PHONE_NUMBER"),
        ({"to": "Asha", "message": "Hi"}, "INVALID_PHONE_NUMBER"),
        ({"to": FIRST, "message": ""}, "INVALID_MESSAGE"),
        ({"to": FIRST, "message": "x" * (MAX_MESSAGE_LENGTH + 1)}, "INVALID_MESSAGE"),
        ({"to": FIRST, "message": "\u1200", "encoding": "GSM7"}, "INVALID_MESSAGE"),
        ({"to": [f"+2547110{index:05}" for index in range(1001)], "message": "Hi"}, "TOO_MANY_RECIPIENTS"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_anything_goes_out(
    stage: Stage, document: dict[str, Any], code: str
) -> None:
    assert (await failure(stage, document)).error.code == code


async def test_the_first_accepted_number_stands_for_the_message(stage: Stage) -> None:
    stage.outbox.rows = [
        SmsRecipient(FIRST, "UserInBlacklist", 406, "", "0"),
        SmsRecipient(SECOND, "Success", 101, "id-2", "KES 0.8000"),
    ]
    outcome = done(await stage.run(SMS, {"to": [FIRST, SECOND], "message": "Hi"}))
    assert (outcome.output["messageId"], outcome.output["status"], outcome.output["cost"]) == (
        "id-2",
        "Success",
        "KES 0.8000",
    )
    assert list(outcome.correlations) == ["sms:id-2"]


async def test_a_premium_message_carries_its_product(stage: Stage) -> None:
    document = {"to": FIRST, "message": "Hi", "from": "22334", "bulkSMSMode": 0, "keyword": "NEWS", "linkId": "l-1"}
    await stage.run(SMS, document)
    assert stage.outbox.sent[0].premium == PremiumSms(keyword="NEWS", link_id="l-1")
    assert stage.outbox.sent[0].sender == "22334"


async def test_a_rehearsal_sends_nothing_and_says_so(stage: Stage) -> None:
    outcome = done(await stage.rehearse(SMS, {"to": [FIRST, SECOND], "message": "x" * 161}))
    assert stage.outbox.sent == []
    assert outcome.output["dryRun"] is True
    assert outcome.output["segments"] == 2
    assert [row["number"] for row in outcome.output["recipients"]] == [FIRST, SECOND]


async def test_a_rehearsal_refuses_what_a_run_refuses(stage: Stage) -> None:
    with pytest.raises(NodeFailure, match="INVALID_PHONE_NUMBER"):
        await stage.rehearse(SMS, {"to": "x", "message": "Hi"})


def test_retry_can_be_switched_off() -> None:
    config = SMS.config.model_validate({"to": FIRST, "message": "x", "retryOnFailure": False})
    assert not SMS.may_be_retried(config)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"deliveryReport": True}, ("UNSUPPORTED_BY_PROVIDER", "deliveryReport")),
        ({"deliveryReportUrl": "https://x.example"}, ("UNSUPPORTED_BY_PROVIDER", "deliveryReportUrl")),
        ({"keyword": "NEWS"}, ("INVALID_NODE_CONFIG", "keyword")),
        ({"bulkSMSMode": 0}, ("INVALID_NODE_CONFIG", "from")),
        ({"message": "x" * 161}, ("SMS_MULTI_SEGMENT", "message")),
        ({"message": "x" * 71, "encoding": "UCS2"}, ("SMS_MULTI_SEGMENT", "message")),
    ],
)
def test_a_config_that_makes_no_sense_is_found(
    findings: Findings, document: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert findings(SMS, {"to": FIRST, "message": "x", **document}) == [expected]


@pytest.mark.parametrize(
    ("costs", "total"),
    [
        ([], "0"),
        (["0"], "0"),
        (["KES 0.8000", "KES 0.8000"], "KES 1.6000"),
        (["KES 0.1", "KES 0.2"], "KES 0.3000"),
        (["KES 1", "UGX 20", "0"], "KES 1.0000, UGX 20.0000"),
        (["free"], "0"),
    ],
)
def test_costs_are_added_a_currency(costs: list[str], total: str) -> None:
    assert total_cost(costs) == total
