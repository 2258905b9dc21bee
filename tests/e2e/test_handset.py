"""The example market from the handset program: every screen and text as a person sees them, against a golden."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from launcher.stack import ROOT
from tests.e2e.driving import EXAMPLES, Platform, new_phone, results_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOLDENS = Path(__file__).parent / "goldens"
PROMPT = b"> "
SCREEN_WITHIN_SECONDS = 60.0
CODE = "*384*1#"


class Handset:
    """The program, with a pipe in the place of a person: it is given a line once it asks for one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._shown = b""

    async def prompt(self) -> None:
        """Reads until it asks for an input."""
        output = self._process.stdout
        assert output is not None
        async with asyncio.timeout(SCREEN_WITHIN_SECONDS):
            while not self._shown.endswith(b"\n" + PROMPT):
                read = await output.read(1)
                assert read, f"it ended instead of asking: {self._shown.decode()}"
                self._shown += read

    async def type(self, line: str) -> None:
        await self.prompt()
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        # What was typed is echoed behind the prompt.
        self._shown += await self._process.stdout.readline()  # type: ignore[union-attr]

    async def end(self) -> str:
        """Returns all that was shown, once the program has ended well."""
        rest, _ = await asyncio.wait_for(self._process.communicate(), SCREEN_WITHIN_SECONDS)
        shown = (self._shown + rest).decode()
        assert self._process.returncode == 0, shown
        return re.sub(r"\+254\d{9}", "+254711000001", shown)


async def dial(platform: Platform, phone: str, code: str = CODE) -> Handset:
    return Handset(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "emulator.handset", "--code", code, "--from", phone),
            *("--emulator", platform.stack.emulator_url),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
    )


async def play(platform: Platform, phone: str, lines: Sequence[str], code: str = CODE) -> str:
    handset = await dial(platform, phone, code)
    for line in lines:
        await handset.type(line)
    return await handset.end()


@pytest_asyncio.fixture(loop_scope="session")
async def market(platform: Platform) -> AsyncIterator[str]:
    workflow_id = await platform.publish((EXAMPLES / "market.json").read_text())
    yield workflow_id
    await platform.unpublish(workflow_id)


SELLING = ["1", "99", "98", "5", "99", "0", "7", "2.", "0", " 2", "", "120 kg", "120 "]
"""
Prices to the second page and back, an answer that leads nowhere, home, a wrong choice, the question and back, no answer
and a wrong one, then the offer.
"""

MARKET_NODES = ("home", "enough", "keep", "too-little", "bye")


async def test_the_market_is_walked_with_loops_pages_and_a_text(platform: Platform, market: str) -> None:
    phone = new_phone()

    shown = await play(platform, phone, SELLING)

    assert shown == (GOLDENS / "market-deal.txt").read_text()
    log = (await platform.executions(market))[0]
    assert log["status"] == "completed"
    ran = {name: [row for row in results_of(log, name) if row["status"] != "skipped"] for name in MARKET_NODES}
    assert [row["visit"] for row in ran["home"]] == [0, 1, 2, 3]
    assert [row["output"]["result"] for row in ran["enough"]] == [True]
    assert [row["output"]["sessionData"] for row in ran["keep"]] == [{"kilos": "120"}]
    assert ran["too-little"] == ran["bye"] == []


async def test_a_small_offer_takes_the_other_branch_and_sends_nothing(platform: Platform, market: str) -> None:
    phone = new_phone()

    shown = await play(platform, phone, ["2", "49"])

    assert shown == (GOLDENS / "market-too-little.txt").read_text()
    assert await platform.sent_to(phone) == []


async def test_airtime_is_paid_for_on_the_phone(platform: Platform) -> None:
    for name in ("airtime-shop", "airtime-shop-paid"):
        await platform.publish((EXAMPLES / f"{name}.json").read_text())

    shown = await play(platform, new_phone(), ["7", "KES 50", " 50", "1"], "*384*5#")

    assert shown == (GOLDENS / "airtime-shop.txt").read_text()
    for name in ("airtime-shop", "airtime-shop-paid"):
        await platform.unpublish(name)


async def test_prices_come_by_sms(platform: Platform) -> None:
    phone = new_phone()
    await platform.publish((EXAMPLES / "price-by-sms.json").read_text())

    handset = Handset(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "emulator.handset", "--sms", "Price maize", "--to", "22384", "--from", phone),
            *("--emulator", platform.stack.emulator_url),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
    )

    assert await handset.end() == (GOLDENS / "price-by-sms.txt").read_text()
    await platform.unpublish("price-by-sms")


async def kill_everything(platform: Platform) -> None:
    """Kills every process of the platform, Valkey too. The emulator stays: it is the network, which holds the call."""
    names = ["valkey", *platform.stack.layout]
    before = [platform.stack.pid(name) for name in names]
    for name in names:
        platform.stack.kill(name)
    for name in names:
        await platform.stack.start(name)
    await platform.stack.ready()
    assert not set(before) & {platform.stack.pid(name) for name in names}


async def test_killing_every_process_between_two_screens_changes_nothing_for_the_caller(separate: Platform) -> None:
    await separate.publish((EXAMPLES / "market.json").read_text())
    phone = new_phone()
    handset = await dial(separate, phone)
    for line in SELLING[:2]:
        await handset.type(line)
    await handset.prompt()
    await kill_everything(separate)
    for line in SELLING[2:-1]:
        await handset.type(line)
    await handset.prompt()
    await kill_everything(separate)
    await handset.type(SELLING[-1])

    assert await handset.end() == (GOLDENS / "market-deal.txt").read_text()
    assert len(await separate.sent_to(phone)) == 1
