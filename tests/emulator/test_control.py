"""The control API itself: what it lists, what it refuses, how it starts again."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

pytestmark = pytest.mark.asyncio(loop_scope="module")

Send = Callable[..., Awaitable[httpx.Response]]


async def test_messages_are_listed_in_the_order_in_which_they_were_accepted(
    client: httpx.AsyncClient, send: Send
) -> None:
    for number, text in (("1", "a"), ("2", "b"), ("1", "c"), ("1", "d")):
        await send(to=f"+25471100000{number}", message=text)

    async def texts(query: str) -> list[str]:
        return [message["text"] for message in (await client.get(f"/control/messages{query}")).json()["messages"]]

    assert await texts("") == ["a", "b", "c", "d"]
    assert await texts("?to=%2B254711000001") == ["a", "c", "d"]
    assert await texts("?to=+254711000001&limit=2") == ["c", "d"]
    assert (await client.get("/control/messages?limit=0")).status_code == 400


async def test_reset_goes_back_to_the_start(client: httpx.AsyncClient, send: Send, platform: Any) -> None:
    settings = (await client.get("/control/settings")).json()
    await send()
    platform.will_answer("/at/sms", PlainTextResponse("", 500))
    await client.post("/control/sms", json={"from": "+254711000001", "to": "1", "text": "x"})
    assert (await client.get("/control/health")).json()["backgroundTasks"] == 1
    dialled = (await client.post("/control/ussd/sessions", json={"code": "*1#", "msisdn": "+254711000001"})).json()
    await client.post("/control/faults", json={"product": "sms", "kind": "refused", "times": 3})
    await client.put("/control/blacklist/+254711000001")
    await client.patch("/control/settings", json={"ussdAnswerTimeoutMs": 1, "deliveryReports": True})
    await client.post("/control/reset")

    health = (await client.get("/control/health")).json()
    assert health == {
        "status": "ok",
        "callbacks": platform.url,
        "sms": {"requests": 0, "accepted": 0, "incoming": 0},
        "airtime": 0,
        "payments": 0,
        "faultsTaken": 0,
        "ussdSessions": 0,
        "calls": 0,
        "backgroundTasks": 0,
    }
    assert (await client.get("/control/settings")).json() == settings
    assert (await client.get("/control/blacklist")).json() == {"numbers": []}
    assert (await client.get("/control/faults")).json() == {"faults": [], "taken": 0}
    assert (await client.get(f"/control/ussd/sessions/{dialled['sessionId']}")).status_code == 404
    assert (await client.get("/control/messages")).json() == {"messages": []}


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/control/ussd/sessions", {"code": "*1#"}, "msisdn"),
        ("/control/ussd/sessions", {"code": "*1#", "msisdn": "+1", "colour": "red"}, "colour"),
        ("/control/sms", {"from": "+254711000001", "to": "1"}, "text"),
        ("/control/sms", {"from": 254, "to": "1", "text": "x"}, "from"),
        ("/control/messages/x/delivery", {}, "status"),
    ],
)
async def test_a_document_that_does_not_fit_is_refused_by_field(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], named: str
) -> None:
    response = await client.post(path, json=body)
    assert response.status_code == 400
    assert named in response.json()["error"]["message"]


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"'])
async def test_what_is_no_json_object_is_refused(client: httpx.AsyncClient, body: str) -> None:
    response = await client.post("/control/sms", content=body)
    assert response.status_code == 400
    assert "JSON" in response.json()["error"]["message"]


async def test_settings_change_all_together_or_not_at_all(client: httpx.AsyncClient) -> None:
    before = (await client.get("/control/settings")).json()
    response = await client.patch("/control/settings", json={"ussdEndEvents": False, "deliveryReportCopies": 99})
    assert response.status_code == 400
    assert (await client.patch("/control/settings", json={"unknown": 1})).status_code == 400
    assert (await client.get("/control/settings")).json() == before


async def test_control_answers_unknown_places_in_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/control/nothing")
    assert (response.status_code, "error" in response.json()) == (404, True)
    assert (await client.put("/control/sms")).status_code == 405
