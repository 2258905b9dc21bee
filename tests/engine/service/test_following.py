"""WatchExecution over two real engines: what happens is seen as it becomes durable, wherever the execution runs."""

import json
from collections.abc import AsyncIterator

import grpc
import pytest

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import refusal_of
from tests.engine.service.platform import MakeFlow, Platform

COMPLETED = workflow_pb2.EXECUTION_STATUS_COMPLETED
RUNNING = workflow_pb2.EXECUTION_STATUS_RUNNING


def asking(flow: MakeFlow) -> workflow_pb2.WorkflowSource:
    nodes = [
        {"id": "ask", "type": "SEND_USSD_RESPONSE", "config": {"message": "Name?", "expectInput": True}},
        {"id": "bye", "type": "SESSION_END", "config": {"message": "Bye {{input}}"}},
    ]
    return flow("asking", {"type": "USSD_SESSION_START"}, nodes, ["start > ask", "ask > bye"])


async def begin(platform: Platform, source: workflow_pb2.WorkflowSource, session: str) -> str:
    payload = json.dumps({"msisdn": "+254711000001", "sessionId": session})
    answer = await platform.engine.Execute(pb.ExecuteRequest(workflow=source, trigger_payload_json=payload))
    return answer.result.execution_id


async def type_in(platform: Platform, source: workflow_pb2.WorkflowSource, session: str, text: str) -> None:
    payload = json.dumps({"msisdn": "+254711000001", "text": text, "input": text})
    await platform.engine.Execute(pb.ExecuteRequest(workflow=source, session_id=session, trigger_payload_json=payload))


def watch(platform: Platform, execution_id: str, after: int = 0) -> AsyncIterator[pb.WatchExecutionResponse]:
    request = pb.WatchExecutionRequest(execution_id=execution_id, after_sequence=after)
    return aiter(platform.other_engine.WatchExecution(request, timeout=20))


def seen(message: pb.WatchExecutionResponse) -> tuple[int, str]:
    if message.WhichOneof("event") == "node_result":
        return message.sequence, message.node_result.node_id
    return message.sequence, f"{message.execution.status}"


@pytest.mark.also_on_a_cluster
async def test_the_reader_sees_each_answer_and_how_the_execution_stands_until_its_end(
    platform: Platform, flow: MakeFlow
) -> None:
    source = asking(flow)
    execution_id = await begin(platform, source, "ATUid_1")
    stream = watch(platform, execution_id)

    before = [seen(await anext(stream)), seen(await anext(stream))]
    await type_in(platform, source, "ATUid_1", "Wanja")
    behind = [seen(message) async for message in stream]

    assert before == [(1, "start"), (1, f"{RUNNING}")]
    assert behind == [(2, "ask"), (3, "bye"), (3, f"{COMPLETED}")]


async def test_a_reader_who_comes_back_goes_on_behind_what_it_has_read(platform: Platform, flow: MakeFlow) -> None:
    source = asking(flow)
    execution_id = await begin(platform, source, "ATUid_1")
    await type_in(platform, source, "ATUid_1", "Wanja")

    assert [seen(message) async for message in watch(platform, execution_id, 2)] == [(3, "bye"), (3, f"{COMPLETED}")]
    assert [seen(message) async for message in watch(platform, execution_id, 3)] == [(3, f"{COMPLETED}")]


async def test_an_unknown_execution_cannot_be_followed(platform: Platform) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(watch(platform, "exe_0" + 24 * "0"))

    assert refusal_of(caught.value).reason == "EXECUTION_NOT_FOUND"
