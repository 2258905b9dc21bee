"""How these tests publish a flow."""

from njia.engine.v1 import workflow_service_pb2
from njia.workflow.v1 import workflow_pb2
from tests.engine.service.platform import Platform


async def publish(platform: Platform, source: workflow_pb2.WorkflowSource) -> None:
    """Saves and publishes a flow."""
    saved = await platform.workflows.SaveWorkflow(workflow_service_pb2.SaveWorkflowRequest(source=source))
    ref = workflow_pb2.WorkflowRef(workflow_id=saved.workflow.workflow_id)
    await platform.workflows.PublishWorkflow(workflow_service_pb2.PublishWorkflowRequest(ref=ref))
