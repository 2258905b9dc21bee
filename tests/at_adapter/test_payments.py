"""Payments, refunds and their notifications."""

import asyncio
from typing import Any

import grpc
import orjson
import pytest

from njia.at_adapter.v1.money_pb2 import (
    PAYMENT_TYPE_B2B,
    PAYMENT_TYPE_B2C,
    PAYMENT_TYPE_CHECKOUT,
    GetCallbackAccessRequest,
    Money,
    RefundPaymentRequest,
    RequestPaymentRequest,
)
from rpc.status import Refusal, refusal_of

NUMBER = "+254711000001"


def payment(key: str = "key-1", amount: str = "100", currency: str = "KES", **fields: Any) -> RequestPaymentRequest:
    return RequestPaymentRequest(
        **{
            "idempotency_key": key,
            "type": PAYMENT_TYPE_CHECKOUT,
            "product_name": "shop",
            "number": NUMBER,
            "amount": Money(currency=currency, amount=amount),
            **fields,
        }
    )


def refund(transaction_id: str, key: str = "refund-1", amount: str = "", currency: str = "KES") -> RefundPaymentRequest:
    money = Money(currency=currency, amount=amount) if amount else None
    return RefundPaymentRequest(idempotency_key=key, transaction_id=transaction_id, amount=money, reason="broken")


def notification(transaction_id: str, status: str = "Success", **fields: Any) -> dict[str, Any]:
    return {
        "transactionId": transaction_id,
        "category": "MobileCheckout",
        "provider": "Mpesa",
        "sourceType": "PhoneNumber",
        "source": NUMBER,
        "destinationType": "Wallet",
        "destination": "PaymentWallet",
        "productName": "shop",
        "value": "KES 100.0000",
        "status": status,
        **fields,
    }


async def refused(call: Any, request: Any) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(request)
    return refusal_of(caught.value)


async def payments(emulator: Any) -> list[dict[str, Any]]:
    return list((await emulator.control.get("/control/payments")).json()["payments"])


@pytest.fixture
async def both(start_adapter: Any, emulator: Any, engine: Any) -> Any:
    """An adapter that takes callbacks as well."""
    return await start_adapter(AT_BASE_URL=emulator.url, NJIA_ENGINE_TARGET=engine.target)


async def paid(both: Any, key: str = "key-1") -> str:
    """A checkout that its user confirmed."""
    receipt = await both.stub.RequestPayment(payment(key))
    answer = await both.callbacks.post("/at/payments", json=notification(receipt.transaction_id))
    assert answer.status_code == 200
    return str(receipt.transaction_id)


@pytest.mark.also_on_a_cluster
async def test_a_checkout_is_asked_for_once_and_carries_its_metadata(adapter: Any, emulator: Any) -> None:
    request = payment(amount="100.50", metadata={"order": "17"}, provider_channel="525901")
    first = await adapter.stub.RequestPayment(request)
    assert await adapter.stub.RequestPayment(request) == first

    [asked] = await payments(emulator)
    assert (first.status, first.description) == ("PendingConfirmation", "Waiting for user input")
    assert (asked["id"], asked["of"], asked["amount"]) == (first.transaction_id, NUMBER, "KES 100.5000")
    assert asked["metadata"] == {"order": "17", "njiaReference": "key-1"}


