"""USSD sessions: what the platform gets and what the phone shows."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, Response

pytestmark = pytest.mark.asyncio(loop_scope="module")

MSISDN = "+254711000001"
Eventually = Callable[[Callable[[], Any]], Awaitable[Any]]


class Caller:
    """Dials and types."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.session_id = ""

    async def dial(self, code: str = "*384*1#", **more: Any) -> dict[str, Any]:
        response = await self._client.post("/control/ussd/sessions", json={"code": code, "msisdn": MSISDN, **more})
        assert response.status_code == 201, response.text
        turn: dict[str, Any] = response.json()
        self.session_id = turn["sessionId"]
        return turn

    async def call(self, action: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return await self._client.post(f"/control/ussd/sessions/{self.session_id}/{action}", json=body or {})

    async def type(self, text: str) -> dict[str, Any]:
        response = await self.call("input", {"input": text})
        assert response.status_code == 200, response.text
        turn: dict[str, Any] = response.json()
        return turn

    async def state(self) -> dict[str, Any]:
        state: dict[str, Any] = (await self._client.get(f"/control/ussd/sessions/{self.session_id}")).json()
        return state


@pytest.fixture
def caller(client: httpx.AsyncClient) -> Caller:
    return Caller(client)


def _texts(platform: Any) -> list[str]:
    return [request.form["text"] for request in platform.at("/at/ussd")]


async def test_input_accumulates_in_one_session(platform: Any, caller: Caller) -> None:
    platform.screens("CON Menu\n1. Go", "CON Name?", "END Bye")
    first = await caller.dial()
    assert re.fullmatch(r"ATUid_[0-9a-f]{32}", first["sessionId"])
    assert (first["kind"], first["text"], first["active"], first["warnings"]) == ("CON", "Menu\n1. Go", True, [])
    assert (await caller.type("1"))["text"] == "Name?"
    last = await caller.type("Ama & Co *")
    assert (last["kind"], last["text"], last["active"]) == ("END", "Bye", False)

    assert _texts(platform) == ["", "1", "1*Ama & Co *"]
    for request in platform.at("/at/ussd"):
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert list(request.form) == ["sessionId", "phoneNumber", "networkCode", "serviceCode", "text"]
        assert request.form | {"text": ""} == {
            "sessionId": first["sessionId"],
            "phoneNumber": MSISDN,
            "networkCode": "99999",
            "serviceCode": "*384*1#",
            "text": "",
        }
    assert b"phoneNumber=%2B254711000001" in platform.at("/at/ussd")[0].body


async def test_a_shortcut_arrives_as_text_typed_ahead(platform: Any, caller: Caller) -> None:
    await caller.dial("*384*1*2*3#", serviceCode="*384*1#", networkCode="63902")
    await caller.type("4")
    assert _texts(platform) == ["2*3", "2*3*4"]
    assert platform.received[0].form["serviceCode"] == "*384*1#"
    assert platform.received[0].form["networkCode"] == "63902"


async def test_without_a_service_code_the_whole_dialled_code_is_it(platform: Any, caller: Caller) -> None:
    await caller.dial("*384*1*2*3#")
    assert platform.received[0].form["serviceCode"] == "*384*1*2*3#"
    assert _texts(platform) == [""]


async def test_an_empty_input_leaves_an_empty_place(platform: Any, caller: Caller) -> None:
    await caller.dial()
    for typed in ("1", "", "2"):
        await caller.type(typed)
    assert _texts(platform) == ["", "1", "1*", "1**2"]


@pytest.mark.parametrize(
    ("code", "service_code"),
    [("384", None), ("*384#1#", None), ("*abc#", None), ("*384*12#", "*384*1#"), ("*384*1#", "x")],
)
async def test_what_cannot_be_dialled_is_refused(
    client: httpx.AsyncClient, platform: Any, code: str, service_code: str | None
) -> None:
    body = {"code": code, "msisdn": MSISDN, "serviceCode": service_code}
    assert (await client.post("/control/ussd/sessions", json=body)).status_code == 400
    assert platform.received == []


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse(""),
        PlainTextResponse(" CON hello"),
        PlainTextResponse("\ufeffCON hello"),
        PlainTextResponse("con hello"),
        HTMLResponse("<html>CON</html>"),
        Response('{"message": "CON hello"}', media_type="application/json"),
    ],
    ids=["empty", "space", "byte order mark", "lower case", "html", "json"],
)
async def test_an_answer_that_does_not_start_with_con_or_end_ends_the_session(
    platform: Any, caller: Caller, eventually: Eventually, answer: Response
) -> None:
    platform.will_answer("/at/ussd", answer)
    turn = await caller.dial()
    assert (turn["kind"], turn["text"], turn["active"], turn["errorCode"]) == ("END", "", False, "callback_body")
    assert turn["error"] == "Response should start with a CON or an END"
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    assert (event.form["status"], event.form["errorMessage"]) == ("Failed", turn["error"])


