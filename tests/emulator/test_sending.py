"""What a client of the messaging API gets."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

Send = Callable[..., Awaitable[httpx.Response]]


def _data(response: httpx.Response) -> Any:
    return response.json()["SMSMessageData"]


async def _sent(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await client.get("/control/messages")).json()["messages"]
    return messages


async def test_an_accepted_message_is_answered_with_201_and_a_row(send: Send) -> None:
    response = await send()
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert _data(response)["Message"] == "Sent to 1/1 Total Cost: USD 0.0079 Message parts: 1"
    (row,) = _data(response)["Recipients"]
    assert re.fullmatch(r"ATXid_[0-9a-f]{32}", row.pop("messageId"))
    assert row == {"cost": "KES 0.8000", "number": "+254711000001", "status": "Success", "statusCode": 102}


@pytest.mark.parametrize(("enqueue", "code"), [(None, 102), ("1", 102), ("0", 101)])
async def test_messages_are_queued_unless_the_client_says_no(send: Send, enqueue: str | None, code: int) -> None:
    assert _data(await send(enqueue=enqueue))["Recipients"][0]["statusCode"] == code


@pytest.mark.parametrize(
    ("text", "parts", "cost"),
    [
        ("a" * 160, 1, "KES 0.8000"),
        ("a" * 161, 2, "KES 1.6000"),
        ("€" * 80, 1, "KES 0.8000"),
        ("€" * 81, 2, "KES 1.6000"),
        ("habari ☀" + "a" * 63, 2, "KES 1.6000"),
    ],
)
async def test_the_price_follows_the_parts_that_a_network_sends(send: Send, text: str, parts: int, cost: str) -> None:
    data = _data(await send(message=text))
    assert data["Message"].endswith(f"Message parts: {parts}")
    assert data["Recipients"][0]["cost"] == cost


async def test_every_recipient_has_a_row_and_a_fate_of_its_own(client: httpx.AsyncClient, send: Send) -> None:
    await client.put("/control/blacklist/+254711000002")
    data = _data(await send(to="+254711000001, +254711000002,0711000003,+256700000004"))
    assert data["Message"] == "Sent to 2/4 Total Cost: USD 0.0158 Message parts: 1"
    assert [(row["number"], row["status"], row["statusCode"], row["cost"]) for row in data["Recipients"]] == [
        ("+254711000001", "Success", 102, "KES 0.8000"),
        ("+254711000002", "UserInBlacklist", 406, "0"),
        ("0711000003", "InvalidPhoneNumber", 403, "0"),
        ("+256700000004", "Success", 102, "USD 0.0079"),
    ]
    assert data["Recipients"][1]["messageId"] == "None"
    assert [message["to"] for message in await _sent(client)] == ["+254711000001", "+256700000004"]


async def test_nobody_accepted_costs_nothing(client: httpx.AsyncClient, send: Send) -> None:
    await client.put("/control/blacklist/+254711000001")
    assert _data(await send())["Message"] == "Sent to 0/1 Total Cost: 0"
    await client.delete("/control/blacklist/+254711000001")
    assert _data(await send())["Message"].startswith("Sent to 1/1")


async def test_the_account_pays_for_what_was_accepted(client: httpx.AsyncClient, send: Send) -> None:
    async def balance() -> str:
        headers = {"apiKey": "emulator", "Accept": "application/json"}
        response = await client.get("/api/version1/user", params={"username": "sandbox"}, headers=headers)
        assert response.status_code == 200
        return str(response.json()["UserData"]["balance"])

    assert await balance() == "USD 1000000.0000"
    await send(to="+254711000001,+254711000002")
    assert await balance() == "USD 999999.9842"


async def test_xml_is_what_a_client_gets_that_does_not_ask_for_json(send: Send) -> None:
    response = await send(accept="*/*", message="a & b < c", to="+254711000001,1")
    assert response.status_code == 201
    assert response.headers["content-type"].startswith("application/xml")
    root = ET.fromstring(response.content)
    assert root.tag == "AfricasTalkingResponse"
    assert root.findtext("SMSMessageData/Message", "").startswith("Sent to 1/2")
    rows = root.findall("SMSMessageData/Recipients/Recipient")
    assert [row.findtext("statusCode") for row in rows] == ["102", "403"]


@pytest.mark.parametrize(
    ("key", "username", "text"),
    [
        ("wrong", "sandbox", "The supplied authentication is invalid"),
        ("emulator", "somebody", "The supplied authentication is invalid"),
        (None, "sandbox", "The resource requires authentication, which was not supplied with the request"),
    ],
)
async def test_a_wrong_account_is_refused_in_plain_text(
    client: httpx.AsyncClient, send: Send, key: str | None, username: str, text: str
) -> None:
    response = await send(key=key, username=username)
    assert (response.status_code, response.text) == (401, text)
    assert response.headers["content-type"] == "text/plain; charset=UTF-8"
    assert response.headers["www-authenticate"] == 'Basic realm="api",charset=UTF-8'
    assert await _sent(client) == []


@pytest.mark.parametrize("field", ["username", "to", "message"])
async def test_a_missing_field_is_named(client: httpx.AsyncClient, send: Send, field: str) -> None:
    response = await send(**{field: None})
    assert (response.status_code, response.text) == (400, f"Request is missing required form field '{field}'")
    assert await _sent(client) == []


async def test_no_recipient_at_all_rejects_the_request_inside_a_201(send: Send) -> None:
    response = await send(to="")
    assert response.status_code == 201
    assert _data(response) == {"Message": "InvalidPhoneNumber", "Recipients": []}


async def test_a_premium_message_keeps_its_fields_and_costs_the_account_nothing(
    client: httpx.AsyncClient, send: Send
) -> None:
    premium: dict[str, Any] = {"from": "22334", "bulkSMSMode": "0", "linkId": "L1", "keyword": "news"}
    response = await send("/content/version1/messaging", **premium, retryDurationInHours="3")
    assert _data(response)["Message"] == "Sent to 1/1"
    assert _data(response)["Recipients"][0]["cost"] == "0"
    (message,) = await _sent(client)
    assert (message["premium"], message["from"], message["linkId"], message["keyword"]) == (True, "22334", "L1", "news")
    assert message["retryDurationInHours"] == "3"
    assert (await send("/content/version1/messaging")).text == "Request is missing required form field 'from'"


async def test_the_bulk_endpoint_takes_json_and_counts_parts_in_each_row(client: httpx.AsyncClient) -> None:
    headers = {"apiKey": "emulator", "Accept": "application/json"}
    document = {"username": "sandbox", "phoneNumbers": ["+254711000001"], "message": "a" * 161, "senderId": "NJIA"}
    response = await client.post("/api/version1/messaging/bulk", json={**document, "enqueue": False}, headers=headers)
    assert response.status_code == 201
    (row,) = _data(response)["Recipients"]
    assert (row["messageParts"], row["statusCode"]) == (2, 101)
    assert [(message["from"], message["enqueue"]) for message in await _sent(client)] == [("NJIA", False)]

    del document["senderId"]
    response = await client.post("/api/version1/messaging/bulk", json=document, headers=headers)
    assert response.status_code == 400
    assert "senderId" in response.text
    response = await client.post("/api/version1/messaging/bulk", data={"username": "sandbox"}, headers=headers)
    assert response.status_code == 415


async def test_a_body_beyond_the_limit_is_refused(send: Send) -> None:
    assert (await send(message="a" * (4 * 1024 * 1024))).status_code == 413


async def test_an_unknown_path_gets_the_original_text(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/version1/subscription/create")
    assert (response.status_code, response.text) == (404, "The requested resource could not be found.")
