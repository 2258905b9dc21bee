"""What Africa's Talking posts, what the engine gets of it, and what goes back."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import grpc
import pytest
from structlog.testing import capture_logs

from emulator.config import EmulatorConfig
from emulator.server import running as running_emulator
from launcher.valkey import free_port
from njia.engine.v1.engine_service_pb2 import (
    HandleDeliveryReportRequest,
    HandleSmsRequest,
    HandleUssdEndRequest,
    HandleUssdRequest,
    Reply,
)
from rpc import patient_channel
from rpc.http_connection import Patience
from rpc.http_server import serve_http
from rpc.status import Refusal
from services.at_adapter import server
from services.at_adapter.callbacks.app import CallbackPath
from services.at_adapter.callbacks.fields import MAX_BODY_BYTES, phone_number
from services.at_adapter.callbacks.outbox import KEY as OUTBOX
from services.at_adapter.callbacks.ussd import UNAVAILABLE_TEXT
from storage.connection import Client

USSD = "sessionId=ATUid_1a2b&phoneNumber=%2B254711000001&networkCode=63902&serviceCode=%2A384%2A1%23&text=1%2A2"
SMS = (
    "linkId=03090445075804249226&text=Msg&to=21512&id=ec9adc86-51d5-4bc8-8eb0-d8ab0bb53dc3"
    "&date=2017-05-03T06%3A04%3A45Z&from=%2B254791541111"
)
REPORT = (
    "id=ATXid_dda018a640edfcc5d2ce455de3e4a6e7&status=Success&phoneNumber=%2B254711000001&networkCode=63902"
    "&retryCount=0"
)
EVENT = (
    "date=2026-09-28+10%3A00%3A00&sessionId=ATUid_1a2b&serviceCode=%2A384%2A1%23&networkCode=99999"
    "&phoneNumber=%2B254711000001&status=Incomplete&cost=0&durationInMillis=8000&hopsCount=2&input=1%2A2"
    "&lastAppResponse=CON+Hello&errorMessage="
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def adapter(start_adapter: Any, engine: Any) -> Any:
    return await start_adapter(NJIA_ENGINE_TARGET=engine.target)


async def post(adapter: Any, path: str, body: str | bytes, **headers: str) -> Any:
    return await adapter.callbacks.post(path, content=body, headers=headers or FORM)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_screen_begins_with_con_and_the_engine_gets_the_turn(adapter: Any, engine: Any) -> None:
    engine.servicer.reply = Reply(kind="con", text="Karibu\n1. Salio")

    answer = await post(adapter, "/at/ussd", USSD)

    assert (answer.status_code, answer.text) == (200, "CON Karibu\n1. Salio")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert engine.servicer.ussd == [
        HandleUssdRequest(
            session_id="ATUid_1a2b",
            msisdn="+254711000001",
            service_code="*384*1#",
            network_code="63902",
            text="1*2",
        )
    ]


async def test_the_last_screen_begins_with_end(adapter: Any, engine: Any) -> None:
    engine.servicer.reply = Reply(kind="end", text="Kwaheri")
    assert (await post(adapter, "/at/ussd", USSD)).text == "END Kwaheri"

    engine.servicer.reply = Reply(kind="end", text="")
    assert (await post(adapter, "/at/ussd", USSD)).text == f"END {UNAVAILABLE_TEXT}"


async def test_a_turn_is_read_however_it_is_written(adapter: Any, engine: Any) -> None:
    """Forms and JSON, a plus sign that was not encoded, a wrong content type, a missing network, blanks that count."""
    as_json = (
        '{"sessionId":"ATUid_1a2b","phoneNumber":"+254711000001","networkCode":63902,"serviceCode":"*384*1#",'
        '"text":"1*2","extra":null}'
    )
    bodies = (
        (USSD.replace("%2B", "+"), FORM),
        (USSD.replace("%2B", ""), FORM),
        (USSD, {"Content-Type": "text/plain"}),
        (USSD, {"Content-Type": "application/json"}),
        (as_json, FORM),
    )
    for body, headers in bodies:
        assert (await post(adapter, "/at/ussd", body, **headers)).text == "CON Welcome", body
    assert len(engine.servicer.ussd) == len(bodies)
    assert all(turn == engine.servicer.ussd[0] for turn in engine.servicer.ussd)

    await post(adapter, "/at/ussd", "sessionId=s&phoneNumber=%2B254711000001&text=+a++b+")
    turn = engine.servicer.ussd[-1]
    assert (turn.text, turn.network_code) == (" a  b ", "")


def test_phone_numbers_become_e164_and_other_senders_stay() -> None:
    written = {
        "+254711000001": "+254711000001",
        "254711000001": "+254711000001",
        " 254711000001": "+254711000001",
        "+254 711": "+254 711",
        "21512": "21512",
        "29022158": "29022158",
        "SAFARICOM": "SAFARICOM",
        "0711000001": "0711000001",
        "": "",
    }
    assert {text: phone_number(text) for text in written} == written


async def test_a_turn_that_cannot_be_used_ends_with_a_sentence(adapter: Any, engine: Any) -> None:
    for body in ("", "phoneNumber=%2B254711000001&text=", "sessionId=ATUid_1&text=", "{broken", "&" * 300, b"\xff\xfe"):
        answer = await post(adapter, "/at/ussd", body)
        assert (answer.status_code, answer.text) == (200, f"END {UNAVAILABLE_TEXT}"), body
    assert engine.servicer.ussd == []


async def test_an_engine_that_refuses_ends_with_a_sentence(adapter: Any, engine: Any) -> None:
    engine.servicer.refusal = Refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "internal error")
    answer = await post(adapter, "/at/ussd", USSD)
    assert (answer.status_code, answer.text) == (200, f"END {UNAVAILABLE_TEXT}")


@pytest.mark.usefixtures("impatient")
async def test_while_the_engine_is_away_a_session_ends_and_an_sms_is_to_be_posted_again(
    adapter: Any, engine: Any
) -> None:
    await engine.stop()

    screen, sms = await asyncio.gather(post(adapter, "/at/ussd", USSD), post(adapter, "/at/sms", SMS))

    assert (screen.status_code, screen.text) == (200, f"END {UNAVAILABLE_TEXT}")
    assert sms.status_code == 503


async def test_an_engine_that_takes_too_long_ends_with_a_sentence_in_time(start_adapter: Any, engine: Any) -> None:
    adapter = await start_adapter(NJIA_ENGINE_TARGET=engine.target, NJIA_USSD_BUDGET_MS="500")
    engine.servicer.think_seconds = 60.0

    started = time.monotonic()
    answer = await post(adapter, "/at/ussd", USSD)

    assert (answer.status_code, answer.text) == (200, f"END {UNAVAILABLE_TEXT}")
    # Not before the engine had its time, and long before it has an answer.
    assert 0.9 < time.monotonic() - started < 30


async def test_a_turn_survives_a_restart_of_the_engine(
    adapter: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_channel, "CONNECT_WITHIN_SECONDS", 30.0)
    await post(adapter, "/at/ussd", USSD)
    await engine.stop()
    turn = asyncio.create_task(post(adapter, "/at/ussd", USSD))
    await asyncio.sleep(0.3)  # The engine is away for so long while the subscriber waits.
    await engine.start()

    assert (await turn).text == "CON Welcome"


async def test_an_incoming_sms_is_recorded_before_it_is_acknowledged(adapter: Any, engine: Any) -> None:
    answer = await post(adapter, "/at/sms", SMS)

    expected = HandleSmsRequest(
        message_id="ec9adc86-51d5-4bc8-8eb0-d8ab0bb53dc3",
        msisdn="+254791541111",
        message="Msg",
        short_code="21512",
        link_id="03090445075804249226",
    )
    expected.sent_at.FromJsonString("2017-05-03T06:04:45Z")
    assert answer.status_code == 200
    assert engine.servicer.sms == [expected]


async def test_every_way_to_write_the_time_of_an_sms_is_read(adapter: Any, engine: Any) -> None:
    for written in ("2017-05-03+06%3A04%3A45", "2017-05-03%2B06%3A04%3A45", "2017-05-03T09%3A04%3A45%2B03%3A00"):
        await post(adapter, "/at/sms", SMS.replace("2017-05-03T06%3A04%3A45Z", written))
        assert engine.servicer.sms[-1].sent_at.ToJsonString() == "2017-05-03T06:04:45Z", written

    for written in ("yesterday", "0001-01-01T00%3A00%3A00%2B03%3A00"):
        answer = await post(adapter, "/at/sms", SMS.replace("2017-05-03T06%3A04%3A45Z", written))
        assert (answer.status_code, engine.servicer.sms[-1].HasField("sent_at")) == (200, False), written


async def test_an_sms_that_the_engine_cannot_record_now_is_to_be_posted_again(adapter: Any, engine: Any) -> None:
    engine.servicer.refusal = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ENGINE_BUSY", "full")
    assert (await post(adapter, "/at/sms", SMS)).status_code == 503


async def test_a_dial_that_a_full_engine_refuses_gets_a_plain_sentence(adapter: Any, engine: Any) -> None:
    engine.servicer.refusal = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ENGINE_BUSY", "full", retry_after_ms=1000)
    answer = await post(adapter, "/at/ussd", USSD)

    assert (answer.status_code, answer.text) == (200, f"END {UNAVAILABLE_TEXT}")


async def test_an_sms_that_can_never_be_used_says_why(adapter: Any, engine: Any) -> None:
    answer = await post(adapter, "/at/sms", "from=%2B254791541111&text=hi")
    assert (answer.status_code, answer.text) == (400, "the field id is missing")

    engine.servicer.refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "no")
    assert (await post(adapter, "/at/sms", SMS)).status_code == 400


async def test_a_delivery_report_reaches_the_engine_whatever_its_status(adapter: Any, engine: Any) -> None:
    assert (await post(adapter, "/at/sms/delivery", REPORT)).status_code == 200
    assert (await post(adapter, "/at/sms/delivery", "id=m&status=Teleported&failureReason=Odd")).status_code == 200

    assert engine.servicer.reports == [
        HandleDeliveryReportRequest(
            message_id="ATXid_dda018a640edfcc5d2ce455de3e4a6e7",
            status="Success",
            msisdn="+254711000001",
            network_code="63902",
        ),
        HandleDeliveryReportRequest(message_id="m", status="Teleported", failure_reason="Odd"),
    ]


@pytest.mark.also_on_a_cluster
async def test_a_delivery_report_waits_for_an_engine_that_is_away(
    adapter: Any, engine: Any, redis: Client, start_adapter: Any
) -> None:
    """It survives the adapter too: another replica hands it over."""
    await engine.stop()
    answer = await post(adapter, "/at/sms/delivery", REPORT)
    waiting = await redis.zcard(OUTBOX)
    adapter.stop.set()
    await adapter.serving

    await start_adapter(NJIA_ENGINE_TARGET=engine.target)
    await engine.start()
    await until(lambda: len(engine.servicer.reports) == 1)

    assert (answer.status_code, waiting) == (200, 1)
    assert engine.servicer.reports[0].message_id == "ATXid_dda018a640edfcc5d2ce455de3e4a6e7"
    async with asyncio.timeout(30):
        while await redis.zcard(OUTBOX):
            await asyncio.sleep(0.01)


async def test_the_outbox_is_bounded(start_adapter: Any, engine: Any) -> None:
    adapter = await start_adapter(NJIA_ENGINE_TARGET=engine.target, NJIA_AT_OUTBOX_CAPACITY="2")
    await engine.stop()

    statuses = [
        (await post(adapter, "/at/sms/delivery", f"id=m{number}&status=Sent")).status_code for number in range(3)
    ]

    assert statuses == [200, 200, 503]


async def test_the_engine_is_told_how_a_session_ended(adapter: Any, engine: Any) -> None:
    assert (await post(adapter, "/at/ussd/events", EVENT)).status_code == 200
    assert (await post(adapter, "/at/ussd/events", "status=Success")).status_code == 400
    assert engine.servicer.ends == [HandleUssdEndRequest(session_id="ATUid_1a2b", status="Incomplete")]
    assert engine.servicer.ussd == []


async def test_the_end_of_a_session_waits_while_the_engine_is_away(
    start_adapter: Any, engine: Any, redis: Client
) -> None:
    adapter = await start_adapter(NJIA_ENGINE_TARGET=engine.target)
    await engine.stop()
    assert (await post(adapter, "/at/ussd/events", EVENT)).status_code == 200
    await engine.start()
    await until(lambda: len(engine.servicer.ends) == 1)
    assert engine.servicer.ends[0].session_id == "ATUid_1a2b"


async def test_a_body_over_the_limit_is_refused(adapter: Any, engine: Any) -> None:
    for path in ("/at/ussd", "/at/sms", "/at/sms/delivery", "/at/ussd/events"):
        assert (await post(adapter, path, "text=" + "x" * MAX_BODY_BYTES)).status_code == 413
    assert engine.servicer.ussd == []
    assert engine.servicer.sms == []


async def test_with_a_token_nothing_answers_without_it(start_adapter: Any, engine: Any) -> None:
    token = "s3cret-token_0123456789"
    adapter = await start_adapter(NJIA_ENGINE_TARGET=engine.target, NJIA_AT_CALLBACK_TOKEN=token)

    assert (await post(adapter, f"/at/{token}/ussd", USSD)).text == "CON Welcome"
    assert (await post(adapter, f"/at/{token}/sms", SMS)).status_code == 200
    assert (await adapter.callbacks.get("/health")).json() == {"status": "ok"}
    for path in get_args(CallbackPath):
        assert (await post(adapter, f"/at/{token}{path}", "")).status_code in (200, 400), path
        assert (await post(adapter, f"/at{path}", USSD)).status_code == 404, path
    for path in ("/at/ussd", "/at/wrong-token-0123456789/ussd", f"/at/{token}x/ussd", "/at//ussd", "/", f"/{token}"):
        assert (await post(adapter, path, USSD)).status_code == 404, path
        assert (await adapter.callbacks.get(path)).status_code == 404, path
    assert len(engine.servicer.ussd) == 1


@pytest.mark.parametrize("own", [None, "s3cret-token_0123456789"])
async def test_callbacks_with_another_token_are_told_of_without_it(
    start_adapter: Any, engine: Any, own: str | None
) -> None:
    """All that Africa's Talking sees is 404, and the phone a fault of the network."""
    token = {} if own is None else {"NJIA_AT_CALLBACK_TOKEN": own}
    adapter = await start_adapter(NJIA_ENGINE_TARGET=engine.target, **token)
    with capture_logs() as logs:
        for path in ("/at/an-old-token-0123456789/ussd", "/at/an-old-token-0123456789/sms", "/favicon.ico"):
            assert (await post(adapter, path, USSD)).status_code == 404, path
    (told,) = (entry for entry in logs if "address" in entry["event"])
    assert told["callback"] == "/ussd"
    assert "NJIA_AT_CALLBACK_TOKEN" in told["what_to_do"]
    assert "an-old-token" not in str(logs)


