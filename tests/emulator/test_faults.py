"""Faults on demand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

Send = Callable[..., Awaitable[httpx.Response]]
Eventually = Callable[[Callable[[], Any]], Awaitable[Any]]


@pytest.fixture
def fault(client: httpx.AsyncClient) -> Callable[..., Awaitable[None]]:
    async def add(**document: Any) -> None:
        response = await client.post("/control/faults", json={"product": "sms", **document})
        assert response.status_code == 201, response.text

    return add


Fault = Callable[..., Awaitable[None]]


async def _accepted(client: httpx.AsyncClient) -> int:
    return int((await client.get("/control/health")).json()["sms"]["accepted"])


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "The supplied authentication is invalid"),
        (429, "Too Many Requests"),
        (500, "There was an internal server error."),
    ],
)
async def test_a_status_refuses_as_often_as_asked_and_records_nothing(
    client: httpx.AsyncClient, send: Send, fault: Fault, status: int, text: str
) -> None:
    await fault(kind="http_status", status=status, times=2)
    for _ in range(2):
        response = await send()
        assert (response.status_code, response.text) == (status, text)
        assert "retry-after" not in response.headers
    assert await _accepted(client) == 0
    assert (await send()).status_code == 201


async def test_a_throttled_request_may_say_when_to_come_back(send: Send, fault: Fault) -> None:
    await fault(kind="http_status", status=429, retryAfterSeconds=7, body="slow down")
    response = await send()
    assert (response.headers["retry-after"], response.text) == ("7", "slow down")


async def test_a_lost_answer_leaves_the_message_accepted(client: httpx.AsyncClient, send: Send, fault: Fault) -> None:
    await fault(kind="lost_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        await send()
    assert await _accepted(client) == 1
    assert (await send()).status_code == 201


async def test_a_refused_connection_leaves_nothing(client: httpx.AsyncClient, send: Send, fault: Fault) -> None:
    await fault(kind="refused")
    with pytest.raises(httpx.RemoteProtocolError):
        await send()
    assert await _accepted(client) == 0


async def test_a_slow_answer_comes_after_the_message_went_out(
    client: httpx.AsyncClient, send: Send, fault: Fault, eventually: Eventually
) -> None:
    await fault(kind="slow", delayMs=300)
    started = asyncio.get_running_loop().time()
    sending = asyncio.ensure_future(send())
    await eventually(lambda: _accepted(client))
    assert not sending.done()
    assert (await sending).status_code == 201
    assert asyncio.get_running_loop().time() - started >= 0.3


async def test_a_slow_answer_comes_at_once_when_the_faults_are_deleted(
    client: httpx.AsyncClient, send: Send, fault: Fault, eventually: Eventually
) -> None:
    await fault(kind="slow", delayMs=120_000)
    sending = asyncio.ensure_future(send())
    await eventually(lambda: _accepted(client))
    await client.delete("/control/faults")
    assert (await asyncio.wait_for(sending, 30)).status_code == 201


async def test_empty_recipients_reject_inside_a_201(client: httpx.AsyncClient, send: Send, fault: Fault) -> None:
    await fault(kind="empty_recipients")
    await fault(kind="empty_recipients", message="InsufficientBalance")
    first, second = await send(), await send()
    assert first.status_code == 201
    assert first.json() == {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}
    assert second.json()["SMSMessageData"]["Message"] == "InsufficientBalance"
    assert await _accepted(client) == 0


async def test_one_recipient_may_be_refused_alone(send: Send, fault: Fault) -> None:
    await fault(kind="row_status", statusCode=405, number="+254711000002")
    data = (await send(to="+254711000001,+254711000002")).json()["SMSMessageData"]
    assert [(row["status"], row["statusCode"]) for row in data["Recipients"]] == [
        ("Success", 102),
        ("InsufficientBalance", 405),
    ]


async def test_a_row_status_below_200_accepts(client: httpx.AsyncClient, send: Send, fault: Fault) -> None:
    await fault(kind="row_status", statusCode=100)
    assert (await send()).json()["SMSMessageData"]["Recipients"][0]["statusCode"] == 100
    assert await _accepted(client) == 1


async def test_faults_come_in_the_order_in_which_they_were_asked_for(
    client: httpx.AsyncClient, send: Send, fault: Fault
) -> None:
    await fault(kind="http_status", status=500, times=2)
    await fault(kind="http_status", status=429)
    await send()
    waiting = (await client.get("/control/faults")).json()
    assert [(entry["status"], entry["left"]) for entry in waiting["faults"]] == [(500, 1), (429, 1)]
    assert waiting["taken"] == 1
    assert [(await send()).status_code for _ in range(3)] == [500, 429, 201]


async def test_faults_of_one_product_leave_the_other_alone(client: httpx.AsyncClient, send: Send, fault: Fault) -> None:
    await fault(kind="http_status", status=503, product="account")
    assert (await send()).status_code == 201
    headers = {"apiKey": "emulator"}
    assert (await client.get("/api/version1/user?username=sandbox", headers=headers)).status_code == 503


async def test_a_wrong_key_takes_no_fault(send: Send, fault: Fault) -> None:
    await fault(kind="http_status", status=500)
    assert (await send(key="wrong")).status_code == 401
    assert (await send()).status_code == 500


async def test_deleted_faults_do_not_happen(client: httpx.AsyncClient, send: Send, fault: Fault) -> None:
    await fault(kind="http_status", status=500, times=5)
    assert (await client.delete("/control/faults")).json()["faults"] == []
    assert (await send()).status_code == 201


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"kind": "earthquake"}, "kind"),
        ({"kind": "http_status"}, "status"),
        ({"kind": "http_status", "status": 200}, "status"),
        ({"kind": "slow", "delayMs": 10, "times": 0}, "times"),
        ({"kind": "row_status", "statusCode": 406, "product": "account"}, "product"),
        ({"kind": "refused", "delay": 3}, "delay"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused(
    client: httpx.AsyncClient, document: dict[str, Any], named: str
) -> None:
    response = await client.post("/control/faults", json={"product": "sms", **document})
    assert response.status_code == 400
    assert named in response.json()["error"]["message"]
    assert (await client.get("/control/faults")).json()["faults"] == []
