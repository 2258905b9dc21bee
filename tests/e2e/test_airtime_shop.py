"""The example airtime shop, played: somebody pays, airtime comes once, whatever is lost or repeated on the way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.driving import EXAMPLES, Document, Platform, eventually, new_code, new_id, new_phone, results_of
from tests.e2e.flows import bye, dialled, flow, node

pytestmark = pytest.mark.asyncio(loop_scope="session")

CODE = "*384*5#"
SHOP, PAID = "airtime-shop", "airtime-shop-paid"


@pytest_asyncio.fixture(loop_scope="session")
async def shop(platform: Platform) -> AsyncIterator[Platform]:
    """Both flows of the example, published."""
    for name in (SHOP, PAID):
        await platform.publish((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    yield platform
    for name in (SHOP, PAID):
        await platform.unpublish(name)
    await platform.control.patch("/control/settings", json={"airtimeStatus": "Success", "airtimeValidation": False})


async def buys(platform: Platform, phone: str, amount: str) -> Document:
    """Dials and types an amount; returns the payment that the phone is asked for."""
    call = await platform.dial(CODE, phone)
    screen = await call.type(amount)
    assert str(screen) == f"END Confirm the payment of KES {amount} on your phone. The airtime follows."
    listed = (await platform.control.get("/control/payments", params={"of": phone, "pending": "true"})).json()
    [asked] = listed["payments"]
    return dict(asked)


async def confirms(platform: Platform, payment: Document) -> None:
    answer = await platform.control.post(f"/control/payments/{payment['id']}/confirm")
    assert answer.json()["taken"], answer.text


async def airtime_of(platform: Platform, phone: str) -> list[Document]:
    return list((await platform.control.get("/control/airtime", params={"to": phone})).json()["airtime"])


async def sold_to(platform: Platform, phone: str) -> Document:
    """The execution that a payment of this phone started, once it has ended."""

    async def log() -> Document | None:
        for execution in await platform.executions(PAID):
            [started] = results_of(execution, "paid") or [{"output": {}}]
            if started["output"].get("msisdn") == phone and execution["status"] != "running":
                return execution
        return None

    return dict(await eventually(log))


async def got(platform: Platform, phone: str, text: str) -> None:
    assert await eventually(lambda: platform.sent_to(phone)) == [text]


async def test_somebody_pays_and_gets_airtime_once_and_a_receipt(shop: Platform) -> None:
    await shop.control.patch("/control/settings", json={"airtimeValidation": True})
    phone = new_phone()
    payment = await buys(shop, phone, "50")
    await confirms(shop, payment)
    await got(shop, phone, "Airtime shop: KES 50 of airtime for you. Thank you.")
    for _ in range(3):
        again = await shop.control.post(f"/control/payments/{payment['id']}/notify", json={})
        assert again.json() == {"httpStatus": 200}

    async def reported() -> Document | None:
        log = await sold_to(shop, phone)
        return log if "airtime" in {report["channel"] for report in log["deliveryReports"]} else None

    sold = await eventually(reported)
    asked = await shop.log(results_of(sold, "paid")[0]["output"]["executionId"])
    [sent] = await airtime_of(shop, phone)
    assert (sent["amount"], sent["status"]) == ("KES 50.0000", "Success")
    assert results_of(sold, "airtime")[0]["output"]["requestId"] == sent["id"]
    by_channel = {report["channel"]: report for report in sold["deliveryReports"]}
    assert (by_channel["airtime"]["status"], by_channel["airtime"]["amount"]) == ("Success", "KES 50")
    [of_payment] = [report for report in asked["deliveryReports"] if report["status"] == "Success"]
    assert (of_payment["channel"], of_payment["messageId"]) == ("payment", payment["id"])


async def test_who_does_not_pay_gets_nothing_and_is_told(shop: Platform) -> None:
    phone = new_phone()
    payment = await buys(shop, phone, "20")
    await shop.control.post(f"/control/payments/{payment['id']}/reject")

    await got(shop, phone, "Airtime shop: the payment was not made, so nothing was bought.")
    assert await airtime_of(shop, phone) == []


async def test_airtime_whose_answer_was_lost_is_settled_by_its_status_and_not_sent_again(shop: Platform) -> None:
    phone = new_phone()
    payment = await buys(shop, phone, "30")
    await shop.fault(product="airtime", kind="lost_answer")
    await confirms(shop, payment)

    await got(shop, phone, "Airtime shop: KES 30 of airtime for you. Thank you.")
    attempts = results_of(await sold_to(shop, phone), "airtime")
    [sent] = await airtime_of(shop, phone)
    assert [attempt.get("error", {}).get("code") for attempt in attempts] == ["SEND_OUTCOME_UNKNOWN", None]
    assert (attempts[1]["settledBy"], attempts[1]["output"]["requestId"]) == ("delivery_report", sent["id"])


async def test_airtime_of_which_nobody_hears_again_is_not_sent_again(shop: Platform) -> None:
    await shop.control.patch("/control/settings", json={"airtimeStatus": None})
    phone = new_phone()
    payment = await buys(shop, phone, "40")
    await shop.fault(product="airtime", kind="lost_answer")
    await confirms(shop, payment)

    await got(
        shop,
        phone,
        f"Airtime shop: your airtime of KES 40 is delayed. We look into it. Payment {payment['id']}",
    )
    assert len(await airtime_of(shop, phone)) == 1


async def test_airtime_that_was_refused_is_paid_back_once(shop: Platform) -> None:
    phone = new_phone()
    payment = await buys(shop, phone, "70")
    await shop.fault(product="airtime", kind="row_refused")
    await confirms(shop, payment)

    await got(shop, phone, "Airtime shop: the airtime could not be sent. Your KES 70 comes back to you.")
    assert await airtime_of(shop, phone) == []
    listed = (await shop.control.get("/control/payments", params={"of": phone})).json()["payments"]
    back = [(entry["amount"], entry["metadata"]["refundOf"]) for entry in listed if entry["category"] == "MobileB2C"]
    assert back == [("KES 70.0000", payment["id"])]


async def test_a_refused_send_is_tried_once_more(shop: Platform) -> None:
    phone = new_phone()
    payment = await buys(shop, phone, "60")
    await shop.fault(product="airtime", kind="http_status", status=503)
    await confirms(shop, payment)

    await got(shop, phone, "Airtime shop: KES 60 of airtime for you. Thank you.")
    attempts = results_of(await sold_to(shop, phone), "airtime")
    assert [attempt.get("error", {}).get("code") for attempt in attempts] == ["SERVER_ERROR", None]
    assert len(await airtime_of(shop, phone)) == 1


async def test_a_payment_whose_answer_was_lost_is_settled_by_its_notification(platform: Platform) -> None:
    phone, code = new_phone(), new_code()
    pay = {"transactionType": "checkout", "productName": "p", "phoneNumber": "{{msisdn}}", "amount": "10"}
    workflow_id = await platform.publish(
        flow(
            new_id("lost-payment"),
            dialled(code),
            [node("pay", "REQUEST_PAYMENT", {**pay, "currency": "UGX"}), bye("end", "{{node_pay.output.status}}")],
            ["start>pay", "pay>end"],
        )
    )
    await platform.fault(product="payments", kind="lost_answer")
    dialling = asyncio.create_task(platform.dial(code, phone))

    async def asked() -> Any:
        return (await platform.control.get("/control/payments", params={"of": phone})).json()["payments"]

    [payment] = await eventually(asked)
    await confirms(platform, payment)
    await dialling
    [_, settled] = results_of(await platform.ended(workflow_id), "pay")
    assert (settled["settledBy"], settled["output"]) == (
        "delivery_report",
        {"transactionId": payment["id"], "status": "Success"},
    )
    assert len(await asked()) == 1


async def test_a_user_who_pays_unasked_is_listed_where_no_flow_listens(platform: Platform) -> None:
    body = {"from": new_phone(), "amount": "75.50", "currency": "TZS", "clientAccount": "rent"}
    paid = (await platform.control.post("/control/payments", json=body)).json()
    await platform.control.post(f"/control/payments/{paid['id']}/notify", json={"changes": {"oddity": [1]}})

    listed = (await platform.rest.get("/api/unclaimed", params={"channel": "payment"})).json()["unclaimed"]
    [entry] = [entry for entry in listed if entry["payload"]["transactionId"] == paid["id"]]
    assert (entry["payload"]["amount"], entry["payload"]["currency"]) == (75.5, "TZS")
    assert (entry["payload"]["category"], entry["payload"]["clientAccount"]) == ("MobileC2B", "rent")


async def test_a_refund_pays_back_what_was_paid_and_a_retry_of_the_call_pays_nothing(platform: Platform) -> None:
    phone = new_phone()
    body = {"from": phone, "amount": "80", "currency": "TZS"}
    paid = (await platform.control.post("/control/payments", json=body)).json()
    refund = flow(
        new_id("refund"),
        node("start", "SMS_RECEIVED", {}),
        [node("back", "REFUND_PAYMENT", {"transactionId": "{{message}}", "reason": "out of stock"})],
        ["start>back"],
    )
    first = await platform.execute(refund, {"message": paid["id"]}, key=f"refund-{paid['id']}")
    again = await platform.execute(refund, {"message": paid["id"]}, key=f"refund-{paid['id']}")
    other = await platform.execute(refund, {"message": paid["id"]})
    nobody = await platform.execute(refund, {"message": "ATPid_nobody"})

    assert (first["status"], first["executionId"]) == ("completed", again["executionId"])
    assert other["error"]["code"] == "REFUND_TOO_LARGE"
    assert nobody["error"]["code"] == "PAYMENT_NOT_FOUND"
    listed = (await platform.control.get("/control/payments", params={"of": phone})).json()["payments"]
    assert [(entry["category"], entry["amount"]) for entry in listed] == [
        ("MobileC2B", "TZS 80.0000"),
        ("MobileB2C", "TZS 80.0000"),
    ]


@pytest.mark.parametrize("amount", ["nan", "-5", "1e400", "", "10.001", "KES 10"])
async def test_an_amount_that_is_none_fails_the_node_and_sends_nothing(platform: Platform, amount: str) -> None:
    phone = new_phone()
    spec = flow(
        new_id("odd-amount"),
        node("start", "SMS_RECEIVED", {}),
        [node("send", "SEND_AIRTIME", {"to": "{{msisdn}}", "amount": "{{message}}"})],
        ["start>send"],
    )
    result = await platform.execute(spec, {"msisdn": phone, "message": amount})

    assert (result["status"], result["error"]["code"]) == ("failed", "INVALID_NODE_CONFIG")
    assert "config.amount" in result["error"]["message"]
    assert await airtime_of(platform, phone) == []


async def test_a_flow_that_trusts_its_trigger_can_be_published_with_the_emulator(platform: Platform) -> None:
    trusting = flow(new_id("trusting"), node("start", "PAYMENT_CALLBACK", {"currency": "GHS"}), [], [])
    # With the emulator nobody else can, so it is published.
    workflow_id = await platform.publish(trusting)
    await platform.unpublish(workflow_id)
