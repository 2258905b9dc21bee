"""Flows that are published, taken off and deleted while others look and while they are being run."""

import asyncio
from typing import Any

import grpc
import orjson

from njia.engine.v1 import engine_service_pb2 as pb, workflow_service_pb2 as registry_pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import refusal_of
from services.engine.store import keys
from storage.connection import connect
from tests.engine.service.platform import MakeFlow, Platform
from tests.engine.service.publishing import publish
from tests.engine.service.test_sms_replies import over, survey, text, waits_at
from tests.engine.service.test_two_engines import hop, questions

ROUNDS = 10


def ref(workflow_id: str) -> workflow_pb2.WorkflowRef:
    return workflow_pb2.WorkflowRef(workflow_id=workflow_id)


async def deleted(platform: Platform, workflow_id: str) -> None:
    await platform.workflows.UnpublishWorkflow(registry_pb.UnpublishWorkflowRequest(workflow_id=workflow_id))
    await platform.workflows.DeleteWorkflow(registry_pb.DeleteWorkflowRequest(workflow_id=workflow_id))


async def test_whoever_is_in_the_middle_of_a_flow_that_is_deleted_goes_on(platform: Platform, flow: MakeFlow) -> None:
    await publish(platform, questions(flow))
    await publish(platform, survey(flow))
    dialled = await platform.engine.HandleUssd(hop(""))
    asked = await text(platform, "SURVEY", "ATXid_1")
    await waits_at(platform, asked, "answer0")

    await deleted(platform, "questions")
    await deleted(platform, "survey")

    answers = [await platform.other_engine.HandleUssd(hop(typed)) for typed in ("a", "a*b")]
    assert [answer.reply.text for answer in answers] == ["and a?", "got b"]
    assert {answer.execution_id for answer in answers} == {dialled.execution_id}
    assert await text(platform, "yes", "ATXid_2") == asked
    assert (await over(platform, asked)).status == workflow_pb2.EXECUTION_STATUS_COMPLETED


async def test_a_flow_that_cannot_be_read_keeps_no_other_from_answering(
    platform: Platform, flow: MakeFlow, redis_url: str
) -> None:
    await publish(platform, survey(flow))
    await publish(platform, questions(flow))
    redis: Any = connect(redis_url)
    try:
        # As it stands for whoever has read what is published, and the flow is taken off and deleted now.
        gone = {"workflow_id": "gone", "claim": "[]", "version": 1, "program_digest": "0.1", "trigger_type": "X"}
        await redis.hset(keys.REGISTRY_PUBLISHED, "gone", orjson.dumps(gone))
        await redis.zadd(keys.REGISTRY_IDS, {"gone": 0})
        # And a flow of a newer engine, with a node type that this one does not know.
        newer = workflow_pb2.ExecutionGraph(workflow_id="survey", trigger="start")
        newer.nodes["start"].CopyFrom(workflow_pb2.ExecutionNode(id="start", type="FROM_THE_FUTURE"))
        entry = orjson.loads(await redis.hget(keys.REGISTRY_PUBLISHED, "survey"))
        digest = entry["program_digest"] = "of-a-newer-engine.1"
        await redis.set(keys.graph(digest), newer.SerializeToString())
        saved = orjson.loads(await redis.hget(keys.registered("survey"), "v:1"))
        await redis.hset(keys.registered("survey"), "v:1", orjson.dumps({**saved, "program_digest": digest}))
        await redis.incr(keys.REGISTRY_VERSION)
    finally:
        await redis.aclose()

    answer = await platform.other_engine.HandleUssd(hop(""))
    listed = await platform.workflows.ListWorkflows(registry_pb.ListWorkflowsRequest())

    assert answer.reply.text == "?"
    assert await text(platform, "SURVEY", "ATXid_1") == ""
    assert [each.workflow_id for each in listed.workflows] == ["questions", "survey"]


async def test_of_two_flows_published_at_one_moment_by_two_engines_one_gets_the_trigger(
    platform: Platform, flow: MakeFlow
) -> None:
    end = {"id": "end", "type": "SESSION_END", "config": {"message": "hi"}}
    names = ("first", "second")
    for name in names:
        source = flow(name, {"type": "USSD_SESSION_START", "config": {"serviceCode": "*1#"}}, [end], ["start > end"])
        await platform.workflows.SaveWorkflow(registry_pb.SaveWorkflowRequest(source=source))

    for number in range(ROUNDS):
        outcomes = await asyncio.gather(
            platform.workflows.PublishWorkflow(registry_pb.PublishWorkflowRequest(ref=ref("first"))),
            platform.other_workflows.PublishWorkflow(registry_pb.PublishWorkflowRequest(ref=ref("second"))),
            return_exceptions=True,
        )
        [loser] = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, grpc.aio.AioRpcError)]
        winner = 1 - loser
        refused = outcomes[loser]
        assert isinstance(refused, grpc.aio.AioRpcError)
        refusal = refusal_of(refused)
        assert refusal.reason == "TRIGGER_CLAIMED"
        assert all(name in refusal.message for name in names)
        assert (
            await platform.other_engine.HandleUssd(
                pb.HandleUssdRequest(session_id=f"ATUid_{number}", msisdn="+254711000001", service_code="*1#")
            )
        ).reply.text == "hi"
        await platform.workflows.UnpublishWorkflow(registry_pb.UnpublishWorkflowRequest(workflow_id=names[winner]))
