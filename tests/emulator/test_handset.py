"""The phone in the terminal, run as a person runs it."""

import asyncio
import contextlib
import os
import pty
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response

from emulator import money

pytestmark = pytest.mark.asyncio(loop_scope="module")

MSISDN = "+254711000001"
ENDS_WITHIN_SECONDS = 60
Send = Callable[..., Awaitable[httpx.Response]]
Eventually = Callable[[Callable[[], Any]], Awaitable[Any]]


def _command(url: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "emulator.handset", "--emulator", url, "--from", MSISDN, *arguments)


async def _run(url: str, *arguments: str, typed: str = "", wait: str = "0.1") -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *_command(url, "--wait", wait, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
    )
    async with asyncio.timeout(ENDS_WITHIN_SECONDS):
        shown, _ = await process.communicate(typed.encode())
    return process.returncode, shown.decode()


async def test_a_piped_conversation_is_a_transcript(emulator_url: str, platform: Any) -> None:
    platform.screens("CON Welcome\n1. Name\n0. Back", "CON Your name?", "END Asante [bold]Ama[/bold]")
    code, shown = await _run(emulator_url, "--code", "*384*1#", typed="1\nAma\n")
    assert shown == (
        "Dialling *384*1# from +254711000001. /hangup or Ctrl-C hangs up.\n"
        "╭──────────────── *384*1# ─────────────────╮\n"
        "│ Welcome                                  │\n"
        "│ 1. Name                                  │\n"
        "│ 0. Back                                  │\n"
        "╰──────────────────────────────────────────╯\n"
        "> 1\n"
        "╭──────────────── *384*1# ─────────────────╮\n"
        "│ Your name?                               │\n"
        "╰──────────────────────────────────────────╯\n"
        "> Ama\n"
        "╭──────────────── *384*1# ─────────────────╮\n"
        "│ Asante [bold]Ama[/bold]                  │\n"
        "╰───────────── session ended ──────────────╯\n"
    )
    assert code == 0
    assert [request.form["text"] for request in platform.at("/at/ussd")] == ["", "1", "1*Ama"]


async def test_an_sms_that_comes_after_the_end_is_shown(emulator_url: str, platform: Any, send: Send) -> None:
    sending: list[asyncio.Task[httpx.Response]] = []

    async def send_late() -> httpx.Response:
        await asyncio.sleep(0.3)
        return await send(message="Your receipt", **{"from": "NJIA"})

    async def end() -> Response:
        sending.append(asyncio.create_task(send_late()))
        return PlainTextResponse("END Bye")

    await send(message="an old message")
    platform.will_answer("/at/ussd", end)
    code, shown = await _run(emulator_url, "--code", "*384*1#", wait="10")
    await asyncio.gather(*sending)
    assert code == 0
    assert "SMS from NJIA" in shown
    assert "Your receipt" in shown
    assert "an old message" not in shown


async def test_an_empty_line_is_sent_and_hangup_hangs_up(
    emulator_url: str, platform: Any, eventually: Eventually
) -> None:
    code, shown = await _run(emulator_url, "--code", "*384*1#", typed="1\n\n/hangup\n")
    assert code == 0
    assert shown.endswith("> /hangup\nHung up.\n")
    assert [request.form["text"] for request in platform.at("/at/ussd")] == ["", "1", "1*"]
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    assert event.form["status"] == "Incomplete"


async def test_input_that_ends_before_the_session_is_an_error(emulator_url: str, platform: Any) -> None:
    code, shown = await _run(emulator_url, "--code", "*384*1#", typed="1")
    assert code == 1
    assert "The input ended before the session did" in shown


async def test_what_a_terminal_would_obey_is_not_shown_as_it_is(emulator_url: str, platform: Any) -> None:
    platform.screens("END \x1b[31mred\x07")
    _, shown = await _run(emulator_url, "--code", "*384*1#")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "red" in shown


async def test_warnings_and_bad_answers_are_told(emulator_url: str, platform: Any) -> None:
    platform.screens("CON " + "x" * 200, "oops")
    code, shown = await _run(emulator_url, "--code", "*384*1#", "--network", "63902", typed="1\n")
    assert code == 1
    assert "! the screen has 200 characters; Safaricom shows 160 at a time" in shown
    assert "The network ended the session: Response should start with a CON or an END." in shown


async def test_a_code_that_cannot_be_dialled_is_refused(emulator_url: str) -> None:
    code, shown = await _run(emulator_url, "--code", "384")
    assert code == 1
    assert "The emulator refused: '384' is no USSD code; one looks like *384*1#." in shown


async def test_a_shortcut_is_split_at_the_service_code(emulator_url: str, platform: Any) -> None:
    platform.screens("END Bye")
    assert (await _run(emulator_url, "--code", "*384*1*2#", "--service-code", "*384*1#"))[0] == 0
    assert platform.at("/at/ussd")[0].form["text"] == "2"


async def test_without_an_emulator_it_says_what_to_start() -> None:
    code, shown = await _run("http://127.0.0.1:1", "--code", "*384*1#")
    assert code == 1
    assert "The emulator does not answer at http://127.0.0.1:1." in shown
    assert "make run" in shown


async def test_a_text_gets_its_answer(emulator_url: str, platform: Any, send: Send) -> None:
    async def answer() -> Response:
        await send(message="You said: hi", **{"from": "22334"})
        return PlainTextResponse("")

    platform.will_answer("/at/sms", answer)
    code, shown = await _run(emulator_url, "--sms", "hi", "--to", "22334", wait="5")
    assert code == 0
    assert "SMS from 22334" in shown
    assert "You said: hi" in shown
    (request,) = platform.at("/at/sms")
    assert (request.form["from"], request.form["to"], request.form["text"]) == (MSISDN, "22334", "hi")


