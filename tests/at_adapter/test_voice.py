"""Calls: what Africa's Talking posts, the documents that it gets, and how a call is placed."""

import json
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import grpc
import pytest
from structlog.testing import capture_logs

from emulator.callbacks import CallbackAnswer
from emulator.voice.document import GetDigits, Heard, Redirect, Reject, read_document
from njia.at_adapter.v1.voice_pb2 import PlaceCallRequest
from njia.engine.v1.voice_pb2 import (
    GetDigitsAction,
    HandleVoiceEndRequest,
    HandleVoiceRequest,
    HandleVoiceResponse,
    HoldAction,
    PlayAction,
    RedirectAction,
    RejectAction,
    SayAction,
    VoiceAction,
)
from rpc.status import refusal_of
from services.at_adapter.callbacks.voice import UNAVAILABLE_TEXT
from services.at_adapter.callbacks.voice_document import VoiceAddress, document
from storage.connection import Client

FIRST = (
    "isActive=1&sessionId=ATVId_1a2b&direction=Inbound&callerNumber=%2B254711000001&destinationNumber=%2B254711082000"
    "&callSessionState=Ringing&callStartTime=2022-03-01+16%3A13%3A56&somethingNew=1"
)
LAST = (
    "isActive=0&sessionId=ATVId_1a2b&direction=Outbound&callerNumber=%2B254711000001&destinationNumber=%2B254711082000"
    "&clientRequestId=exe_1%3Acall%3A0&durationInSeconds=0&currencyCode=KES&amount=0&status=Aborted"
    "&hangupCause=NO_ANSWER&lastBridgeHangupCause=WHO_KNOWS"
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ADDRESS = VoiceAddress("https://at.example/at/voice")


@pytest.fixture
async def adapter(start_adapter: Any, engine: Any) -> Any:
    return await start_adapter(NJIA_ENGINE_TARGET=engine.target)


def read(text: str) -> list[Any]:
    """What Africa's Talking makes of a document."""
    return list(read_document(CallbackAnswer(200, {}, text.encode())))


def say(text: str, voice: str = "", *, interruptible: bool = False) -> VoiceAction:
    return VoiceAction(say=SayAction(text=text, voice=voice, interruptible=interruptible))


def keys(**more: Any) -> VoiceAction:
    return VoiceAction(get_digits=GetDigitsAction(max_digits=4, timeout_seconds=5, **more))


def test_a_text_is_escaped_and_what_xml_cannot_hold_is_left_out() -> None:
    text = 'Fish & "chips" < 5 > 3\x00\x0b\ufffe, \U0001f41f'
    written = document([say(text, "male")], "t", ADDRESS)
    assert written == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Say voice="man">'
        "Fish &amp; &quot;chips&quot; &lt; 5 &gt; 3, \U0001f41f</Say></Response>"
    )
    url = 'https://x.example/a.mp3?b=1&c="<'
    [played] = read(document([VoiceAction(play=PlayAction(url=url))], "t", ADDRESS))
    assert played == Heard("play", url)


def test_keys_come_back_with_the_turn_and_a_redirect_says_that_none_was_pressed() -> None:
    asked = keys(finish_on_key="#", say=SayAction(text="Your PIN"))
    [get_digits, redirect] = read(document([asked], "turn-1", ADDRESS))
    assert get_digits == GetDigits(Heard("say", "Your PIN"), 4, 5.0, "#", "https://at.example/at/voice?answers=turn-1")
    assert redirect == Redirect("https://at.example/at/voice?nothing=turn-1")


def test_words_that_a_key_may_interrupt_stand_inside_of_what_waits_for_the_key() -> None:
    [get_digits, _] = read(document([say("Menu", interruptible=True), keys()], "t", ADDRESS))
    assert get_digits.prompt == Heard("say", "Menu")
    heard, *_ = read(document([say("Menu", interruptible=True), keys(say=SayAction(text="Press"))], "t", ADDRESS))
    assert heard == Heard("say", "Menu")


def test_a_call_is_rejected_held_or_handed_on() -> None:
    assert read(document([VoiceAction(reject=RejectAction())], "t", ADDRESS)) == [Reject()]
    assert read(document([VoiceAction(hold=HoldAction())], "t", ADDRESS)) == [
        Redirect("https://at.example/at/voice?check=t")
    ]
    assert read(document([VoiceAction(redirect=RedirectAction(url="https://x.example/?a=1&b"))], "t", ADDRESS)) == [
        Redirect("https://x.example/?a=1&b")
    ]
    assert ET.fromstring(document([], "t", ADDRESS)).tag == "Response"