@pytest.mark.parametrize("status", [400, 404, 500, 302])
async def test_a_bad_http_status_ends_the_session(platform: Any, caller: Caller, status: int) -> None:
    platform.will_answer("/at/ussd", PlainTextResponse("CON hello", status, headers={"Location": "/at/elsewhere"}))
    turn = await caller.dial()
    assert (turn["active"], turn["errorCode"]) == (False, "callback_status")
    assert str(status) in turn["error"]
    assert platform.at("/at/elsewhere") == []


async def test_an_answer_that_takes_too_long_ends_the_session(
    client: httpx.AsyncClient, platform: Any, caller: Caller
) -> None:
    release = asyncio.Event()

    async def late() -> Response:
        await release.wait()
        return PlainTextResponse("CON late")

    await client.patch("/control/settings", json={"ussdAnswerTimeoutMs": 100})
    platform.will_answer("/at/ussd", late)
    turn = await caller.dial()
    release.set()
    assert (turn["active"], turn["errorCode"]) == (False, "callback_timeout")
    assert turn["durationMs"] >= 90


async def test_the_default_time_for_a_screen_is_ten_seconds(client: httpx.AsyncClient) -> None:
    assert (await client.get("/control/settings")).json()["ussdAnswerTimeoutMs"] == 10_000


async def test_the_last_callback_is_repeated_byte_for_byte(platform: Any, caller: Caller) -> None:
    platform.will_answer("/at/ussd", PlainTextResponse("CON a", headers={"at-ussd-hop-metadata": "m1"}))
    platform.screens("CON b", "CON b", "END else")
    await caller.dial()
    await caller.type("1")
    same = (await caller.call("repeat")).json()
    assert (same["text"], same["active"], same["warnings"]) == ("b", True, [])
    other = (await caller.call("repeat")).json()
    assert (other["text"], other["active"]) == ("else", True)
    assert other["warnings"] == ["the repeated callback got another answer"]
    _, original, *repeats = platform.at("/at/ussd")
    assert [repeat.body for repeat in repeats] == [original.body] * 2
    assert {request.headers["at-ussd-hop-metadata"] for request in (original, *repeats)} == {"m1"}
    assert (await caller.state())["hops"] == 2


async def test_a_callback_can_be_repeated_while_its_answer_is_awaited_and_after_the_end(
    platform: Any, caller: Caller, eventually: Eventually
) -> None:
    release = asyncio.Event()

    async def late() -> Response:
        await release.wait()
        return PlainTextResponse("END done")

    platform.screens("CON a")
    platform.will_answer("/at/ussd", late, late)
    platform.screens("END done")
    await caller.dial()
    typing = asyncio.create_task(caller.type("1"))
    await eventually(lambda: len(platform.at("/at/ussd")) == 2)
    assert (await caller.call("input", {"input": "2"})).status_code == 409
    repeating = asyncio.create_task(caller.call("repeat"))
    await eventually(lambda: len(platform.at("/at/ussd")) == 3)
    release.set()
    assert (await typing)["text"] == (await repeating).json()["text"] == "done"
    assert (await caller.call("repeat")).json()["text"] == "done"
    assert _texts(platform) == ["", "1", "1", "1"]


async def test_hop_metadata_comes_back_with_the_next_callback_and_in_the_event(
    platform: Any, caller: Caller, eventually: Eventually
) -> None:
    def screen(text: str, metadata: str) -> Response:
        return PlainTextResponse(text, headers={"AT-USSD-Hop-Metadata": metadata})

    platform.will_answer("/at/ussd", screen("CON a", "one"), screen("CON b", "x|y"), screen("END c", "two"))
    assert (await caller.dial())["warnings"] == []
    assert "not carried" in (await caller.type("1"))["warnings"][0]
    await caller.type("2")
    assert [request.headers.get("at-ussd-hop-metadata") for request in platform.at("/at/ussd")] == [None, "one", "one"]
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    assert event.form["hopsMetadata"] == "one|two"


async def test_the_end_is_reported_with_everything_that_happened(
    platform: Any, caller: Caller, eventually: Eventually
) -> None:
    platform.screens("CON a", "END bye\nnow")
    await caller.dial()
    await caller.type("12")
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    form = event.form
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", form.pop("date"))
    assert int(form.pop("durationInMillis")) >= 0
    assert form == {
        "sessionId": caller.session_id,
        "serviceCode": "*384*1#",
        "networkCode": "99999",
        "phoneNumber": MSISDN,
        "status": "Success",
        "cost": "0",
        "hopsCount": "2",
        "hopsMetadata": "",
        "input": "12",
        "lastAppResponse": "END bye\nnow",
    }