async def test_money_goes_to_users_and_to_businesses(adapter: Any, emulator: Any) -> None:
    to_user = await adapter.stub.RequestPayment(payment(type=PAYMENT_TYPE_B2C))
    business = {"number": "888880", "provider": "Mpesa", "destination_account": "rent"}
    to_business = await adapter.stub.RequestPayment(payment("key-2", type=PAYMENT_TYPE_B2B, **business))

    assert (to_user.status, to_business.status) == ("Queued", "Queued")
    listed = {entry["category"]: (entry["of"], entry["account"]) for entry in await payments(emulator)}
    assert listed == {"MobileB2C": (NUMBER, ""), "MobileB2B": ("888880", "rent")}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"amount": "nan"}, "INVALID_AMOUNT"),
        ({"amount": "-5"}, "INVALID_AMOUNT"),
        ({"amount": "1e400"}, "INVALID_AMOUNT"),
        ({"amount": ""}, "INVALID_AMOUNT"),
        ({"amount": "1.001"}, "INVALID_AMOUNT"),
        ({"currency": "kes"}, "INVALID_REQUEST"),
        ({"number": "0711000001"}, "INVALID_PHONE_NUMBER"),
        ({"type": 0}, "INVALID_REQUEST"),
        ({"product_name": ""}, "INVALID_REQUEST"),
        ({"provider": "Mpesa"}, "INVALID_REQUEST"),
        ({"type": PAYMENT_TYPE_B2B, "number": "888880"}, "INVALID_REQUEST"),
        (
            {"type": PAYMENT_TYPE_B2B, "provider": "Mpesa", "destination_account": "a", "provider_channel": "1"},
            "INVALID_REQUEST",
        ),
        ({"metadata": {"njiaReference": "other"}}, "INVALID_REQUEST"),
        ({"metadata": {str(number): "" for number in range(21)}}, "INVALID_REQUEST"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(
    adapter: Any, emulator: Any, fields: dict[str, Any], reason: str
) -> None:
    refusal = await refused(adapter.stub.RequestPayment, payment(**fields))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert await payments(emulator) == []


async def test_a_lost_answer_is_unknown_and_nobody_is_asked_twice(adapter: Any, emulator: Any) -> None:
    await emulator.fault(product="payments", kind="lost_answer")

    for _ in range(2):
        assert (await refused(adapter.stub.RequestPayment, payment())).reason == "SEND_OUTCOME_UNKNOWN"
    assert len(await payments(emulator)) == 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"status": "InvalidRequest", "description": "No such product"}, "REJECTED"),
        ({"status": "InsufficientBalance", "description": "None"}, "INSUFFICIENT_BALANCE"),
        ({"entries": [], "errorMessage": "A duplicate request was received"}, "SEND_OUTCOME_UNKNOWN"),
        ({"entries": [{"status": "InvalidRequest", "errorMessage": "Duplicate request"}]}, "SEND_OUTCOME_UNKNOWN"),
        ({"status": "Wandering", "description": "who knows"}, "SEND_OUTCOME_UNKNOWN"),
        ({"status": "PendingConfirmation"}, "SEND_OUTCOME_UNKNOWN"),
        ({"errorMessage": "No such account", "entries": []}, "REJECTED"),
        ("words", "SEND_OUTCOME_UNKNOWN"),
    ],
)
async def test_each_answer_has_its_meaning(start_adapter: Any, raw_server: Any, document: Any, reason: str) -> None:
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    raw_server.answer("201 Created", orjson.dumps(document), "Content-Type: application/json")

    assert (await refused(adapter.stub.RequestPayment, payment())).reason == reason


async def test_an_unknown_word_with_an_id_is_taken(start_adapter: Any, raw_server: Any) -> None:
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    raw_server.answer("201 Created", b'{"status": "Wandering", "transactionId": "ATPid_1"}')

    assert (await adapter.stub.RequestPayment(payment())).status == "Wandering"
    assert b'"amount":100,' in raw_server.requests[0]


