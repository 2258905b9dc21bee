"""Secrets in the configs of flows: stored encrypted, shown masked, clear to their node."""

import json
from typing import Any

import grpc
import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel

from njia.engine.v1 import engine_service_pb2 as pb, workflow_service_pb2 as workflows_pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import refusal_of
from services.engine.errors import SecretsUnreadable
from services.engine.flows.secrets import FlowSecrets
from tests.engine.service.contents import contents_of
from tests.engine.service.platform import MakeFlow, Platform, StartPlatform
from workflow.catalogue import CATALOGUE
from workflow.errors import invalid
from workflow.fields import NodeConfig, SecretText
from workflow.flow_secrets import HIDDEN
from workflow.node_type import Category, NodeContext, NodeType
from workflow.outcome import Done, Outcome

PASSWORD = "Tr0ub4dor&3"
OLD_KEY, NEW_KEY = (Fernet.generate_key().decode() for _ in range(2))


class Answer(BaseModel):
    """Nothing in particular."""


class KnockConfig(NodeConfig):
    password: SecretText
    refuses: bool = False


class Knock(NodeType[KnockConfig]):
    """Says its password out loud, as a careless server might do."""

    type = "KNOCK"
    title = "Knock"
    category = Category.ACTION
    description = "For these tests."
    config = KnockConfig
    output = Answer
    has_effect = True

    async def run(self, config: KnockConfig, context: NodeContext) -> Outcome:
        if config.refuses:
            raise invalid("REFUSED", f"{config.password} is wrong", sent=config.password)
        return Done(output={"echo": config.password, "length": len(config.password)})


@pytest.fixture(autouse=True)
def knock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "KNOCK", Knock())


def door(flow: MakeFlow, **config: Any) -> workflow_pb2.WorkflowSource:
    return flow(
        "door", {"type": "SMS_RECEIVED"}, [{"id": "knock", "type": "KNOCK", "config": config}], ["start > knock"]
    )


async def save(platform: Platform, source: workflow_pb2.WorkflowSource) -> workflows_pb.SaveWorkflowResponse:
    return await platform.workflows.SaveWorkflow(workflows_pb.SaveWorkflowRequest(source=source))


async def read(platform: Platform) -> str:
    ref = workflow_pb2.WorkflowRef(workflow_id="door")
    return (await platform.workflows.GetWorkflow(workflows_pb.GetWorkflowRequest(ref=ref))).workflow.workflow_json


async def run_saved(platform: Platform) -> pb.ExecutionResult:
    ref = workflow_pb2.WorkflowRef(workflow_id="door")
    return (await platform.engine.Execute(pb.ExecuteRequest(ref=ref))).result


def password_of(document: str) -> str:
    password: str = json.loads(document)["nodes"][0]["config"]["password"]
    return password


async def test_a_secret_reaches_its_node_and_nobody_else(
    start_platform: StartPlatform, flow: MakeFlow, redis_url: str
) -> None:
    platform = await start_platform(NJIA_ENCRYPTION_KEY=OLD_KEY)
    saved = await save(platform, door(flow, password=PASSWORD))
    result = await run_saved(platform)
    inline = await platform.engine.Execute(pb.ExecuteRequest(workflow=door(flow, password=PASSWORD, refuses=True)))
    log = await platform.engine.GetExecution(pb.GetExecutionRequest(execution_id=inline.result.execution_id))

    assert json.loads(result.node_results[-1].output_json) == {"echo": "***", "length": len(PASSWORD)}
    assert inline.result.error.code == "REFUSED"
    assert password_of(saved.workflow.workflow_json) == password_of(await read(platform)) == HIDDEN
    assert PASSWORD not in f"{saved}{result}{inline}{log}"
    assert [key for key, held in (await contents_of(redis_url)).items() if PASSWORD in held] == []


async def test_a_flow_that_comes_back_masked_keeps_its_secret(start_platform: StartPlatform, flow: MakeFlow) -> None:
    platform = await start_platform(NJIA_ENCRYPTION_KEY=OLD_KEY)
    await save(platform, door(flow, password=PASSWORD))
    as_shown = workflow_pb2.WorkflowSource(workflow_json=await read(platform))
    same = await save(platform, as_shown)
    changed = await save(platform, door(flow, password=HIDDEN, refuses=False))
    result = await run_saved(platform)

    assert (same.created, changed.created, changed.workflow.version) == (False, True, 2)
    assert json.loads(result.node_results[-1].output_json)["length"] == len(PASSWORD)


