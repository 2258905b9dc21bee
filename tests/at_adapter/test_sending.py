"""What goes out and what comes back when all goes well."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from njia.at_adapter.v1.at_adapter_service_pb2 import PremiumSms, SendSmsRequest

Sms = Callable[..., SendSmsRequest]

ACCEPTED = (
    b'{"SMSMessageData":{"Message":"Sent to 1/1 Total Cost: USD 0.0079 Message parts: 1","Recipients":[{"cost":'
    b'"KES 0.8000","messageId":"ATXid_7468c9a251f9e9efcc6b2f7ea756a56c","number":"+254711000001","status":"Success",'
    b'"statusCode":102}]}}'
)


async def test_a_message_reaches_the_phone_and_the_receipt_names_it(adapter: Any, emulator: Any, sms: Sms) -> None:
    response = await adapter.stub.SendSms(sms(message="You said: hi"))

    [message] = await emulator.messages()
    [recipient] = response.recipients
    assert (message["to"], message["text"]) == ("+254711000001", "You said: hi")
    assert (recipient.number, recipient.status, recipient.message_id) == (
        "+254711000001",
        "Success",
        message["id"],
    )
    assert recipient.cost.startswith("KES ")
    assert response.summary.startswith("Sent to 1/1")


async def test_not_enqueued_is_said_and_enqueued_too(adapter: Any, sms: Sms) -> None:
    """Africa's Talking queues by default, so a send must say when it is not to be: 101 handed over, 102 queued."""
    handed_over = await adapter.stub.SendSms(sms("a", enqueue=False))
    queued = await adapter.stub.SendSms(sms("b", enqueue=True))

    assert (handed_over.recipients[0].status_code, queued.recipients[0].status_code) == (101, 102)


async def test_a_bulk_request_is_the_documented_form(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    raw_server.answer("201 Created", ACCEPTED, "Content-Type: application/json")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url, AT_API_KEY="secret-key")

    await adapter.stub.SendSms(sms(to=("+254711000001", "+254711000002"), sender="NJIA", message="a+b & c"))

    [request] = raw_server.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    assert head.startswith("POST /api/version1/messaging HTTP/1.1")
    assert "apikey: secret-key" in head.lower()
    assert "accept: application/json" in head.lower()
    assert parse_qs(body) == {
        "username": ["sandbox"],
        "to": ["+254711000001,+254711000002"],
        "message": ["a+b & c"],
        "from": ["NJIA"],
        "bulkSMSMode": ["1"],
        "enqueue": ["0"],
    }


async def test_a_premium_request_goes_to_the_content_host(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    raw_server.answer("201 Created", ACCEPTED, "Content-Type: application/json")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    await adapter.stub.SendSms(sms(sender="21512", premium=PremiumSms(keyword="news", link_id="link-1")))

    [request] = raw_server.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    assert head.startswith("POST /content/version1/messaging HTTP/1.1")
    assert parse_qs(body) == {
        "username": ["sandbox"],
        "to": ["+254711000001"],
        "message": ["Hello"],
        "from": ["21512"],
        "bulkSMSMode": ["0"],
        "keyword": ["news"],
        "linkId": ["link-1"],
        "enqueue": ["0"],
    }


async def test_an_answer_with_a_charset_in_its_content_type_is_read(
    start_adapter: Any, raw_server: Any, sms: Sms
) -> None:
    raw_server.answer("201 Created", ACCEPTED, "Content-Type: application/json; charset=utf-8")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    response = await adapter.stub.SendSms(sms())

    assert response.recipients[0].message_id == "ATXid_7468c9a251f9e9efcc6b2f7ea756a56c"


async def test_recipients_that_are_refused_are_rows_beside_those_that_are_not(
    adapter: Any, emulator: Any, sms: Sms
) -> None:
    await emulator.control.put("/control/blacklist/+254711000002")

    response = await adapter.stub.SendSms(sms(to=("+254711000002", "+254711000001")))

    refused, accepted = response.recipients
    assert (refused.status_code, refused.status, refused.message_id) == (406, "UserInBlacklist", "")
    assert (accepted.status_code, accepted.status) == (101, "Success")


async def test_connections_are_kept(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    raw_server.answer("201 Created", ACCEPTED, "Content-Type: application/json")
    writers = set()
    accept = raw_server.act

    async def note(writer: Any) -> None:
        writers.add(writer)
        await accept(writer)

    raw_server.act = note
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    for number in range(5):
        await adapter.stub.SendSms(sms(f"key-{number}"))

    assert len(writers) == 1
