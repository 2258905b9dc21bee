"""SMS from phones and delivery reports."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE_SMS = {"from": "+254711000001", "to": "22334", "text": "Jambo + 100% €"}
Send = Callable[..., Awaitable[httpx.Response]]
Eventually = Callable[[Callable[[], Any]], Awaitable[Any]]


async def _message_id(send: Send) -> str:
    return str((await send()).json()["SMSMessageData"]["Recipients"][0]["messageId"])


async def test_an_sms_from_a_phone_arrives_as_the_original_posts_it(client: httpx.AsyncClient, platform: Any) -> None:
    response = await client.post("/control/sms", json={**PHONE_SMS, "id": "m-1", "linkId": "L1"})
    assert response.status_code == 201
    assert response.json() == {"id": "m-1", "delivered": True, "attempts": 1, "lastStatus": 200, "error": None}
    (request,) = platform.at("/at/sms")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = request.form
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", form.pop("date"))
    assert form == {
        "linkId": "L1",
        "text": "Jambo + 100% €",
        "to": "22334",
        "id": "m-1",
        "from": "+254711000001",
        "networkCode": "99999",
        "cost": "KES 0.0000",
    }


async def test_an_sms_is_repeated_until_it_is_answered_with_200(
    client: httpx.AsyncClient, platform: Any, eventually: Eventually
) -> None:
    await client.patch("/control/settings", json={"incomingRetryIntervalMs": 10})
    platform.will_answer("/at/sms", PlainTextResponse("", 503), PlainTextResponse("", 204), PlainTextResponse("", 500))
    first = (await client.post("/control/sms", json=PHONE_SMS)).json()
    assert (first["delivered"], first["attempts"], first["lastStatus"]) == (False, 1, 503)

    async def state() -> Any:
        return (await client.get(f"/control/sms/{first['id']}")).json()

    async def delivered() -> Any:
        return (await state())["delivered"]

    await eventually(delivered)
    assert (await state())["attempts"] == 4
    assert len({request.body for request in platform.at("/at/sms")}) == 1
    assert len(platform.at("/at/sms")) == 4


async def test_the_repeats_are_bounded(client: httpx.AsyncClient, platform: Any, eventually: Eventually) -> None:
    await client.patch("/control/settings", json={"incomingRetryIntervalMs": 1, "incomingRetryAttempts": 3})
    platform.will_answer("/at/sms", *(PlainTextResponse("", 500) for _ in range(9)))
    sent = (await client.post("/control/sms", json=PHONE_SMS)).json()

    async def idle() -> bool:
        return bool((await client.get("/control/health")).json()["backgroundTasks"] == 0)

    await eventually(idle)
    state = (await client.get(f"/control/sms/{sent['id']}")).json()
    assert (state["delivered"], state["attempts"], len(platform.at("/at/sms"))) == (False, 3, 3)


async def test_an_sms_can_be_delivered_once_more(client: httpx.AsyncClient, platform: Any) -> None:
    sent = (await client.post("/control/sms", json=PHONE_SMS)).json()
    repeated = (await client.post(f"/control/sms/{sent['id']}/repeat")).json()
    assert (repeated["attempts"], repeated["delivered"]) == (2, True)
    first, second = platform.at("/at/sms")
    assert first.body == second.body
    assert (await client.post("/control/sms/unknown/repeat")).status_code == 404


async def test_a_delivery_report_says_what_it_was_asked_to(
    client: httpx.AsyncClient, platform: Any, send: Send
) -> None:
    message_id = await _message_id(send)
    body = {"status": "Failed", "failureReason": "DeliveryFailure", "networkCode": "63902", "retryCount": 2}
    answer = (await client.post(f"/control/messages/{message_id}/delivery", json=body)).json()
    assert answer == {"delivered": True, "httpStatus": 200, "error": None}
    (request,) = platform.at("/at/sms/delivery")
    assert request.form == {
        "id": message_id,
        "status": "Failed",
        "phoneNumber": "+254711000001",
        "networkCode": "63902",
        "failureReason": "DeliveryFailure",
        "retryCount": "2",
    }
    (message,) = (await client.get("/control/messages")).json()["messages"]
    assert message["status"] == "Failed"


async def test_a_message_that_was_not_delivered_is_not_on_the_phone(client: httpx.AsyncClient, send: Send) -> None:
    message_id = await _message_id(send)
    inbox = "/control/inbox/+254711000001"
    (shown,) = (await client.get(inbox)).json()["messages"]
    assert (shown["id"], shown["from"], shown["text"]) == (message_id, "AFRICASTKNG", "hello")
    await client.post(f"/control/messages/{message_id}/delivery", json={"status": "AbsentSubscriber"})
    assert (await client.get(inbox)).json()["messages"] == []


async def test_a_report_on_an_unknown_message_needs_a_number(client: httpx.AsyncClient, platform: Any) -> None:
    path = "/control/messages/ATXid_unknown/delivery"
    assert (await client.post(path, json={"status": "Success"})).status_code == 404
    body = {"status": "SomethingNew", "phoneNumber": "+254711000009"}
    assert (await client.post(path, json=body)).json()["delivered"] is True
    (request,) = platform.at("/at/sms/delivery")
    assert (request.form["id"], request.form["status"]) == ("ATXid_unknown", "SomethingNew")


async def test_a_refused_report_is_told(client: httpx.AsyncClient, platform: Any, send: Send) -> None:
    platform.will_answer("/at/sms/delivery", PlainTextResponse("", 400))
    message_id = await _message_id(send)
    answer = (await client.post(f"/control/messages/{message_id}/delivery", json={"status": "Success"})).json()
    assert (answer["delivered"], answer["httpStatus"]) == (False, 400)


@pytest.mark.parametrize(
    ("settings", "statuses"),
    [
        ({}, ["Sent", "Success"]),
        ({"deliveryReportOrder": "reversed"}, ["Success", "Sent"]),
        ({"deliveryReportCopies": 2}, ["Sent", "Sent", "Success", "Success"]),
    ],
)
async def test_accepted_messages_are_reported_without_being_asked(
    client: httpx.AsyncClient,
    platform: Any,
    send: Send,
    eventually: Eventually,
    settings: dict[str, Any],
    statuses: list[str],
) -> None:
    changes = {"deliveryReports": True, "deliveryReportDelayMs": 1, **settings}
    assert (await client.patch("/control/settings", json=changes)).status_code == 200
    message_id = await _message_id(send)
    await eventually(lambda: len(platform.at("/at/sms/delivery")) == len(statuses))
    forms = [request.form for request in platform.at("/at/sms/delivery")]
    assert [form["status"] for form in forms] == statuses
    assert {form["id"] for form in forms} == {message_id}
    assert all("retryCount" not in form for form in forms)


async def test_a_refused_message_is_not_reported(
    client: httpx.AsyncClient, platform: Any, send: Send, eventually: Eventually
) -> None:
    await client.patch("/control/settings", json={"deliveryReports": True, "deliveryReportDelayMs": 1})
    await client.put("/control/blacklist/+254711000002")
    await send(to="+254711000002,+254711000003")
    await eventually(lambda: len(platform.at("/at/sms/delivery")) == 2)
    assert {request.form["phoneNumber"] for request in platform.at("/at/sms/delivery")} == {"+254711000003"}