async def test_what_an_engine_of_before_stored_in_clear_is_masked_and_runs(
    start_platform: StartPlatform, flow: MakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = await start_platform(NJIA_ENCRYPTION_KEY=OLD_KEY)
    with monkeypatch.context() as before:
        # It did not know that the field is a secret.
        before.setattr(KnockConfig.model_fields["password"], "metadata", [])
        await save(platform, door(flow, password=PASSWORD))
    assert password_of(await read(platform)) == HIDDEN

    result = await run_saved(platform)
    again = await save(platform, door(flow, password=HIDDEN, refuses=False))
    assert json.loads(result.node_results[-1].output_json)["length"] == len(PASSWORD)
    assert (again.created, password_of(await read(platform))) == (True, HIDDEN)


@pytest.mark.parametrize("call", ["save", "execute"])
async def test_a_mask_without_a_stored_secret_is_refused(
    start_platform: StartPlatform, flow: MakeFlow, call: str
) -> None:
    platform = await start_platform(NJIA_ENCRYPTION_KEY=OLD_KEY)
    source = door(flow, password=HIDDEN)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (
            save(platform, source) if call == "save" else platform.engine.Execute(pb.ExecuteRequest(workflow=source))
        )
    refusal = refusal_of(refused.value)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SECRET_NOT_STORED")
    assert refusal.violations[0].field == "nodes[0].config.password"


@pytest.mark.parametrize("call", ["save", "execute"])
async def test_without_a_key_a_flow_with_a_secret_is_refused(platform: Platform, flow: MakeFlow, call: str) -> None:
    source = door(flow, password=PASSWORD)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (
            save(platform, source) if call == "save" else platform.engine.Execute(pb.ExecuteRequest(workflow=source))
        )
    refusal = refusal_of(refused.value)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ENCRYPTION_KEY_MISSING")
    assert "NJIA_ENCRYPTION_KEY" in refusal.message
    assert PASSWORD not in refusal.message


@pytest.mark.parametrize("password", ["{{message}}", "Bearer {{message}}"])
async def test_what_only_names_a_secret_is_shown_and_what_it_brings_is_not(
    start_platform: StartPlatform, flow: MakeFlow, password: str
) -> None:
    platform = await start_platform(NJIA_ENCRYPTION_KEY=OLD_KEY)
    saved = await save(platform, door(flow, password=password))
    payload = json.dumps({"message": PASSWORD})
    answer = await platform.engine.Execute(
        pb.ExecuteRequest(ref=workflow_pb2.WorkflowRef(workflow_id="door"), trigger_payload_json=payload)
    )

    assert password_of(saved.workflow.workflow_json) == password_of(await read(platform)) == password
    assert answer.result.status == workflow_pb2.EXECUTION_STATUS_COMPLETED
    assert json.loads(answer.result.node_results[-1].output_json)["echo"] == "***"


def test_a_secret_that_was_stored_in_clear_needs_a_key_too(flow: MakeFlow) -> None:
    document = door(flow, password=PASSWORD).workflow_json
    assert json.loads(FlowSecrets([OLD_KEY]).clear_document("door", document)) == json.loads(document)
    with pytest.raises(SecretsUnreadable):
        FlowSecrets([]).clear_document("door", document)


async def test_a_new_key_in_front_reads_what_the_old_one_stored(start_platform: StartPlatform, flow: MakeFlow) -> None:
    before = await start_platform(NJIA_ENCRYPTION_KEY=OLD_KEY)
    await save(before, door(flow, password=PASSWORD))
    rotated = await start_platform(NJIA_ENCRYPTION_KEY=f"{NEW_KEY},{OLD_KEY}")
    lost = await start_platform(NJIA_ENCRYPTION_KEY=NEW_KEY)

    assert json.loads((await run_saved(rotated)).node_results[-1].output_json)["length"] == len(PASSWORD)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await run_saved(lost)
    assert refusal_of(refused.value).reason == "DECRYPTION_FAILED"
