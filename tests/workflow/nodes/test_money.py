"""SEND_AIRTIME, REQUEST_PAYMENT, REFUND_PAYMENT and PAYMENT_CALLBACK: what their configs mean."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.workflow.stage import Stage
from workflow.errors import NodeFailure
from workflow.fields import COMPILING
from workflow.money import airtime_subject, json_number
from workflow.node_type import NodeType
from workflow.nodes.payment_callback import PaymentCallback
from workflow.nodes.refund_payment import RefundPayment
from workflow.nodes.request_payment import RequestPayment
from workflow.nodes.send_airtime import SendAirtime
from workflow.outcome import Done, Settlement

CHECKOUT = {"transactionType": "checkout", "amount": "10", "phoneNumber": "+254711000001", "productName": "shop"}


@pytest.fixture
def stage() -> Stage:
    return Stage(default_country="KE")


def findings(node_type: NodeType[Any], config: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    parsed = node_type.config.model_validate(config, context=COMPILING)
    return {found.field: (found.code, found.is_warning) for found in node_type.findings(parsed)}


@pytest.mark.parametrize(
    "amount",
    ["nan", "NaN", "inf", "-5", "+5", "0", "0.0", "1e400", "1e2", "", "10.001", "KES 10", "1,000", "\u0665"],
)
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError, match="is no amount"):
        SendAirtime.config.model_validate({"to": "+254711000001", "amount": amount})


@pytest.mark.parametrize(
    ("amount", "kept"), [("10", "10"), ("10.50", "10.50"), (10, "10"), (10.5, "10.5"), (" 7 ", "7"), ("{{x}}", "{{x}}")]
)
def test_an_amount_is_kept_as_it_is_written(amount: Any, kept: str) -> None:
    config: Any = SendAirtime.config.model_validate({"to": "+254711000001", "amount": amount}, context=COMPILING)

    assert config.amount == kept


async def test_airtime_is_sent_with_the_key_of_the_visit(stage: Stage) -> None:
    done = await stage.run(SendAirtime(), {"to": "0711000001", "amount": "10.50"})

    [request] = stage.desk.airtime
    assert (request.idempotency_key, request.number) == ("exec-1:n:2", "+254711000001")
    assert (request.currency, request.amount) == ("KES", "10.50")
    assert isinstance(done, Done)
    assert done.correlations == ["airtime:ATQid_1"]


async def test_a_report_of_a_send_whose_answer_was_lost_names_number_and_amount(stage: Stage) -> None:
    node_type, document = SendAirtime(), {"to": "0711000001", "amount": "10.50"}
    config: Any = stage.config(node_type, document)
    [name] = node_type.settled_by(config, stage.context)
    took_place = await node_type.settle(config, stage.context, Settlement(name, "ATQid_9", "Success"))

    assert name == f"airtime:{airtime_subject('+254711000001', 'KES', '10.5000')}"
    assert took_place.output["requestId"] == "ATQid_9"
    with pytest.raises(NodeFailure) as failed:
        await node_type.settle(config, stage.context, Settlement(name, "ATQid_9", "Failed"))
    assert failed.value.error.code == "AIRTIME_FAILED"


async def test_a_payment_request_carries_what_the_config_says(stage: Stage) -> None:
    await stage.run(
        RequestPayment(), {**CHECKOUT, "metadata": {"a": "b"}, "narration": "rent", "providerChannel": "525900"}
    )

    [request] = stage.desk.payments
    assert (request.type, request.metadata) == ("checkout", {"a": "b", "narration": "rent"})
    assert (request.provider, request.destination_account, request.provider_channel) == ("", "", "525900")


async def test_a_payment_to_a_business_goes_to_its_channel_and_account(stage: Stage) -> None:
    config = {**CHECKOUT, "transactionType": "b2b", "phoneNumber": "888880", "provider": "M-Pesa", "narration": "17"}
    await stage.run(RequestPayment(), config)

    [request] = stage.desk.payments
    assert (request.number, request.provider, request.destination_account) == ("888880", "Mpesa", "17")
    assert request.metadata == {}


async def test_a_refund_of_all_that_is_left_says_no_amount(stage: Stage) -> None:
    await stage.run(RefundPayment(), {"transactionId": " ATPid_1 "})
    await stage.run(RefundPayment(), {"transactionId": "ATPid_1", "amount": "5", "currency": "UGX", "reason": "r"})

    everything, part = stage.desk.refunds
    assert (everything.transaction_id, everything.amount, everything.currency) == ("ATPid_1", "", "")
    assert (part.amount, part.currency, part.reason) == ("5", "UGX", "r")


@pytest.mark.parametrize(
    "node", [(SendAirtime(), {"to": "+254711000001", "amount": "5"}), (RequestPayment(), CHECKOUT)]
)
async def test_a_rehearsal_moves_no_money(stage: Stage, node: tuple[NodeType[Any], dict[str, Any]]) -> None:
    done = await stage.rehearse(*node)

    assert isinstance(done, Done)
    assert done.output["dryRun"] is True
    assert (stage.desk.airtime, stage.desk.payments) == ([], [])


def test_what_the_provider_has_nothing_for_is_said() -> None:
    fields = {"callbackUrl": "https://x.example", "validityPeriod": 5, "checkoutToken": "t", "provider": "MTN"}
    found = findings(RequestPayment(), {**CHECKOUT, **fields, "narration": "n"})
    assert found == dict.fromkeys((*fields, "narration"), ("UNSUPPORTED_BY_PROVIDER", True))
    assert findings(RefundPayment(), {"transactionId": "a", "callbackUrl": "https://x.example"}) == {
        "callbackUrl": ("UNSUPPORTED_BY_PROVIDER", True)
    }


def test_a_payment_to_a_business_needs_its_provider_and_its_account() -> None:
    b2b = {**CHECKOUT, "transactionType": "b2b"}
    assert findings(RequestPayment(), b2b) == {
        "provider": ("INVALID_NODE_CONFIG", False),
        "narration": ("INVALID_NODE_CONFIG", False),
    }
    assert "provider" in findings(RequestPayment(), {**b2b, "provider": "MTN", "narration": "n"})
    assert findings(RequestPayment(), {**b2b, "provider": "M-Pesa", "narration": "n", "providerChannel": "1"}) == {
        "providerChannel": ("UNSUPPORTED_BY_PROVIDER", True)
    }


def test_limits_that_nothing_fits_are_refused() -> None:
    assert findings(PaymentCallback(), {"currency": "KES", "minAmount": 5, "maxAmount": 4}) == {
        "minAmount": ("INVALID_NODE_CONFIG", False)
    }
    assert findings(PaymentCallback(), {"maxAmount": 4}) == {"maxAmount": ("AMOUNT_WITHOUT_CURRENCY", True)}


def test_the_narrower_filters_win() -> None:
    node_type = PaymentCallback()
    payload = {
        "productName": "shop",
        "transactionType": "checkout",
        "status": "Success",
        "amount": 10,
        "currency": "KES",
        "trusted": True,
    }

    def narrowness(**config: Any) -> int:
        found = node_type.specificity(node_type.config.model_validate(config), payload)
        assert found is not None
        return found

    assert narrowness() < narrowness(minAmount=1) < narrowness(currency="KES") < narrowness(status="Success")
    assert narrowness(status="Success") < narrowness(transactionType="checkout")
    others = {"transactionType": "checkout", "status": "Success", "currency": "KES", "minAmount": 1}
    assert narrowness(**others) < narrowness(productName="shop")


def test_a_payment_of_one_product_does_not_start_the_flow_of_another() -> None:
    node_type = PaymentCallback()
    shop, duka = (node_type.config.model_validate({"productName": name}) for name in ("shop", "duka"))

    assert node_type.specificity(shop, {"productName": "duka", "trusted": True}) is None
    assert node_type.specificity(shop, {"trusted": True}) is None
    assert node_type.claim(shop) != node_type.claim(duka)


def test_an_amount_of_a_payload_is_written_as_the_same_decimal_again() -> None:
    assert [json_number(Decimal(text)) for text in ("100", "100.00", "10.5", "0.1")] == [100, 100, 10.5, 0.1]
