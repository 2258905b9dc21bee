"""Flows that a clock starts, over two real engines that both look."""

from typing import Any

import grpc
import pytest
from redis.asyncio import Redis

from njia.engine.v1 import engine_service_pb2 as pb, workflow_service_pb2 as registry_pb
from njia.workflow.v1 import workflow_pb2
from services.engine.store import keys
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from tests.engine.service.publishing import publish
from tests.engine.service.refused import refused
from tests.engine.service.waiting import until

DAILY = "0 7 * * *"
EVERY_SECOND = "* * * * * *"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
async def redis(redis_url: str) -> Any:
    async with Redis.from_url(redis_url) as client:
        yield client


def scheduled(flow: MakeFlow, workflow_id: str, cron: str, **more: Any) -> workflow_pb2.WorkflowSource:
    trigger = {"type": "SCHEDULED", "config": {"cronExpression": cron, **more}}
    check = {"id": "check", "type": "CONDITION", "config": {"expression": "{{cronExpression}} != ''"}}
    return flow(workflow_id, trigger, [check], ["start > check"])


async def executions(platform: Platform, workflow_id: str) -> list[pb.ExecutionLog]:
    answer = await platform.engine.ListExecutions(pb.ListExecutionsRequest(workflow_id=workflow_id, page_size=1000))
    return list(answer.executions)


async def payload(platform: Platform, execution: pb.ExecutionLog) -> str:
    answer = await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=execution.execution_id))
    return answer.execution.node_results[0].output_json


async def get(platform: Platform, workflow_id: str) -> registry_pb.Workflow:
    ref = workflow_pb2.WorkflowRef(workflow_id=workflow_id)
    return (await platform.workflows.GetWorkflow(registry_pb.GetWorkflowRequest(ref=ref))).workflow


async def is_over(platform: Platform, workflow_id: str) -> bool:
    return not (await get(platform, workflow_id)).HasField("next_run_at")


@pytest.mark.also_on_a_cluster
async def test_two_engines_start_a_flow_once_a_time_and_as_often_as_it_may(
    start_platform: StartPlatform, flow: MakeFlow
) -> None:
    platform = await start_platform(NJIA_ENGINE_SCAN_MS="50")
    await publish(platform, scheduled(flow, "tick", EVERY_SECOND, maxExecutions=2))

    async def all_have_ended() -> bool:
        return all(it.status != workflow_pb2.EXECUTION_STATUS_RUNNING for it in await executions(platform, "tick"))

    await until(lambda: is_over(platform, "tick"))
    await until(all_have_ended)

    found = await executions(platform, "tick")
    assert len(found) == 2
    assert len({await payload(platform, execution) for execution in found}) == 2
    assert all(execution.status == workflow_pb2.EXECUTION_STATUS_COMPLETED for execution in found)


async def test_the_next_time_is_shown_until_the_flow_is_taken_off(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, scheduled(flow, "daily", DAILY, timezone="Africa/Nairobi"))

    next_run = (await get(platform, "daily")).next_run_at.ToDatetime()
    assert (next_run.hour, next_run.minute, next_run.second) == (4, 0, 0)

    await platform.workflows.UnpublishWorkflow(registry_pb.UnpublishWorkflowRequest(workflow_id="daily"))
    assert await is_over(platform, "daily")


async def test_two_flows_may_have_the_same_schedule(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, scheduled(flow, "one", DAILY))
    await publish(platform, scheduled(flow, "two", DAILY))

    assert (await get(platform, "one")).next_run_at == (await get(platform, "two")).next_run_at


async def test_times_that_nobody_met_are_made_up_for_in_turn(platform: Platform, flow: MakeFlow, redis: Any) -> None:
    await publish(platform, scheduled(flow, "late", DAILY))
    missed = (await get(platform, "late")).next_run_at.ToMilliseconds() - 3 * DAY_MS

    await redis.zadd(keys.SCHEDULES, {"late": missed})

    async def all_made_up_for() -> bool:
        return len(await executions(platform, "late")) == 3

    await until(all_made_up_for)
    assert (await get(platform, "late")).next_run_at.ToMilliseconds() == missed + 3 * DAY_MS


async def test_missed_times_are_dropped_where_the_flow_wants_it(platform: Platform, flow: MakeFlow, redis: Any) -> None:
    await publish(platform, scheduled(flow, "dropped", DAILY, skipMissed=True))
    planned = (await get(platform, "dropped")).next_run_at.ToMilliseconds()

    await redis.zadd(keys.SCHEDULES, {"dropped": planned - 3 * DAY_MS})

    async def moved_on() -> bool:
        return (await get(platform, "dropped")).next_run_at.ToMilliseconds() == planned

    await until(moved_on)
    assert await executions(platform, "dropped") == []


async def test_flows_that_are_held_up_keep_no_other_waiting(platform: Platform, flow: MakeFlow, redis: Any) -> None:
    await redis.zadd(keys.SCHEDULES, {f"held-up-{number}": 1 for number in range(150)})
    await publish(platform, scheduled(flow, "behind", EVERY_SECOND, maxExecutions=1))

    await until(lambda: is_over(platform, "behind"))

    assert len(await executions(platform, "behind")) == 1


async def test_a_flow_that_has_no_room_is_started_for_its_time_once_it_has(
    platform: Platform, flow: MakeFlow, redis: Any
) -> None:
    trigger = {"type": "SCHEDULED", "config": {"cronExpression": DAILY}}
    pause = {"id": "pause", "type": "DELAY", "config": {"duration": DAY_MS}}
    settings = {"maxConcurrentExecutions": 1}
    await publish(platform, flow("full", trigger, [pause], ["start > pause"], settings=settings))
    missed = (await get(platform, "full")).next_run_at.ToMilliseconds() - 2 * DAY_MS
    await redis.zadd(keys.SCHEDULES, {"full": missed})

    async def has(count: int) -> bool:
        return len(await executions(platform, "full")) == count

    async def moved_on() -> bool:
        return (await get(platform, "full")).next_run_at.ToMilliseconds() == missed + DAY_MS

    await until(lambda: has(1))
    await until(moved_on)
    # The other time is due, and stays so where another version with the same times is published.
    await publish(platform, flow("full", trigger, [pause], ["start > pause"], settings=settings, errorHandling={}))
    assert await moved_on()
    [first] = await executions(platform, "full")
    await platform.engine.CancelExecution(pb.CancelExecutionRequest(execution_id=first.execution_id))

    await until(lambda: has(2))


async def test_a_schedule_that_is_none_is_refused_with_its_place(platform: Platform, flow: MakeFlow) -> None:
    never = scheduled(flow, "never", "0 0 31 2 *")

    refusal = await refused(platform.workflows.SaveWorkflow(registry_pb.SaveWorkflowRequest(source=never)))

    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert "cronExpression is no schedule" in str(refusal)