async def test_hanging_up_is_incomplete_and_nothing_can_be_typed_after_it(
    platform: Any, caller: Caller, eventually: Eventually
) -> None:
    await caller.dial()
    assert (await caller.call("hangup")).json()["status"] == "Incomplete"
    assert (await caller.call("input", {"input": "1"})).status_code == 409
    assert (await caller.call("hangup")).json()["status"] == "Incomplete"
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    assert event.form["status"] == "Incomplete"
    assert _texts(platform) == [""]


async def test_an_answer_to_a_caller_who_hung_up_changes_nothing(
    platform: Any, caller: Caller, eventually: Eventually
) -> None:
    release = asyncio.Event()

    async def late() -> Response:
        await release.wait()
        return PlainTextResponse("END late")

    platform.screens("CON a")
    platform.will_answer("/at/ussd", late)
    await caller.dial()
    typing = asyncio.create_task(caller.type("1"))
    await eventually(lambda: len(platform.at("/at/ussd")) == 2)
    await caller.call("hangup")
    release.set()
    turn = await typing
    assert (turn["active"], turn["warnings"]) == (False, ["the session ended before the answer came"])
    assert (await caller.state())["status"] == "Incomplete"


async def test_the_network_ends_a_session_that_nobody_ends(
    client: httpx.AsyncClient, platform: Any, caller: Caller, eventually: Eventually
) -> None:
    await client.patch("/control/settings", json={"ussdSessionLimitMs": 50})
    await caller.dial()
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    assert event.form["status"] == "Incomplete"
    assert (await caller.state())["active"] is False


async def test_a_refused_end_event_and_a_switched_off_one_change_nothing(
    client: httpx.AsyncClient, platform: Any, caller: Caller, eventually: Eventually
) -> None:
    platform.will_answer("/at/ussd/events", PlainTextResponse("", 500))
    platform.screens("END a", "END b")
    assert (await caller.dial())["text"] == "a"
    await eventually(lambda: platform.at("/at/ussd/events"))
    await client.patch("/control/settings", json={"ussdEndEvents": False})
    assert (await caller.dial())["text"] == "b"
    assert (await client.get("/control/health")).json()["backgroundTasks"] == 0
    assert len(platform.at("/at/ussd/events")) == 1


@pytest.mark.parametrize(
    ("network", "characters", "warned"),
    [("63902", 160, False), ("63902", 161, True), ("63903", 184, False), ("63903", 185, True), ("99999", 161, True)],
)
async def test_a_screen_beyond_the_network_s_limit_is_warned_about(
    platform: Any, caller: Caller, network: str, characters: int, warned: bool
) -> None:
    platform.screens("CON " + "x" * characters)
    turn = await caller.dial(networkCode=network)
    assert len(turn["text"]) == characters
    assert bool(turn["warnings"]) is warned


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("\u00f1" * 160, False),
        ("\u20ac" * 80, False),
        ("\u20ac" * 81, True),
        ("\u00ea" + "x" * 79, False),
        ("\u00ea" + "x" * 80, True),
        ("\u201cx\u201d" * 27, True),
        ("\U0001f600" * 41, True),
    ],
)
async def test_a_screen_is_measured_as_it_travels(platform: Any, caller: Caller, text: str, warned: bool) -> None:
    """A character of GSM's extension table takes two places; one beyond the alphabet halves the room for all."""
    platform.screens(f"CON {text}")
    assert bool((await caller.dial(networkCode="63902"))["warnings"]) is warned


async def test_odd_answers_and_long_inputs_are_warned_about(platform: Any, caller: Caller) -> None:
    platform.will_answer("/at/ussd", Response("CON\nhello", media_type="text/html"))
    platform.screens("CON ")
    assert (await caller.dial())["warnings"] == [
        "CON and END are followed by a space",
        "the content type is not text/plain",
    ]
    warnings = (await caller.type("9" * 81))["warnings"]
    assert warnings == ["the input has 81 characters; the strictest network takes 80", "the screen is empty"]


async def test_an_unknown_session_is_not_found(client: httpx.AsyncClient) -> None:
    for method, path in (("GET", ""), ("POST", "/input"), ("POST", "/repeat"), ("POST", "/hangup")):
        response = await client.request(method, f"/control/ussd/sessions/nope{path}", json={"input": "1"})
        assert response.status_code == 404
        assert "nope" in response.json()["error"]["message"]


async def test_many_sessions_at_once_keep_apart(client: httpx.AsyncClient, platform: Any) -> None:
    callers = [Caller(client) for _ in range(32)]
    await asyncio.gather(*(caller.dial() for caller in callers))
    await asyncio.gather(*(caller.type(str(number)) for number, caller in enumerate(callers)))
    texts = {request.form["sessionId"]: request.form["text"] for request in platform.at("/at/ussd")}
    assert texts == {caller.session_id: str(number) for number, caller in enumerate(callers)}
