"""Every error that the contract documents: code, reason and the kind of failure."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import grpc
import pytest

from launcher.valkey import free_port
from njia.at_adapter.v1.at_adapter_service_pb2 import PremiumSms, SendSmsRequest
from rpc.status import Refusal, refusal_of

Sms = Callable[..., SendSmsRequest]
Code = grpc.StatusCode


async def refused(adapter: Any, request: SendSmsRequest) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.stub.SendSms(request)
    return refusal_of(caught.value)


def summed_up(refusal: Refusal) -> tuple[Code, str, str]:
    return refusal.code, refusal.reason, refusal.metadata["type"]


REJECTED = (Code.FAILED_PRECONDITION, "REJECTED", "permanent")
SERVER_ERROR = (Code.UNAVAILABLE, "SERVER_ERROR", "transient")
OUTCOME_UNKNOWN = (Code.UNKNOWN, "SEND_OUTCOME_UNKNOWN", "permanent")

BY_HTTP_STATUS = {
    400: REJECTED,
    401: (Code.FAILED_PRECONDITION, "AUTHENTICATION_FAILED", "permanent"),
    403: (Code.FAILED_PRECONDITION, "AUTHENTICATION_FAILED", "permanent"),
    404: REJECTED,
    408: SERVER_ERROR,
    409: (Code.FAILED_PRECONDITION, "DO_NOT_DISTURB_REJECTION", "permanent"),
    429: (Code.RESOURCE_EXHAUSTED, "RATE_LIMIT", "rate_limit"),
    500: SERVER_ERROR,
    503: SERVER_ERROR,
}

BY_RECIPIENT_CODE = {
    401: (Code.FAILED_PRECONDITION, "RISK_HOLD", "permanent"),
    402: (Code.FAILED_PRECONDITION, "INVALID_SENDER_ID", "permanent"),
    403: (Code.INVALID_ARGUMENT, "INVALID_PHONE_NUMBER", "validation"),
    404: (Code.FAILED_PRECONDITION, "UNSUPPORTED_NUMBER_TYPE", "permanent"),
    405: (Code.FAILED_PRECONDITION, "INSUFFICIENT_BALANCE", "permanent"),
    406: (Code.FAILED_PRECONDITION, "USER_IN_BLACKLIST", "permanent"),
    407: (Code.FAILED_PRECONDITION, "COULD_NOT_ROUTE", "permanent"),
    409: (Code.FAILED_PRECONDITION, "DO_NOT_DISTURB_REJECTION", "permanent"),
    418: REJECTED,
    500: SERVER_ERROR,
    501: SERVER_ERROR,
    502: SERVER_ERROR,
    555: SERVER_ERROR,
}

BY_MESSAGE_WITHOUT_RECIPIENTS = {
    "InvalidSenderId": (Code.FAILED_PRECONDITION, "INVALID_SENDER_ID", "permanent"),
    "InvalidPhoneNumber": (Code.INVALID_ARGUMENT, "INVALID_PHONE_NUMBER", "validation"),
    "Something that nobody has seen": REJECTED,
    "": REJECTED,
}


async def test_a_status_that_is_no_success_is_a_refusal(adapter: Any, emulator: Any, sms: Sms) -> None:
    seen = {}
    for status in BY_HTTP_STATUS:
        await emulator.fault(kind="http_status", status=status)
        refusal = await refused(adapter, sms(f"status-{status}"))
        seen[status] = summed_up(refusal)
        assert refusal.metadata["httpStatus"] == str(status)

    assert seen == BY_HTTP_STATUS
    assert await emulator.messages() == []


async def test_a_code_that_all_recipients_get_is_a_refusal(adapter: Any, emulator: Any, sms: Sms) -> None:
    seen = {}
    for code in BY_RECIPIENT_CODE:
        await emulator.fault(kind="row_status", statusCode=code)
        refusal = await refused(adapter, sms(f"code-{code}", to=("+254711000001", "+254711000002")))
        seen[code] = summed_up(refusal)
        assert refusal.metadata["atStatusCode"] == str(code)

    assert seen == BY_RECIPIENT_CODE
    assert await emulator.messages() == []


async def test_recipients_refused_for_different_reasons_are_refused_for_the_first(
    start_adapter: Any, raw_server: Any, sms: Sms
) -> None:
    body = (
        b'{"SMSMessageData":{"Message":"Sent to 0/2 Total Cost: 0","Recipients":['
        b'{"cost":"0","messageId":"None","number":"+254711000001","status":"InsufficientBalance","statusCode":405},'
        b'{"cost":"0","messageId":"None","number":"+254711000002","status":"UserInBlacklist","statusCode":406}]}}'
    )
    raw_server.answer("201 Created", body, "Content-Type: application/json")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    assert (await refused(adapter, sms())).reason == "INSUFFICIENT_BALANCE"


async def test_a_recipient_without_a_code_goes_by_its_word(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    row = b'{"number":"+254711000001","status":"UserInBlacklist"}'
    raw_server.answer("201 Created", b'{"SMSMessageData":{"Message":"Sent to 0/1","Recipients":[' + row + b"]}}")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    assert (await refused(adapter, sms())).reason == "USER_IN_BLACKLIST"


async def test_an_answer_without_recipients_is_a_refusal_by_its_message(adapter: Any, emulator: Any, sms: Sms) -> None:
    seen = {}
    for message in BY_MESSAGE_WITHOUT_RECIPIENTS:
        await emulator.fault(kind="empty_recipients", message=message)
        seen[message] = summed_up(await refused(adapter, sms(f"message-{message}")))

    assert seen == BY_MESSAGE_WITHOUT_RECIPIENTS


async def test_what_they_say_is_quoted_without_phone_numbers(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    raw_server.answer("400 Bad Request", b"The number +254711000001 is not yours")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    message = (await refused(adapter, sms())).message

    assert "is not yours" in message
    assert "254711000001" not in message


async def test_a_wrong_key_is_named_and_not_shown(start_adapter: Any, emulator: Any, sms: Sms) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, AT_API_KEY="not-the-key")

    refusal = await refused(adapter, sms())

    assert refusal.reason == "AUTHENTICATION_FAILED"
    assert "AT_API_KEY" in refusal.message
    assert "not-the-key" not in refusal.message


async def test_retry_after_is_handed_on(adapter: Any, emulator: Any, sms: Sms) -> None:
    for status in (429, 503):
        await emulator.fault(kind="http_status", status=status, retryAfterSeconds=7)
        assert (await refused(adapter, sms())).retry_after_ms == 7000


async def test_retry_after_may_be_a_date(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    raw_server.answer("429 Too Many Requests", b"", f"Retry-After: {moment}")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    retry_after_ms = (await refused(adapter, sms())).retry_after_ms

    assert retry_after_ms is not None
    assert 50_000 < retry_after_ms <= 60_000


UNREADABLE = (
    b"The request has been fulfilled and resulted in a new resource being created.",
    b'{"SMSMessageData":{"Message":"Sent to 1/1","Recipie',
    b"[]",
    b"{}",
    b'{"SMSMessageData":{"Message":"Sent to 1/1"}}',
    b'{"SMSMessageData":{"Message":"Sent to 1/1","Recipients":["+254711000001"]}}',
    b"",
)


async def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(
    start_adapter: Any, raw_server: Any, sms: Sms
) -> None:
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    for body in UNREADABLE:
        raw_server.answer("201 Created", body, "Content-Type: application/json")
        assert summed_up(await refused(adapter, sms(f"body {body!r}"))) == OUTCOME_UNKNOWN


async def test_a_redirect_is_not_followed(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    raw_server.answer("302 Found", b"", f"Location: {raw_server.url}/elsewhere")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    assert summed_up(await refused(adapter, sms())) == (Code.FAILED_PRECONDITION, "REJECTED", "permanent")
    assert len(raw_server.requests) == 1


async def test_a_lost_answer_leaves_the_outcome_unknown(adapter: Any, emulator: Any, sms: Sms) -> None:
    await emulator.fault(kind="lost_answer")

    assert summed_up(await refused(adapter, sms())) == (Code.UNKNOWN, "SEND_OUTCOME_UNKNOWN", "permanent")
    assert len(await emulator.messages()) == 1


async def test_an_answer_cut_short_leaves_the_outcome_unknown(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        writer.close()

    raw_server.act = cut
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)

    assert (await refused(adapter, sms())).reason == "SEND_OUTCOME_UNKNOWN"


async def test_an_answer_that_does_not_come_leaves_the_outcome_unknown(
    start_adapter: Any, emulator: Any, sms: Sms
) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_AT_READ_TIMEOUT_MS="100")
    await emulator.fault(kind="slow", delayMs=120_000)

    refusal = await refused(adapter, sms())

    assert summed_up(refusal) == (Code.UNKNOWN, "SEND_OUTCOME_UNKNOWN", "permanent")
    await emulator.let_go()


async def test_an_answer_that_drips_leaves_the_outcome_unknown(start_adapter: Any, raw_server: Any, sms: Sms) -> None:
    """Each byte comes within the read time-out, the whole answer does not."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    raw_server.act = drip
    adapter = await start_adapter(
        AT_BASE_URL=raw_server.url, NJIA_AT_READ_TIMEOUT_MS="200", NJIA_AT_CONNECT_TIMEOUT_MS="500"
    )

    assert (await refused(adapter, sms())).reason == "SEND_OUTCOME_UNKNOWN"


