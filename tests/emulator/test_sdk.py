"""The official SDK against the emulator."""

import asyncio

import httpx
import pytest
import requests
from africastalking.Service import AfricasTalkingException
from africastalking.SMS import SMSService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def sdk(emulator_url: str) -> SMSService:
    return _service(emulator_url, "emulator")


def _service(emulator_url: str, api_key: str) -> SMSService:
    service = SMSService("sandbox", api_key)
    service._baseUrl = f"{emulator_url}/api/version1"
    service._contentUrl = f"{emulator_url}/content/version1"
    return service


async def test_the_sdk_reads_the_answer_as_a_document(sdk: SMSService, client: httpx.AsyncClient) -> None:
    answer = await asyncio.to_thread(sdk.send, "Habari", ["+254711000001"], "NJIA", enqueue=True)
    assert answer["SMSMessageData"]["Recipients"][0]["statusCode"] == 102
    (message,) = (await client.get("/control/messages")).json()["messages"]
    assert (message["to"], message["from"], message["text"]) == ("+254711000001", "NJIA", "Habari")


async def test_the_sdk_sends_a_premium_message(sdk: SMSService, client: httpx.AsyncClient) -> None:
    answer = await asyncio.to_thread(sdk.send_premium, "News", "22334", ["+254711000001"], "news", "L1", 2)
    assert answer["SMSMessageData"]["Message"] == "Sent to 1/1"
    (message,) = (await client.get("/control/messages")).json()["messages"]
    assert message["premium"] is True


async def test_the_sdk_fetches_what_phones_sent(sdk: SMSService, client: httpx.AsyncClient) -> None:
    for text in ("one", "two"):
        await client.post("/control/sms", json={"from": "+254711000001", "to": "22334", "text": text})
    answer = await asyncio.to_thread(sdk.fetch_messages)
    messages = answer["SMSMessageData"]["Messages"]
    assert [(message["text"], message["from"], message["to"]) for message in messages] == [
        ("one", "+254711000001", "22334"),
        ("two", "+254711000001", "22334"),
    ]
    answer = await asyncio.to_thread(sdk.fetch_messages, messages[0]["id"])
    assert [message["text"] for message in answer["SMSMessageData"]["Messages"]] == ["two"]


async def test_a_wrong_key_is_the_sdk_s_exception(emulator_url: str) -> None:
    service = _service(emulator_url, "wrong")
    with pytest.raises(AfricasTalkingException, match="The supplied authentication is invalid"):
        await asyncio.to_thread(service.send, "Habari", ["+254711000001"])


async def test_a_lost_answer_is_a_connection_error_of_a_message_that_went_out(
    sdk: SMSService, client: httpx.AsyncClient
) -> None:
    await client.post("/control/faults", json={"product": "sms", "kind": "lost_answer"})
    with pytest.raises(requests.exceptions.ConnectionError):
        await asyncio.to_thread(sdk.send, "Habari", ["+254711000001"])
    assert len((await client.get("/control/messages")).json()["messages"]) == 1
