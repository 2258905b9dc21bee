"""Calls: what the platform is asked, how its documents are read, and what a phone can do."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response

pytestmark = pytest.mark.asyncio(loop_scope="module")

MSISDN, NUMBER = "+254711000001", "+254711082000"
Eventually = Callable[[Callable[[], Any]], Awaitable[Any]]
Send = Callable[..., Awaitable[httpx.Response]]


def says(platform: Any, *documents: str) -> None:
    """The platform answers the next callbacks with these actions."""
    platform.will_answer("/at/voice", *(PlainTextResponse(f"<Response>{each}</Response>") for each in documents))


def asked(platform: Any) -> list[dict[str, str]]:
    """The callbacks that wanted an answer."""
    return [request.form for request in platform.at("/at/voice") if request.form["isActive"] == "1"]


async def final(platform: Any, eventually: Eventually) -> dict[str, str]:
    """The last callback of the call."""

    def found() -> dict[str, str] | None:
        return next((each.form for each in platform.at("/at/voice") if each.form["isActive"] == "0"), None)

    return dict(await eventually(found))


async def dial(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/control/calls", json={"from": MSISDN, "to": NUMBER})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def does(client: httpx.AsyncClient, call: dict[str, Any], what: str, **body: str) -> dict[str, Any]:
    answer = await client.post(f"/control/calls/{call['sessionId']}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_call_without_a_wait_is_heard_to_its_end(
    client: httpx.AsyncClient, platform: Any, eventually: Eventually
) -> None:
    says(platform, '<Say voice="man">Hi &amp; bye</Say><Play url="https://x.example/a.mp3"/>')
    call = await dial(client)
    assert [each["text"] for each in call["heard"]] == ["Hi & bye", "https://x.example/a.mp3"]
    last = await final(platform, eventually)
    assert (last["status"], last["hangupCause"], last["direction"]) == ("Success", "NORMAL_CLEARING", "Inbound")
    assert (last["callerNumber"], last["destinationNumber"], last["currencyCode"]) == (MSISDN, NUMBER, "KES")


@pytest.mark.parametrize(("pressed", "digits"), [("12345", "1234"), ("12#9", "12"), ("12", "12"), ("#", "")])
async def test_keys_end_by_number_by_their_key_or_by_silence(
    client: httpx.AsyncClient, platform: Any, pressed: str, digits: str
) -> None:
    says(platform, '<GetDigits numDigits="4" finishOnKey="#" timeout="5"><Say>PIN</Say></GetDigits>', "<Say>Ok</Say>")
    call = await dial(client)
    assert call["waitsFor"] == "keys"
    await does(client, call, "keys", keys=pressed)
    assert asked(platform)[-1]["dtmfDigits"] == digits


async def test_without_a_key_the_next_action_is_done_and_a_redirect_is_asked_from_then_on(
    client: httpx.AsyncClient, platform: Any, eventually: Eventually
) -> None:
    says(platform, f'<GetDigits timeout="5"/><Redirect>{platform.url}/at/voice?nothing=1</Redirect>', "<Say>Bye</Say>")
    call = await does(client, await dial(client), "silence")
    assert [each["text"] for each in call["heard"]] == ["Bye"]
    assert "dtmfDigits" not in asked(platform)[-1]
    await final(platform, eventually)


async def test_the_time_for_keys_runs_out_by_itself(
    client: httpx.AsyncClient, platform: Any, eventually: Eventually
) -> None:
    says(platform, '<GetDigits timeout="0.01"/><Say>Too late</Say>')
    await dial(client)
    assert (await final(platform, eventually))["hangupCause"] == "NORMAL_CLEARING"


@pytest.mark.parametrize(("action", "cause"), [("<Reject/>", "CALL_REJECTED"), ("", "NORMAL_CLEARING")])
async def test_a_call_that_is_not_taken_costs_nothing(
    client: httpx.AsyncClient, platform: Any, eventually: Eventually, action: str, cause: str
) -> None:
    says(platform, action)
    call = await dial(client)
    assert (call["active"], call["hangupCause"]) == (False, cause)
    assert float((await final(platform, eventually))["amount"]) == 0


async def test_a_recording_is_told_and_a_joined_call_lasts_until_somebody_hangs_up(
    client: httpx.AsyncClient, platform: Any, eventually: Eventually
) -> None:
    says(platform, '<Record finishOnKey="#"><Say>Speak</Say></Record>', f'<Dial phoneNumbers="{MSISDN}"/>')
    call = await does(client, await dial(client), "keys", keys="#")
    assert asked(platform)[-1]["recordingUrl"].endswith(".mp3")
    assert call["waitsFor"] == "hangup"
    await does(client, call, "hangup")
    assert (await final(platform, eventually))["dialDestinationNumber"] == MSISDN


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("CON hello"),
        PlainTextResponse("<Response><Reject/><Say>x</Say></Response>"),
        PlainTextResponse("<Response><Shout>x</Shout></Response>"),
        PlainTextResponse('<!DOCTYPE a [<!ENTITY b "c">]><Response/>'),
        Response(status_code=500),
    ],
)
async def test_a_call_ends_when_its_answer_is_no_document(
    client: httpx.AsyncClient, platform: Any, answer: Response
) -> None:
    platform.will_answer("/at/voice", answer)
    call = await dial(client)
    assert (call["active"], call["hangupCause"]) == (False, "NORMAL_TEMPORARY_FAILURE")
    assert call["error"]


async def test_a_phone_that_is_called_rings_and_answers_refuses_or_lets_it_ring(
    client: httpx.AsyncClient, platform: Any, send: Send, eventually: Eventually
) -> None:
    placed = (await send("/voice/call", **{"from": NUMBER, "clientRequestId": "k", "message": None})).json()
    assert (placed["errorMessage"], placed["entries"][0]["status"]) == ("None", "Queued")
    call = placed["entries"][0]
    says(platform, "<Say>Hello</Say>")
    answered = await does(client, call, "answer")
    assert [each["text"] for each in answered["heard"]] == ["Hello"]
    assert (asked(platform)[0]["clientRequestId"], asked(platform)[0]["direction"]) == ("k", "Outbound")
    await final(platform, eventually)

    platform.received.clear()
    busy = (await send("/voice/call", **{"from": NUMBER, "message": None})).json()["entries"][0]
    await does(client, busy, "refuse", cause="USER_BUSY")
    last = await final(platform, eventually)
    assert (last["status"], last["hangupCause"], last["amount"]) == ("Aborted", "USER_BUSY", "0")

    platform.received.clear()
    await client.patch("/control/settings", json={"voiceRingMs": 10})
    await send("/voice/call", **{"from": NUMBER, "message": None})
    assert (await final(platform, eventually))["hangupCause"] == "NO_ANSWER"


async def test_calls_that_cannot_be_placed_say_so_in_the_answer(client: httpx.AsyncClient, send: Send) -> None:
    wrong = (await send("/voice/call", **{"from": "0718769881", "message": None})).json()
    assert wrong == {"entries": [], "errorMessage": "Invalid callerId: 0718769881"}
    row = (await send("/voice/call", to="0711", **{"from": NUMBER, "message": None})).json()["entries"][0]
    assert (row["status"], row["sessionId"]) == ("InvalidPhoneNumber", "None")
    assert (await client.post("/control/calls/ATVId_0/answer", json={})).status_code == 404