async def test_no_connection_means_that_nothing_was_sent(start_adapter: Any, sms: Sms) -> None:
    adapter = await start_adapter(AT_BASE_URL=f"http://127.0.0.1:{free_port()}")

    refusal = await refused(adapter, sms())
    assert summed_up(refusal) == (Code.UNAVAILABLE, "NETWORK_ERROR", "transient")
    assert refusal.message == "no connection to Africa's Talking: Connection refused"


UNSENDABLE: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"key": ""}, "INVALID_REQUEST", "idempotency_key"),
    ({"key": "k" * 257}, "INVALID_REQUEST", "idempotency_key"),
    ({"to": ()}, "INVALID_REQUEST", "to"),
    ({"to": ("+254711000001",) * 1001}, "INVALID_REQUEST", "to"),
    ({"message": ""}, "INVALID_REQUEST", "message"),
    ({"message": "m" * 1601}, "INVALID_REQUEST", "message"),
    ({"premium": PremiumSms()}, "INVALID_REQUEST", "sender"),
    ({"to": ("0711000001",)}, "INVALID_PHONE_NUMBER", "to[0]"),
    ({"to": ("+254711000001", "+0711000001")}, "INVALID_PHONE_NUMBER", "to[1]"),
    ({"to": ("+254711000001\n",)}, "INVALID_PHONE_NUMBER", "to[0]"),
    ({"to": ("+254711000001,+254711000002",)}, "INVALID_PHONE_NUMBER", "to[0]"),
    ({"to": ("+٢٥٤٧١١٠٠٠٠٠١",)}, "INVALID_PHONE_NUMBER", "to[0]"),
    ({"to": ("+" + "1" * 16,)}, "INVALID_PHONE_NUMBER", "to[0]"),
)