async def test_a_person_opts_out_of_a_sender_or_of_all(emulator_url: str, platform: Any) -> None:
    code, shown = await _run(emulator_url, "--opt-out", "NJIA")
    assert (code, shown) == (
        0,
        "+254711000001 opts out of the messages of NJIA.\nThe platform has noted it.\n",
    )
    platform.will_answer("/at/sms/opt-out", PlainTextResponse("", 503))
    code, shown = await _run(emulator_url, "--opt-out", "")
    assert (code, "HTTP 503: it has not noted it" in shown) == (1, True)
    assert [request.form for request in platform.at("/at/sms/opt-out")] == [
        {"senderId": "NJIA", "phoneNumber": MSISDN}, {"phoneNumber": MSISDN},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "read"),
    [("KES 50.0000", "KES 50.00"), ("USD 0.1250", "USD 0.125"), ("UGX 1500", "UGX 1500.00"), ("much", "much")],
)
async def test_amounts_are_shown_as_people_write_them(written: str, read: str) -> None:
    assert money.shown(written) == read


async def test_a_text_without_an_answer_is_an_error(emulator_url: str, platform: Any) -> None:
    platform.will_answer("/at/sms", PlainTextResponse("", 503))
    code, shown = await _run(emulator_url, "--sms", "hi", "--to", "22334", wait="0.3")
    assert code == 1
    assert "The platform answered HTTP 503" in shown
    assert "No answer within 0.3 s. `njia executions` says" in shown


async def test_at_a_terminal_an_sms_is_shown_while_the_phone_waits_for_input(
    emulator_url: str, platform: Any, send: Send, eventually: Eventually
) -> None:
    platform.screens("CON Name?", "END Bye")
    shown = bytearray()
    terminal, its_other_end = pty.openpty()
    os.set_blocking(terminal, False)

    def read() -> None:
        # A terminal whose program has ended gives an error instead of an end of file.
        with contextlib.suppress(OSError):
            shown.extend(os.read(terminal, 65536))

    loop = asyncio.get_running_loop()
    process = await asyncio.create_subprocess_exec(
        *_command(emulator_url, "--code", "*384*1#", "--wait", "0.1"),
        stdin=its_other_end,
        stdout=its_other_end,
        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
    )
    os.close(its_other_end)
    loop.add_reader(terminal, read)
    try:
        await eventually(lambda: b"Name?" in shown and shown.endswith(b"> "))
        await send(message="Meanwhile")
        await eventually(lambda: b"Meanwhile" in shown and shown.endswith(b"> "))
        os.write(terminal, b"Ama\n")
        async with asyncio.timeout(ENDS_WITHIN_SECONDS):
            assert await process.wait() == 0
        assert b"\x1b[" in shown
        assert [request.form["text"] for request in platform.at("/at/ussd")] == ["", "Ama"]
    finally:
        loop.remove_reader(terminal)
        os.close(terminal)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_ctrl_c_hangs_up(emulator_url: str, platform: Any, eventually: Eventually) -> None:
    process = await asyncio.create_subprocess_exec(
        *_command(emulator_url, "--code", "*384*1#"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    async with asyncio.timeout(ENDS_WITHIN_SECONDS):
        await process.stdout.readuntil(b"> ")
        process.send_signal(2)
        shown, _ = await process.communicate()
    assert process.returncode == 130
    assert b"Hung up." in shown
    (event,) = await eventually(lambda: platform.at("/at/ussd/events"))
    assert event.form["status"] == "Incomplete"


async def test_a_call_is_a_transcript_of_what_is_heard_and_pressed(emulator_url: str, platform: Any) -> None:
    platform.will_answer(
        "/at/voice",
        PlainTextResponse('<Response><GetDigits numDigits="1" timeout="60"><Say>Press 1</Say></GetDigits></Response>'),
        PlainTextResponse('<Response><Say>Thank you</Say><Play url="https://x.example/bye.mp3"/></Response>'),
    )
    code, shown = await _run(emulator_url, "--call", "+254711082000", typed="1\n")
    assert shown == (
        "Calling +254711082000 from +254711000001. /hangup or Ctrl-C hangs up, an empty line waits.\n"
        "♪ Press 1\n"
        "> 1\n"
        "♪ Thank you\n"
        "♪ [https://x.example/bye.mp3]\n"
        "The call is over (NORMAL_CLEARING).\n"
    )
    assert code == 0


async def test_a_call_that_is_rejected_says_where_to_look(emulator_url: str, platform: Any) -> None:
    platform.will_answer("/at/voice", PlainTextResponse("<Response><Reject/></Response>"))
    code, shown = await _run(emulator_url, "--call", "+254711082999")
    assert code == 1
    assert shown.splitlines()[1:] == [
        "The call is over (CALL_REJECTED).",
        "`njia unclaimed` lists it where no flow is for this number.",
    ]


async def test_whoever_waits_for_a_call_picks_up_or_refuses(emulator_url: str, platform: Any, send: Send) -> None:
    platform.will_answer("/at/voice", PlainTextResponse("<Response><Say>Hello</Say></Response>"))
    await send("/voice/call", **{"from": "+254711082000", "message": None})
    code, shown = await _run(emulator_url, "--answer", typed="\n", wait="5")
    assert (code, "♪ Hello" in shown) == (0, True)

    await send("/voice/call", **{"from": "+254711082000", "message": None})
    code, shown = await _run(emulator_url, "--answer", typed="/busy\n", wait="5")
    assert (code, shown.splitlines()[-1]) == (1, "Refused.")
