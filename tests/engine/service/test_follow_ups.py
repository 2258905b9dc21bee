"""What follows an execution that failed: it is started again, then its flow's error webhook is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from services.engine.executions import error_webhooks, follow_ups
from services.engine.store import keys
from storage.connection import connect, disconnect
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from tests.engine.service.publishing import publish
from tests.engine.service.waiting import until

HOOK = {"type": "HTTP_WEBHOOK", "config": {"path": "/", "retry": {"attempts": 2, "backoffMs": 100}}}
FAILS = {"id": "fails", "type": "SWITCH", "config": {"value": "{{service}}", "cases": [{"value": "a", "label": "a"}]}}


@dataclass
class Listener:
    """
    Is told of failures.

    Attributes:
        statuses: What it answers, the last one for good.
    """

    url: str = ""
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [200])

    async def answer(self, request: web.Request) -> web.Response:
        self.told.append((request.headers["Idempotency-Key"], await request.json()))
        return web.Response(status=self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    application = web.Application()
    application.router.add_post("/failed", listener.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/failed"
    yield listener
    await runner.cleanup()


@pytest.fixture
async def platform(start_platform: StartPlatform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setattr(follow_ups, "FIRST_PAUSE_MS", 50)
    monkeypatch.setattr(follow_ups, "LOOK_SECONDS", 0.05)
    return await start_platform(NJIA_HTTP_ALLOW="127.0.0.1")


async def executions_of(platform: Platform, workflow_id: str) -> list[pb.ExecutionLog]:
    """Those that have ended, oldest first."""
    answer = await platform.engine.ListExecutions(pb.ListExecutionsRequest(workflow_id=workflow_id))
    ended = [it for it in answer.executions if it.status != workflow_pb2.EXECUTION_STATUS_RUNNING]
    return sorted(ended, key=lambda it: it.started_at.ToMilliseconds())


def called(workflow_id: str, body: bytes = b"{}") -> pb.HandleWebhookRequest:
    json_type = pb.HttpHeader(name="Content-Type", value="application/json")
    return pb.HandleWebhookRequest(workflow_id=workflow_id, method="POST", path="/", headers=[json_type], body=body)


async def nothing_follows(redis_url: str) -> bool:
    client = connect(redis_url)
    try:
        return await client.exists(keys.FOLLOW_UPS) == 0
    finally:
        await disconnect(client)


async def test_a_failed_flow_is_started_again_and_then_somebody_is_told_once(
    platform: Platform, flow: MakeFlow, listener: Listener, redis_url: str
) -> None:
    source = flow("hook", HOOK, [FAILS], ["start > fails"], errorHandling={"errorWebhook": listener.url})
    await publish(platform, source)
    answer = await platform.engine.HandleWebhook(called("hook", b'{"order": 7}'))

    async def told() -> bool:
        return bool(listener.told)

    await until(told)
    ended = await executions_of(platform, "hook")
    assert ended[0].execution_id == answer.execution_id
    assert len(ended) == 3, "the first, and two more"
    assert ended[1].started_at.ToMilliseconds() - ended[0].completed_at.ToMilliseconds() >= 100
    for execution in ended:
        log = await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=execution.execution_id))
        assert json.loads(log.execution.node_results[0].output_json)["order"] == 7, "with the same payload"
    await until(lambda: nothing_follows(redis_url))
    [(key, document)] = listener.told
    assert key == f"{ended[-1].execution_id}:error-webhook"
    assert document == {
        "executionId": ended[-1].execution_id,
        "workflowId": "hook",
        "version": 1,
        "status": "failed",
        "error": document["error"],
        "failedNode": {"nodeId": "fails", "attempt": 1, "visit": 0},
        "startedAt": document["startedAt"],
        "completedAt": document["completedAt"],
    }
    assert document["error"]["code"] == "MISSING_VARIABLE"
    assert document["error"].keys() == {"code", "message", "type", "details"}


async def test_what_succeeds_is_neither_started_again_nor_told(
    platform: Platform, flow: MakeFlow, listener: Listener, redis_url: str
) -> None:
    await publish(
        platform, flow("fine", HOOK, [FAILS], ["start > fails"], errorHandling={"errorWebhook": listener.url})
    )
    await platform.engine.HandleWebhook(called("fine", b'{"service": "a"}'))

    async def ended() -> bool:
        return bool(await executions_of(platform, "fine"))

    await until(ended)
    assert await nothing_follows(redis_url)


async def test_a_call_of_execute_is_told_of_and_not_started_again(
    platform: Platform, flow: MakeFlow, listener: Listener, redis_url: str
) -> None:
    listener.statuses = [500, 301, 204]
    source = flow("once", HOOK, [FAILS], ["start > fails"], errorHandling={"errorWebhook": listener.url})
    result = (await platform.engine.Execute(pb.ExecuteRequest(workflow=source))).result

    async def told() -> bool:
        return len(listener.told) == 3

    await until(told)
    await until(lambda: nothing_follows(redis_url))
    assert {key for key, _ in listener.told} == {f"{result.execution_id}:error-webhook"}, "the same each time"
    assert len(await executions_of(platform, "once")) == 1


@pytest.mark.parametrize("why", ["refused", "defect"])
async def test_what_cannot_be_told_is_given_up_in_the_end(
    platform: Platform, flow: MakeFlow, listener: Listener, redis_url: str, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def broken(_: Any) -> Any:
        raise KeyError("a defect")

    monkeypatch.setattr(follow_ups, "MOST_TRIES", 2)
    listener.statuses = [500]
    if why == "defect":
        monkeypatch.setattr(error_webhooks, "document_of", broken)
    source = flow("never", HOOK, [FAILS], ["start > fails"], errorHandling={"errorWebhook": listener.url})
    await platform.engine.Execute(pb.ExecuteRequest(workflow=source))

    await until(lambda: nothing_follows(redis_url))
    assert len(listener.told) == (2 if why == "refused" else 0)


async def test_a_dry_run_is_told_to_nobody(
    platform: Platform, flow: MakeFlow, listener: Listener, redis_url: str
) -> None:
    source = flow("dry", HOOK, [FAILS], ["start > fails"], errorHandling={"errorWebhook": listener.url})
    request = pb.ExecuteRequest(workflow=source, options=pb.ExecuteOptions(dry_run=True))
    assert (await platform.engine.Execute(request)).result.status == workflow_pb2.EXECUTION_STATUS_FAILED
    assert await nothing_follows(redis_url)


async def test_what_nobody_can_be_told_is_given_up_in_the_end(
    start_platform: StartPlatform, flow: MakeFlow, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FIRST_PAUSE_MS", 10), ("LONGEST_PAUSE_MS", 20), ("LOOK_SECONDS", 0.02)):
        monkeypatch.setattr(follow_ups, name, value)
    platform = await start_platform()
    source = flow("mute", HOOK, [FAILS], ["start > fails"], errorHandling={"errorWebhook": "http://127.0.0.1:9/"})
    await platform.engine.Execute(pb.ExecuteRequest(workflow=source))
    assert not await nothing_follows(redis_url)
    await until(lambda: nothing_follows(redis_url))


async def test_what_was_noted_of_an_execution_that_goes_on_waits_for_its_end(
    platform: Platform, flow: MakeFlow, listener: Listener, redis_url: str
) -> None:
    """An engine may die between the note and the end that it is about."""
    pause = {"id": "pause", "type": "DELAY", "config": {"duration": 60_000}}
    source = flow(
        "broken",
        HOOK,
        [pause, FAILS],
        ["start > pause", "pause > fails"],
        errorHandling={"errorWebhook": listener.url},
    )
    request = pb.ExecuteRequest(workflow=source, options=pb.ExecuteOptions(wait_ms=0))
    execution_id = (await platform.engine.Execute(request)).result.execution_id
    client = connect(redis_url)
    await client.zadd(keys.FOLLOW_UPS, {execution_id: 0})

    async def tried() -> bool:
        return int(await client.hget(keys.FOLLOW_UP_TRIES, execution_id) or 0) > 1

    await until(tried)
    assert await client.zscore(keys.FOLLOW_UPS, execution_id) is not None
    assert listener.told == []
    await platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=execution_id))
    await until(lambda: nothing_follows(redis_url))
    assert listener.told == [], "what was cancelled did not fail"
    await client.aclose()
    await asyncio.sleep(0)
