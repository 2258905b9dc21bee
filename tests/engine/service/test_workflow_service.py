"""WorkflowService over a real connection: versions, publishing, and every error line of its proto."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest

from njia.engine.v1 import engine_service_pb2 as engine_pb, workflow_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.status import Refusal, refusal_of
from tests.engine.service.platform import MakeFlow, Platform

MISSING = grpc.StatusCode.NOT_FOUND
NOT_NOW = grpc.StatusCode.FAILED_PRECONDITION


def ref(workflow_id: str, version: int = 0) -> workflow_pb2.WorkflowRef:
    return workflow_pb2.WorkflowRef(workflow_id=workflow_id, version=version)


async def refused(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return refusal_of(caught.value)


@pytest.fixture
def greeting(flow: MakeFlow) -> MakeFlow:
    """A USSD flow that says one sentence."""

    def make(workflow_id: str, text: str, **trigger: str) -> workflow_pb2.WorkflowSource:
        end = {"id": "end", "type": "SESSION_END", "config": {"message": text}}
        return flow(workflow_id, {"type": "USSD_SESSION_START", "config": trigger}, [end], ["start > end"])

    return make


async def dial(platform: Platform, code: str, session: str) -> str:
    answer = await platform.engine.HandleUssd(
        engine_pb.HandleUssdRequest(session_id=session, msisdn="+254711000001", service_code=code, text="")
    )
    return str(answer.reply.text)


@pytest.mark.also_on_a_cluster
async def test_every_save_is_a_new_version_unless_nothing_changed(
    platform: Platform, greeting: MakeFlow, flow: MakeFlow
) -> None:
    first = await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", "one")))
    same = await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", "one")))
    second = await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", "two")))

    assert [(answer.workflow.version, answer.created) for answer in (first, same, second)] == [
        (1, True),
        (1, False),
        (2, True),
    ]
    huge = [
        flow("huge", {"type": "SMS_RECEIVED"}, [{"id": "a", "type": "SESSION_WRITE", "config": data}], ["start > a"])
        for data in ({"data": {"number": 10**25}}, {"data": {"number": 10**25 + 1}})
    ]
    saved = [await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=source)) for source in huge]
    assert [answer.workflow.version for answer in saved] == [1, 2]


async def test_a_typed_flow_is_saved_like_its_document(platform: Platform) -> None:
    spec = workflow_pb2.WorkflowSpec(
        metadata=workflow_pb2.Metadata(
            workflow_id="typed", version=1, name="Typed", created_by="tests", created_at="2026-01-01T00:00:00Z"
        ),
        trigger=workflow_pb2.Node(id="start", type="USSD_SESSION_START", config_json='{"serviceCode": "*7#"}'),
        nodes=[workflow_pb2.Node(id="end", type="SESSION_END", config_json='{"message": "typed"}')],
        edges=[workflow_pb2.Edge(source="start", target="end")],
    )
    saved = await platform.workflows.SaveWorkflow(
        pb.SaveWorkflowRequest(source=workflow_pb2.WorkflowSource(workflow=spec))
    )
    await platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("typed")))

    assert '"message":"typed"' in saved.workflow.workflow_json.replace(" ", "")
    assert await dial(platform, "*7#", "ATUid_typed") == "typed"


async def test_a_published_version_answers_until_another_is_published(platform: Platform, greeting: MakeFlow) -> None:
    for text in ("one", "two"):
        await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", text)))
    nobody = await dial(platform, "*1#", "ATUid_0")
    await platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("hello", 1)))
    one = await dial(platform, "*1#", "ATUid_1")
    published = await platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("hello")))
    two = await dial(platform, "*1#", "ATUid_2")
    await platform.workflows.UnpublishWorkflow(pb.UnpublishWorkflowRequest(workflow_id="hello"))
    nobody_again = await dial(platform, "*1#", "ATUid_3")

    assert [one, two] == ["one", "two"]
    assert nobody == nobody_again == "This code is not in service."
    assert (
        published.workflow.version,
        published.workflow.published_version,
        published.workflow.published,
    ) == (2, 2, True)


async def test_the_most_specific_trigger_answers(platform: Platform, greeting: MakeFlow) -> None:
    for workflow_id, trigger in (("any", {}), ("code", {"serviceCode": "*1#"}), ("other", {"serviceCode": "*2#"})):
        await platform.workflows.SaveWorkflow(
            pb.SaveWorkflowRequest(source=greeting(workflow_id, workflow_id, **trigger))
        )
        await platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref(workflow_id)))

    assert [await dial(platform, code, f"ATUid_{code}") for code in ("*1#", "*2#", "*3#")] == ["code", "other", "any"]


@pytest.mark.also_on_a_cluster
async def test_two_flows_cannot_claim_one_trigger(platform: Platform, greeting: MakeFlow) -> None:
    for workflow_id in ("first", "second"):
        await platform.workflows.SaveWorkflow(
            pb.SaveWorkflowRequest(source=greeting(workflow_id, "hi", serviceCode="*1#"))
        )
    await platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("first")))
    refusal = await refused(platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("second"))))

    assert (refusal.code, refusal.reason) == (NOT_NOW, "TRIGGER_CLAIMED")
    assert dict(refusal.metadata) == {"workflow_id": "second", "other_workflow_id": "first"}


@pytest.mark.also_on_a_cluster
async def test_a_published_flow_is_not_deleted_and_an_unpublished_one_is(
    platform: Platform, greeting: MakeFlow
) -> None:
    await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", "hi")))
    await platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("hello")))
    refusal = await refused(platform.workflows.DeleteWorkflow(pb.DeleteWorkflowRequest(workflow_id="hello")))
    await platform.workflows.UnpublishWorkflow(pb.UnpublishWorkflowRequest(workflow_id="hello"))
    await platform.workflows.DeleteWorkflow(pb.DeleteWorkflowRequest(workflow_id="hello"))
    gone = await refused(platform.workflows.GetWorkflow(pb.GetWorkflowRequest(ref=ref("hello"))))

    assert (refusal.code, refusal.reason) == (NOT_NOW, "WORKFLOW_PUBLISHED")
    assert (gone.code, gone.reason) == (MISSING, "WORKFLOW_NOT_FOUND")


@pytest.mark.also_on_a_cluster
async def test_flows_are_listed_by_id_in_pages(platform: Platform, greeting: MakeFlow) -> None:
    for workflow_id in ("c", "a", "b"):
        await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting(workflow_id, "hi")))
    first = await platform.workflows.ListWorkflows(pb.ListWorkflowsRequest(page_size=2))
    second = await platform.workflows.ListWorkflows(
        pb.ListWorkflowsRequest(page_size=2, page_token=first.next_page_token)
    )

    assert [[flow.workflow_id for flow in page.workflows] for page in (first, second)] == [["a", "b"], ["c"]]
    assert second.next_page_token == ""
    assert not first.workflows[0].HasField("workflow_json")


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("GetWorkflow", pb.GetWorkflowRequest(ref=ref("nobody"))),
        ("PublishWorkflow", pb.PublishWorkflowRequest(ref=ref("nobody"))),
        ("UnpublishWorkflow", pb.UnpublishWorkflowRequest(workflow_id="nobody")),
        ("DeleteWorkflow", pb.DeleteWorkflowRequest(workflow_id="nobody")),
    ],
)
async def test_an_unknown_flow_is_not_found(platform: Platform, call: str, request_: Any) -> None:
    refusal = await refused(getattr(platform.workflows, call)(request_))

    assert (refusal.code, refusal.reason) == (MISSING, "WORKFLOW_NOT_FOUND")


async def test_an_unknown_version_is_not_found(platform: Platform, greeting: MakeFlow) -> None:
    await platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", "hi")))
    read = await refused(platform.workflows.GetWorkflow(pb.GetWorkflowRequest(ref=ref("hello", 2))))
    published = await refused(platform.workflows.PublishWorkflow(pb.PublishWorkflowRequest(ref=ref("hello", 2))))

    assert "WORKFLOW_NOT_FOUND" == read.reason == published.reason


async def test_a_flow_that_does_not_compile_is_not_saved(platform: Platform, flow: MakeFlow) -> None:
    broken = flow("broken", {"type": "SMS_RECEIVED"}, [{"id": "a", "type": "SEND_PIGEON"}], ["start > a"])
    refusal = await refused(platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=broken)))
    listed = await platform.workflows.ListWorkflows(pb.ListWorkflowsRequest())

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "COMPILATION_FAILED")
    assert list(listed.workflows) == []


async def test_a_page_token_that_no_listing_gave_is_refused(platform: Platform) -> None:
    refusal = await refused(platform.workflows.ListWorkflows(pb.ListWorkflowsRequest(page_token="%")))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FILTER")


async def test_saving_needs_the_validator(platform: Platform, greeting: MakeFlow) -> None:
    platform.stop_validator.set()
    refusal = await refused(
        platform.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=greeting("hello", "hi")), timeout=20)
    )

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "VALIDATOR_UNAVAILABLE")