async def test_the_first_callback_of_a_call_is_answered_with_a_document(adapter: Any, engine: Any) -> None:
    engine.servicer.said = HandleVoiceResponse(actions=[say("Karibu"), keys()], turn="t1")
    answer = await adapter.callbacks.post("/at/voice", content=FIRST, headers=FORM)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    _, get_digits, _ = read(answer.text)
    # Without NJIA_PUBLIC_AT_URL the address is the one that the callback came to.
    assert get_digits.callback_url == f"{adapter.callbacks.base_url}/at/voice?answers=t1"
    assert engine.servicer.voice == [
        HandleVoiceRequest(
            session_id="ATVId_1a2b", msisdn="+254711000001", called_number="+254711082000", direction="Inbound"
        )
    ]


@pytest.mark.parametrize(
    ("query", "more", "expected"),
    [
        ("answers=t1", "&dtmfDigits=12", {"answers": "t1", "digits": "12"}),
        ("answers=t1", "", {"answers": "t1", "digits": ""}),
        ("nothing=t1", "&dtmfDigits=9", {"answers": "t1"}),
        ("", "&dtmfDigits=9", {"answers": "", "digits": "9"}),
        ("", "&dtmfDigits=", {"answers": ""}),
        ("check=t1", "", {"answers": "t1", "check": True}),
        ("", "&callerNumber=anonymous", {"msisdn": ""}),
    ],
)
async def test_a_later_callback_says_what_came_of_which_answer(
    adapter: Any, engine: Any, query: str, more: str, expected: dict[str, Any]
) -> None:
    await adapter.callbacks.post(f"/at/voice?{query}", content=FIRST + more, headers=FORM)
    [turn] = engine.servicer.voice
    assert {name: getattr(turn, name) for name in expected} == expected
    assert turn.HasField("digits") == ("digits" in expected)


async def test_the_secret_and_the_public_address_are_in_what_leads_back(start_adapter: Any, engine: Any) -> None:
    token = "0123456789abcdef"
    adapter = await start_adapter(
        NJIA_ENGINE_TARGET=engine.target, NJIA_AT_CALLBACK_TOKEN=token, NJIA_PUBLIC_AT_URL="https://at.example/"
    )
    engine.servicer.said = HandleVoiceResponse(actions=[keys()], turn="t1")
    answer = await adapter.callbacks.post(f"/at/{token}/voice", content=FIRST, headers=FORM)
    assert read(answer.text)[1] == Redirect(f"https://at.example/at/{token}/voice?nothing=t1")


@pytest.mark.parametrize("body", ["", "isActive=1", "isActive=1&sessionId="])
async def test_a_callback_that_cannot_be_used_is_answered_in_words(adapter: Any, engine: Any, body: str) -> None:
    answer = await adapter.callbacks.post("/at/voice", content=body, headers=FORM)
    assert (answer.status_code, read(answer.text)) == (200, [Heard("say", UNAVAILABLE_TEXT)])
    assert engine.servicer.voice == []


@pytest.mark.usefixtures("impatient")
async def test_while_the_engine_is_away_a_caller_hears_that_and_the_end_waits(
    adapter: Any, engine: Any, redis: Client
) -> None:
    await engine.stop()
    answer = await adapter.callbacks.post("/at/voice", content=FIRST, headers=FORM, timeout=10)
    assert read(answer.text) == [Heard("say", UNAVAILABLE_TEXT)]
    assert (await adapter.callbacks.post("/at/voice", content=LAST, headers=FORM, timeout=10)).status_code == 200
    assert await redis.zcard("njia:at:outbox") == 1


@pytest.mark.parametrize("path", ["/at/voice?nothing=t1", "/at/voice/events"])
async def test_the_end_of_a_call_reaches_the_engine_whatever_words_it_has(adapter: Any, engine: Any, path: str) -> None:
    answer = await adapter.callbacks.post(path, content=LAST, headers=FORM)
    assert answer.status_code == 200
    assert engine.servicer.voice_ends == [
        HandleVoiceEndRequest(
            session_id="ATVId_1a2b",
            direction="Outbound",
            request_id="exe_1:call:0",
            status="Aborted",
            hangup_cause="NO_ANSWER",
        )
    ]


