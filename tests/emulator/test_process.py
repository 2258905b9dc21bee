"""The emulator as a process of its own, and the addresses that it calls."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from emulator.config import from_env
from emulator.server import running
from rpc.listening import ListenFailed

pytestmark = pytest.mark.asyncio(loop_scope="module")

STARTED_WITHIN_SECONDS = 60


@asynccontextmanager
async def _process(**environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator"),
        env={"PATH": os.environ["PATH"], "NJIA_EMULATOR_LISTEN": "127.0.0.1:0", **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        # Reading to the end lets the pipe close before the loop does.
        await process.communicate()


async def _url(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(STARTED_WITHIN_SECONDS):
        line = json.loads(await process.stderr.readline())
    assert line["event"] == "emulator ready"
    return str(line["url"])


async def test_sigterm_stops_it_cleanly_with_a_request_and_a_retry_under_way() -> None:
    async with _process(NJIA_EMULATOR_CALLBACKS="http://127.0.0.1:1") as process:
        url = await _url(process)
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
            sms = {"from": "+254711000001", "to": "22334", "text": "hi"}
            assert (await client.post("/control/sms", json=sms)).json()["lastStatus"] is None
            fault = {"product": "sms", "kind": "slow", "delayMs": 500}
            await client.post("/control/faults", json=fault)
            form = {"username": "sandbox", "to": "+254711000001", "message": "x"}
            headers = {"apiKey": "emulator", "Accept": "application/json"}
            sending = asyncio.create_task(client.post("/api/version1/messaging", data=form, headers=headers))
            async with asyncio.timeout(30):
                while not (await client.get("/control/messages")).json()["messages"]:
                    await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            assert (await sending).status_code == 201
        async with asyncio.timeout(30):
            _, rest = await process.communicate()
        assert process.returncode == 0
        assert b"Traceback" not in rest
        assert b"+254711000001" not in rest


async def test_a_wrong_environment_is_told_whole_with_exit_code_2() -> None:
    async with _process(NJIA_EMULATOR_LISTEN="0.0.0.0:8070", NJIA_EMULATOR_CALLBACKS="x") as process:
        _, told = await process.communicate()
    assert process.returncode == 2
    assert [line.split(b":")[1].strip() for line in told.splitlines()] == [
        b"NJIA_EMULATOR_LISTEN",
        b"NJIA_EMULATOR_CALLBACKS",
    ]


async def test_a_taken_address_is_told_with_exit_code_1(emulator_url: str) -> None:
    taken = emulator_url.removeprefix("http://")
    async with _process(NJIA_EMULATOR_LISTEN=taken) as process:
        _, told = await process.communicate()
    assert process.returncode == 1
    assert told.decode().strip() == f"emulator: cannot listen on {taken}: Address already in use"


async def test_a_host_that_is_not_this_machine_is_no_address() -> None:
    config = from_env({"NJIA_EMULATOR_LISTEN": "192.0.2.1:8070", "NJIA_EMULATOR_EXPOSE": "true"})
    with pytest.raises(ListenFailed):
        async with running(config):
            pytest.fail("it listens on an address of somebody else")


async def test_a_token_is_part_of_every_callback_s_path_and_of_no_answer(platform: Any) -> None:
    environ = {
        "NJIA_EMULATOR_LISTEN": "127.0.0.1:0",
        "NJIA_EMULATOR_CALLBACKS": f"{platform.url}/",
        "NJIA_AT_CALLBACK_TOKEN": "s3cret",
    }
    async with (
        running(from_env(environ)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
    ):
        sms = {"from": "+254711000001", "to": "22334", "text": "hi"}
        assert (await client.post("/control/sms", json=sms)).json()["delivered"] is True
        report = {"status": "Sent", "phoneNumber": "+254711000001"}
        await client.post("/control/messages/x/delivery", json=report)
        dialled = await client.post("/control/ussd/sessions", json={"code": "*1#", "msisdn": "+254711000001"})
        assert dialled.json()["errorCode"] == "callback_body"
    paths = [request.path for request in platform.received]
    assert paths[:3] == ["/at/s3cret/sms", "/at/s3cret/sms/delivery", "/at/s3cret/ussd"]

    environ["NJIA_EMULATOR_CALLBACKS"] = "http://127.0.0.1:1"
    async with (
        running(from_env(environ)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
    ):
        dialled = await client.post("/control/ussd/sessions", json={"code": "*1#", "msisdn": "+254711000001"})
    assert dialled.json()["errorCode"] == "callback_unreachable"
    assert dialled.json()["error"] == "http://127.0.0.1:1/at/ussd gave no answer: Connection refused"
