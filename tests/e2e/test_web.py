"""The web and the platform as real processes: a webhook that ends in an SMS, a request that an engine dies with."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from tests.e2e.driving import EXAMPLES, Document, Platform, eventually, execute, new_id, new_phone, results_of
from tests.e2e.flows import flow, node, texted

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = {"Authorization": "Bearer change-this-token"}


async def test_a_serious_alert_is_in_the_inbox_of_who_is_on_call(platform: Platform) -> None:
    phone = new_phone()
    await platform.publish((EXAMPLES / "alert-by-webhook.json").read_text())
    alert = {"service": "billing", "severity": 4, "summary": "disk full", "to": phone}

    wrong = await platform.rest.post("/webhooks/alert-by-webhook/alerts", json=alert)
    small = await platform.rest.post(
        "/webhooks/alert-by-webhook/alerts?wait=true", json=alert | {"severity": 1}, headers=TOKEN
    )
    serious = await platform.rest.post("/webhooks/alert-by-webhook/alerts", json=alert, headers=TOKEN)

    assert (wrong.status_code, small.status_code, serious.status_code) == (401, 200, 202)
    assert small.json()["status"] == "completed"

    async def inbox() -> list[str]:
        return await platform.sent_to(phone)

    await eventually(inbox)
    assert await inbox() == ["billing: disk full"]
    await platform.unpublish("alert-by-webhook")


@dataclass
class Server:
    """
    A server that answers nothing until it is told to.

    Attributes:
        asked: Methods, in the order in which they were asked.
        status: What it answers, with the sales of a day.
    """

    url: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.method)
        await self.answers.wait()
        return web.json_response({"orders": 12, "total": 45600}, status=self.status)


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[Server]:
    server = Server()
    application = web.Application()
    application.router.add_route("*", "/", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield server
    server.answers.set()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "12 orders today, KES 45,600.00 in all."),
        (404, "There is no report tonight: the server did not answer as it should."),
    ],
)
async def test_the_nightly_report_comes_by_sms_or_an_apology_does(
    separate: Platform, server: Server, status: int, text: str
) -> None:
    phone = new_phone()
    server.status = status
    server.answers.set()

    result = await separate.execute(
        (EXAMPLES / "nightly-report.json").read_text(), {"reportUrl": server.url, "to": phone}
    )

    assert result["status"] == "completed"
    assert await separate.sent_to(phone) == [text]
    log = await separate.log(result["executionId"])
    asked = results_of(log, "sales")[-1]
    assert asked.get("error", {}).get("details") == (
        None if status == 200 else {"statusCode": 404, "body": {"orders": 12, "total": 45600}}
    )


def one_request(server: Server, method: str) -> Document:
    config = {"url": server.url, "method": method, "timeout": 60_000}
    return flow(new_id(f"{method.lower()}-once"), texted(), [node("ask", "HTTP_REQUEST", config)], ["start>ask"])


async def test_an_engine_that_is_killed_with_requests_under_way_repeats_what_only_looks(
    separate: Platform, server: Server
) -> None:
    """Both at once, so that the lease of the dead engine runs out only once."""
    started = [
        (await separate.engine.Execute(execute(one_request(server, method), {}, wait_ms=0), timeout=15)).result
        for method in ("GET", "POST")
    ]
    await eventually(lambda: sorted(server.asked) == ["GET", "POST"])

    separate.stack.kill("engine")
    await separate.stack.start("engine")
    await separate.ready()
    server.answers.set()

    async def both_ended() -> list[Document]:
        logs = [await separate.log(it.execution_id) for it in started]
        return [] if any(log["status"] == "running" for log in logs) else logs

    looked, changed = await eventually(both_ended)
    assert looked["status"] == "completed"
    assert changed["status"] == "failed"
    assert results_of(changed, "ask")[-1]["error"]["code"] == "SEND_OUTCOME_UNKNOWN"
    assert sorted(server.asked) == ["GET", "GET", "POST"]