async def test_without_an_engine_the_callbacks_are_not_there(start_adapter: Any, emulator: Any, sms: Any) -> None:
    adapter = await start_adapter(AT_BASE_URL=emulator.url)

    assert len((await adapter.stub.SendSms(sms())).recipients) == 1
    with pytest.raises(OSError, match=r"(?i)connect"):
        await asyncio.open_connection("127.0.0.1", adapter.callbacks.base_url.port)


async def test_the_emulators_handset_reaches_the_engine_and_sees_its_screen(adapter: Any, engine: Any) -> None:
    config = EmulatorConfig(
        listen=f"127.0.0.1:{free_port()}",
        callbacks_url=str(adapter.callbacks.base_url).rstrip("/"),
        callback_token=None,
        api_key="emulator",
        delivery_reports=True,
    )
    async with running_emulator(config) as url:
        dialled = await adapter.callbacks.post(
            f"{url}/control/ussd/sessions", json={"code": "*384*1#", "msisdn": "+254711000001"}
        )

    assert dialled.json()["text"] == "Welcome"
    [turn] = engine.servicer.ussd
    assert (turn.msisdn, turn.service_code, turn.text) == ("+254711000001", "*384*1#", "")


async def test_a_callback_that_does_not_come_to_its_end_is_sent_away(
    start_adapter: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "serve_http", partial(serve_http, patience=Patience(body=0.2)))
    adapter = await start_adapter(NJIA_ENGINE_TARGET=engine.target)
    url = adapter.callbacks.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /at/ussd HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\n\r\nsessionId=")
    async with asyncio.timeout(30):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        await reader.read()
    writer.close()
    assert engine.servicer.ussd == []