async def test_a_call_that_goes_on_is_no_end(adapter: Any, engine: Any) -> None:
    answer = await adapter.callbacks.post("/at/voice/events", content=FIRST, headers=FORM)
    assert (answer.status_code, engine.servicer.voice_ends) == (200, [])


async def test_a_call_is_placed_once_and_rings(start_adapter: Any, emulator: Any) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url)
    order = PlaceCallRequest(idempotency_key="exe_1:call:0", to="+254711000001")
    placed = await adapter.stub.PlaceCall(order)
    assert await adapter.stub.PlaceCall(order) == placed

    [call] = (await emulator.control.get("/control/calls")).json()["calls"]
    assert (placed.session_id, placed.status) == (call["sessionId"], "Queued")
    assert (call["msisdn"], call["state"], call["clientRequestId"]) == ("+254711000001", "Ringing", "exe_1:call:0")


async def test_a_call_is_the_documented_form_with_what_names_it(start_adapter: Any, raw_server: Any) -> None:
    raw_server.answer(
        "200 OK",
        b'{"entries":[{"phoneNumber":"+254711000001","sessionId":"ATVId_9","status":"Queued"}],"errorMessage":"None"}',
        "Content-Type: application/json",
    )
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    await adapter.stub.PlaceCall(PlaceCallRequest(idempotency_key="k", to="+254711000001", caller_id="+254711082001"))
    head, _, body = raw_server.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /voice/call HTTP/1.1")
    assert parse_qs(body) == {
        "username": ["sandbox"],
        "from": ["+254711082001"],
        "to": ["+254711000001"],
        "clientRequestId": ["k"],
    }


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'{"entries":[],"errorMessage":"Invalid callerId: 0718769881"}', "INVALID_SENDER_ID"),
        (b'{"entries":[{"status":"InsufficientCredit","sessionId":"None"}]}', "INSUFFICIENT_BALANCE"),
        (b'{"entries":[{"status":"DestinationNotSupported","sessionId":"None"}]}', "UNSUPPORTED_NUMBER_TYPE"),
        (b'{"entries":[{"status":"InvalidPhoneNumber","sessionId":"None"}]}', "INVALID_PHONE_NUMBER"),
        (b'{"entries":[{"status":"Queued","sessionId":"None"}]}', "SEND_OUTCOME_UNKNOWN"),
        (b"<html>", "SEND_OUTCOME_UNKNOWN"),
    ],
)
async def test_a_call_that_is_not_taken_says_why(
    start_adapter: Any, raw_server: Any, answer: bytes, reason: str
) -> None:
    raw_server.answer("200 OK", answer, "Content-Type: application/json")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.stub.PlaceCall(PlaceCallRequest(idempotency_key="k", to="+254711000001"))
    assert refusal_of(refused.value).reason == reason


@pytest.mark.parametrize("caller_id", ["desk-of-asha", "desk-" + "x" * 250])
async def test_what_a_refusal_quotes_of_the_request_is_masked_before_it_is_cut(
    start_adapter: Any, raw_server: Any, caller_id: str
) -> None:
    refusal = {"entries": [], "errorMessage": f"Invalid callerId: {caller_id}"}
    raw_server.answer("200 OK", json.dumps(refusal).encode(), "Content-Type: application/json")
    adapter = await start_adapter(AT_BASE_URL=raw_server.url)
    order = PlaceCallRequest(idempotency_key="k", to="+254711000001", caller_id=caller_id)
    with capture_logs() as lines, pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.stub.PlaceCall(order)
    assert refusal_of(refused.value).metadata["atStatus"] == "Invalid callerId: ***"
    assert not any("desk" in repr(line) for line in lines)


async def test_a_call_needs_a_number_of_ours_and_one_of_theirs(start_adapter: Any) -> None:
    adapter = await start_adapter(AT_ENVIRONMENT="sandbox", AT_API_KEY="key")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.stub.PlaceCall(PlaceCallRequest(idempotency_key="k", to="+254711000001"))
    assert refusal_of(refused.value).reason == "INVALID_REQUEST"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await adapter.stub.PlaceCall(PlaceCallRequest(idempotency_key="k", to="0711", caller_id="+254711082000"))
    assert refusal_of(refused.value).reason == "INVALID_PHONE_NUMBER"