async def test_a_request_that_cannot_be_sent_says_which_field(adapter: Any, emulator: Any, sms: Sms) -> None:
    for fields, reason, field in UNSENDABLE:
        refusal = await refused(adapter, sms(**fields))
        assert summed_up(refusal) == (Code.INVALID_ARGUMENT, reason, "validation")
        assert [violation.field for violation in refusal.violations] == [field]

    assert await emulator.messages() == []


async def test_a_failed_connect_is_repeated_once_and_the_key_stays_free(start_adapter: Any, sms: Sms) -> None:
    """The server takes the connection and hangs up before TLS is agreed, so no request can have gone out."""
    connects = []

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connects.append(writer)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    adapter = await start_adapter(AT_BASE_URL=f"https://127.0.0.1:{port}")

    reasons = [(await refused(adapter, sms())).reason for _ in range(2)]
    server.close()

    assert reasons == ["NETWORK_ERROR", "NETWORK_ERROR"]
    assert len(connects) == 4


async def test_an_address_that_speaks_no_tls_is_told_of_in_words(start_adapter: Any, sms: Sms) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with suppress(ConnectionError):
            # Until the adapter hangs up: a reset of ours could come before it has read the line.
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    adapter = await start_adapter(AT_BASE_URL=f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    refusal = await refused(adapter, sms())
    server.close()

    assert refusal.reason == "NETWORK_ERROR"
    assert refusal.message.startswith("no connection to Africa's Talking: TLS failed: ")


async def test_redis_that_does_not_answer_means_that_nothing_was_sent(
    start_adapter: Any, emulator: Any, sms: Sms, valkey_server: Any, tmp_path: Any
) -> None:
    from launcher import valkey

    own = await valkey.start(tmp_path, free_port(), fsync="no")
    adapter = await start_adapter(AT_BASE_URL=emulator.url, NJIA_REDIS_URL=own.url)
    own.stop()

    assert summed_up(await refused(adapter, sms())) == (Code.UNAVAILABLE, "STORE_UNAVAILABLE", "transient")
    assert await emulator.messages() == []

    again = await valkey.start(tmp_path, int(own.url.split(":")[2].split("/")[0]), fsync="no")
    try:
        response = await adapter.stub.SendSms(sms())
        assert len(response.recipients) == 1
    finally:
        again.stop()
