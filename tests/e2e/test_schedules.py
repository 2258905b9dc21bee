"""A flow that a clock starts, over two engine processes of which one is killed."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from launcher import process
from launcher.stack import ROOT, wait_until_ready
from launcher.valkey import free_port
from tests.e2e.driving import Document, Platform, eventually, new_id, results_of
from tests.e2e.flows import flow, node

pytestmark = pytest.mark.asyncio(loop_scope="session")

TIMES = 4
STOP_WITHIN_SECONDS = 60


@pytest_asyncio.fixture(loop_scope="session")
async def with_two_engines(separate: Platform) -> AsyncIterator[Platform]:
    """The set with a second engine, to which no call comes: it only looks for what is due."""
    listen = f"127.0.0.1:{free_port()}"
    environ = {**separate.stack.environ, "NJIA_ENGINE_LISTEN": listen}
    log = separate.stack.log("engine-2")
    second = process.start("engine-2", separate.stack.layout["engine"], environ, log, ROOT)
    await wait_until_ready([second], gateway_url=separate.stack.gateway_url, also=[listen])
    yield separate
    second.check()
    second.stop(STOP_WITHIN_SECONDS)


def every_second(workflow_id: str) -> Document:
    trigger = node("start", "SCHEDULED", {"cronExpression": "* * * * * *", "maxExecutions": TIMES})
    return flow(workflow_id, trigger, [node("note", "CONDITION", {"expression": "true"})], ["start>note"])


async def test_each_time_is_met_once_though_an_engine_is_killed(with_two_engines: Platform) -> None:
    platform = with_two_engines
    workflow_id = await platform.publish(every_second(new_id("tick")))

    async def has_begun() -> bool:
        return bool(await platform.executions(workflow_id))

    await eventually(has_begun)
    platform.stack.kill("engine")
    await platform.stack.restart("engine")
    await platform.ready()

    async def all_have_ended() -> list[Document] | None:
        saved = (await platform.rest.get(f"/api/workflows/{workflow_id}")).json()
        found = await platform.executions(workflow_id)
        is_over = "nextRunAt" not in saved and all(log["status"] != "running" for log in found)
        return found if is_over else None

    logs: list[Document] = await eventually(all_have_ended)
    times = sorted(datetime.fromisoformat(results_of(log, "start")[0]["output"]["scheduledAt"]) for log in logs)
    assert [log["status"] for log in logs] == ["completed"] * TIMES
    assert times == [times[0] + timedelta(seconds=number) for number in range(TIMES)]
