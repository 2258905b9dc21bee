"""Somebody opts out of messages, and joins again."""

import pytest

from tests.e2e.driving import Platform, new_id, new_phone, results_of
from tests.e2e.flows import flow, node, sms, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_flow_that_writes_to_somebody_who_opted_out_takes_its_error_edge_until_they_subscribe(
    platform: Platform,
) -> None:
    phone = new_phone()
    send = {**sms("send"), "config": {"to": "{{msisdn}}", "message": "hello", "from": "22384"}}
    caught = node("caught", "CONDITION", {"expression": "1 == 1"})
    spec = flow(new_id("opt-out"), texted(), [send, caught], ["start>send", "send:error>caught"])
    payload = {"msisdn": phone, "message": "x"}

    told = await platform.control.post("/control/opt-outs", json={"phoneNumber": phone, "senderId": "22384"})
    assert told.json()["delivered"] is True
    result = await platform.execute(spec, payload)
    [row] = results_of(result, "send")
    assert (row["error"]["code"], row["error"]["type"]) == ("OPTED_OUT", "permanent")
    assert [row["status"] for row in results_of(result, "caught")] == ["success"]
    assert await platform.sent_to(phone) == []

    change = {"phoneNumber": phone, "shortCode": "22384", "keyword": "news", "updateType": "Addition"}
    assert (await platform.control.post("/control/subscriptions", json=change)).json()["delivered"] is True
    assert [row["status"] for row in results_of(await platform.execute(spec, payload), "send")] == ["success"]
    assert await platform.sent_to(phone) == ["hello"]
