"""A flow at its limit, as a client of the REST API, a phone and Africa's Talking see it."""

import pytest

from tests.e2e.driving import Document, Platform, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def one_at_a_time(workflow_id: str, trigger: Document) -> Document:
    return flow(
        workflow_id,
        trigger,
        [ask("menu", "Menu"), bye("end", "Bye")],
        ["start>menu", "menu>end"],
        settings={"maxConcurrentExecutions": 1},
    )


async def test_a_flow_with_a_limit_has_no_warning(platform: Platform) -> None:
    answer = await platform.rest.post("/api/workflows/validate", json=one_at_a_time(new_id("limited"), dialled()))

    assert (answer.json()["valid"], answer.json()["warnings"]) == (True, [])


async def test_a_client_is_told_what_is_full_and_when_to_come_back(platform: Platform) -> None:
    workflow_id = new_id("limited")
    body = {"workflow": one_at_a_time(workflow_id, dialled()), "triggerPayload": {"msisdn": new_phone()}}
    first = await platform.rest.post("/api/workflows/execute", json=body)
    second = await platform.rest.post("/api/workflows/execute", json=body)

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.headers["retry-after"] == "5"
    assert second.json()["code"] == "WORKFLOW_BUSY"
    assert workflow_id in second.json()["message"]


async def test_a_phone_gets_a_plain_sentence_and_the_next_dial_gets_the_menu(platform: Platform) -> None:
    code = new_code()
    await platform.publish(one_at_a_time(new_id("limited"), dialled(code)))
    first = await platform.dial(code, new_phone())
    other_phone = new_phone()
    refused = await platform.dial(code, other_phone)
    await first.type("1")
    again = await platform.dial(code, other_phone)

    assert str(refused.screen) == "END This service is busy at the moment. Please dial again in a few minutes."
    assert str(again.screen) == "CON Menu"


async def test_an_sms_for_a_full_flow_is_not_acknowledged_until_there_is_room(platform: Platform) -> None:
    keyword = new_id("word")
    workflow_id = await platform.publish(one_at_a_time(new_id("limited"), texted(keyword=keyword)))
    form = {"from": new_phone(), "to": "22384", "text": keyword, "date": "2026-01-01T00:00:00Z", "linkId": "l"}

    async def post(message_id: str) -> int:
        return (await platform.callbacks.post("/at/sms", data={**form, "id": message_id})).status_code

    statuses = [await post("limit-1"), await post("limit-2"), await post("limit-1")]
    running = await platform.only_execution(workflow_id)
    await platform.rest.post(f"/api/workflows/executions/{running['executionId']}/cancel")

    assert statuses == [200, 503, 200]
    assert await post("limit-2") == 200