@pytest.mark.also_on_a_cluster
async def test_no_more_is_paid_back_than_was_paid_however_often_it_is_asked_for(both: Any, emulator: Any) -> None:
    transaction_id = await paid(both)

    first = await both.stub.RefundPayment(refund(transaction_id, "one", "60"))
    assert await both.stub.RefundPayment(refund(transaction_id, "one", "60")) == first
    too_much = await refused(both.stub.RefundPayment, refund(transaction_id, "two", "40.01"))
    await both.stub.RefundPayment(refund(transaction_id, "three"))
    nothing_left = await refused(both.stub.RefundPayment, refund(transaction_id, "four"))

    assert (too_much.code, too_much.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REFUND_TOO_LARGE")
    assert nothing_left.reason == "REFUND_TOO_LARGE"
    back = [entry for entry in await payments(emulator) if entry["category"] == "MobileB2C"]
    assert [(entry["of"], entry["amount"]) for entry in back] == [(NUMBER, "KES 60.0000"), (NUMBER, "KES 40.0000")]
    assert back[0]["metadata"] == {"reason": "broken", "refundOf": transaction_id, "njiaReference": "one"}


async def test_what_was_paid_is_paid_back_and_not_what_was_asked_for(both: Any, emulator: Any) -> None:
    asked = await both.stub.RequestPayment(payment("part", amount="100"))
    for value in ("KES 40.0000", "KES 900.0000"):
        await both.callbacks.post("/at/payments", json=notification(asked.transaction_id, value=value))

    too_much = await refused(both.stub.RefundPayment, refund(asked.transaction_id, "one", "40.01"))
    await both.stub.RefundPayment(refund(asked.transaction_id, "two"))

    assert too_much.reason == "REFUND_TOO_LARGE"
    back = [entry for entry in await payments(emulator) if entry["category"] == "MobileB2C"]
    assert [entry["amount"] for entry in back] == ["KES 40.0000"]


async def test_what_was_paid_in_another_currency_is_paid_back_in_that(both: Any, emulator: Any) -> None:
    asked = await both.stub.RequestPayment(payment("part", amount="100"))
    for value in ("UGX 100.0000", "KES 100.0000"):
        await both.callbacks.post("/at/payments", json=notification(asked.transaction_id, value=value))

    in_shillings = await refused(both.stub.RefundPayment, refund(asked.transaction_id, "one", "100"))
    await both.stub.RefundPayment(refund(asked.transaction_id, "two"))

    assert in_shillings.reason == "CURRENCY_MISMATCH"
    back = [entry for entry in await payments(emulator) if entry["category"] == "MobileB2C"]
    assert [entry["amount"] for entry in back] == ["UGX 100.0000"]


@pytest.mark.parametrize("value", ["", "KES 1,000.00", "KES 1e3", "KES \u0661\u0660\u0660", "100"])
async def test_a_payment_that_failed_is_not_paid_back_whatever_else_is_said_of_it(both: Any, value: str) -> None:
    transaction_id = await paid(both)
    await both.callbacks.post("/at/payments", json=notification(transaction_id, "Failed", value=value))

    assert (await refused(both.stub.RefundPayment, refund(transaction_id))).reason == "PAYMENT_NOT_REFUNDABLE"
    await both.callbacks.post("/at/payments", json=notification("ATPid_unknown", "Failed", value=value))
    assert (await refused(both.stub.RefundPayment, refund("ATPid_unknown"))).reason == "PAYMENT_NOT_FOUND"


@pytest.mark.also_on_a_cluster
async def test_two_adapters_together_pay_back_no_more_than_was_paid(
    both: Any, start_adapter: Any, emulator: Any
) -> None:
    other = await start_adapter(AT_BASE_URL=emulator.url)
    transaction_id = await paid(both)

    async def outcome(adapter: Any, key: str) -> str:
        try:
            await adapter.stub.RefundPayment(refund(transaction_id, key, "30"))
        except grpc.aio.AioRpcError as error:
            return refusal_of(error).reason
        return "paid"

    keys = [f"refund-{number}" for number in range(6)]
    outcomes = await asyncio.gather(*(outcome(adapter, key) for key in keys for adapter in (both, other)))

    assert set(outcomes) <= {"paid", "REFUND_TOO_LARGE", "SEND_IN_PROGRESS"}
    back = [entry for entry in await payments(emulator) if entry["category"] == "MobileB2C"]
    assert [entry["amount"] for entry in back] == ["KES 30.0000"] * 3
    assert len({entry["metadata"]["njiaReference"] for entry in back}) == 3


async def test_what_cannot_be_paid_back_says_why(both: Any, emulator: Any) -> None:
    unknown = await refused(both.stub.RefundPayment, refund("ATPid_nobody"))
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "PAYMENT_NOT_FOUND")
    assert "b2c" in unknown.message

    waiting = await both.stub.RequestPayment(payment("waits"))
    not_yet = await refused(both.stub.RefundPayment, refund(waiting.transaction_id))
    assert (not_yet.code, not_yet.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PAYMENT_NOT_REFUNDABLE")

    transaction_id = await paid(both)
    in_dollars = await refused(both.stub.RefundPayment, refund(transaction_id, amount="1", currency="USD"))
    assert (in_dollars.code, in_dollars.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CURRENCY_MISMATCH")
    await both.callbacks.post("/at/payments", json=notification(transaction_id, "Failed"))
    await both.callbacks.post("/at/payments", json=notification(transaction_id, "Success"))
    assert (await refused(both.stub.RefundPayment, refund(transaction_id))).reason == "PAYMENT_NOT_REFUNDABLE"

    paid_out = await both.stub.RequestPayment(payment("out", type=PAYMENT_TYPE_B2C))
    assert (await refused(both.stub.RefundPayment, refund(paid_out.transaction_id))).reason == "PAYMENT_NOT_REFUNDABLE"
    assert len([entry for entry in await payments(emulator) if entry["category"] == "MobileB2C"]) == 1


async def test_a_refund_that_was_refused_or_failed_can_be_made_again(both: Any, emulator: Any) -> None:
    transaction_id = await paid(both)
    await emulator.fault(product="payments", kind="row_refused")

    assert (await refused(both.stub.RefundPayment, refund(transaction_id, "one"))).reason == "INSUFFICIENT_BALANCE"
    second = await both.stub.RefundPayment(refund(transaction_id, "two"))
    failed = notification(
        second.transaction_id,
        "Failed",
        category="MobileB2C",
        requestMetadata={"njiaReference": "two", "refundOf": transaction_id},
    )
    await both.callbacks.post("/at/payments", json=failed)
    assert (await both.stub.RefundPayment(refund(transaction_id, "three"))).status == "Queued"


async def test_a_refund_whose_answer_was_lost_counts_as_paid_back(both: Any, emulator: Any) -> None:
    transaction_id = await paid(both)
    await emulator.fault(product="payments", kind="lost_answer")

    assert (await refused(both.stub.RefundPayment, refund(transaction_id, "one"))).reason == "SEND_OUTCOME_UNKNOWN"
    assert (await refused(both.stub.RefundPayment, refund(transaction_id, "two"))).reason == "REFUND_TOO_LARGE"


async def test_a_notification_is_parsed_and_what_is_not_known_is_kept(both: Any, engine: Any) -> None:
    document = notification(
        "ATPid_1",
        "Hovering",
        value="KES 100.50",
        requestMetadata={"order": "17", "count": 3, "njiaReference": "exe:pay:0"},
        somethingNew={"deep": [1]},
    )
    assert (await both.callbacks.post("/at/payments", json=document)).status_code == 200
    form = {**notification("ATPid_2", value="lots"), "requestMetadata": "{"}
    assert (await both.callbacks.post("/at/payments", data=form)).status_code == 200
    for unusable in ({"status": "Success"}, notification("A" * 257), notification("ATPid_3", "S" * 257)):
        assert (await both.callbacks.post("/at/payments", json=unusable)).status_code == 400

    first, second = engine.servicer.payments
    assert (first.status, first.currency, first.amount, first.msisdn) == ("Hovering", "KES", "100.5", NUMBER)
    assert (dict(first.metadata), first.reference) == ({"order": "17", "count": "3"}, "exe:pay:0")
    assert (first.transaction_type, first.trusted) == ("checkout", True)
    assert (second.transaction_id, second.amount, second.status) == ("ATPid_2", "", "Success")


async def test_notifications_wait_while_the_engine_is_away(both: Any, engine: Any) -> None:
    await engine.stop()
    document = notification("ATPid_1", requestMetadata={"order": "17"})
    assert (await both.callbacks.post("/at/payments", json=document)).status_code == 200
    status = {"requestId": "ATQid_1", "status": "Success"}
    assert (await both.callbacks.post("/at/airtime/status", json=status)).status_code == 200

    await engine.start()
    while not (engine.servicer.payments and engine.servicer.airtime):
        await engine.servicer.heard.wait()
        engine.servicer.heard.clear()
    assert dict(engine.servicer.payments[0].metadata) == {"order": "17"}
    assert engine.servicer.airtime[0].request_id == "ATQid_1"


async def test_without_a_token_nobody_is_trusted_outside_of_the_emulator(start_adapter: Any, engine: Any) -> None:
    variables = {"AT_ENVIRONMENT": "sandbox", "AT_API_KEY": "k", "NJIA_ENGINE_TARGET": engine.target}
    token = "a-long-secret-of-the-addresses"
    open_to_all = await start_adapter(**variables)
    guarded = await start_adapter(**variables, NJIA_AT_CALLBACK_TOKEN=token)

    assert not (await open_to_all.stub.GetCallbackAccess(GetCallbackAccessRequest())).protected
    assert (await guarded.stub.GetCallbackAccess(GetCallbackAccessRequest())).protected
    await open_to_all.callbacks.post("/at/payments", json=notification("ATPid_1"))
    await guarded.callbacks.post(f"/at/{token}/payments", json=notification("ATPid_2"))
    assert (await guarded.callbacks.post("/at/payments", json=notification("ATPid_3"))).status_code == 404
    assert [request.trusted for request in engine.servicer.payments] == [False, True]
    # What anybody may have posted is no reason to give money away.
    assert (await refused(open_to_all.stub.RefundPayment, refund("ATPid_1"))).reason == "PAYMENT_NOT_FOUND"


async def test_payments_to_users_are_validated_as_airtime_is(both: Any) -> None:
    await both.stub.RequestPayment(payment(type=PAYMENT_TYPE_B2C))
    ours = {"transactionId": "t-1", "phoneNumber": NUMBER, "currencyCode": "KES", "amount": 100.0, "metadata": {}}
    theirs = {"provider": "Mpesa", "productName": "shop", "phoneNumber": NUMBER, "value": "KES 5.00"}

    async def asked(document: Any) -> str:
        return str((await both.callbacks.post("/at/payments/validation", json=document)).json()["status"])

    assert await asked(ours) == "Validated"
    assert await asked({**ours, "transactionId": "t-2"}) == "Failed"
    assert await asked(theirs) == "Validated"
    assert await asked({**theirs, "value": "KES -5.00"}) == "Failed"
    assert await asked([]) == "Failed"
