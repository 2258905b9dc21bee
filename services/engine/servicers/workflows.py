"""WorkflowService: unpacks a message, has the registry do the work, packs the answer."""

import base64
import binascii
from typing import Any

import grpc

from njia.engine.v1 import workflow_service_pb2 as pb
from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceServicer
from services.engine.errors import InvalidRequest
from services.engine.flows.registry import Registry, SavedWorkflow
from services.engine.flows.secrets import masked_document
from services.engine.servicers import pages
from services.engine.servicers.moments import timestamp_of

Context = grpc.aio.ServicerContext[Any, Any]


class WorkflowServicer(WorkflowServiceServicer):
    """See workflow_service.proto."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def SaveWorkflow(self, request: pb.SaveWorkflowRequest, context: Context) -> pb.SaveWorkflowResponse:
        flow, created, warnings = await self._registry.save(request.source)
        return pb.SaveWorkflowResponse(workflow=_whole(flow), created=created, warnings=warnings)

    async def GetWorkflow(self, request: pb.GetWorkflowRequest, context: Context) -> pb.GetWorkflowResponse:
        flow = await self._registry.get(request.ref.workflow_id, request.ref.version)
        return pb.GetWorkflowResponse(workflow=_whole(flow))

    async def ListWorkflows(self, request: pb.ListWorkflowsRequest, context: Context) -> pb.ListWorkflowsResponse:
        flows, after = await self._registry.page(pages.page_size(request.page_size), _after(request.page_token))
        token = base64.urlsafe_b64encode(after.encode()).decode()
        return pb.ListWorkflowsResponse(workflows=[_summary(flow) for flow in flows], next_page_token=token)

    async def PublishWorkflow(self, request: pb.PublishWorkflowRequest, context: Context) -> pb.PublishWorkflowResponse:
        flow = await self._registry.publish(request.ref.workflow_id, request.ref.version)
        return pb.PublishWorkflowResponse(workflow=_whole(flow))

    async def UnpublishWorkflow(
        self, request: pb.UnpublishWorkflowRequest, context: Context
    ) -> pb.UnpublishWorkflowResponse:
        return pb.UnpublishWorkflowResponse(workflow=_whole(await self._registry.unpublish(request.workflow_id)))

    async def DeleteWorkflow(self, request: pb.DeleteWorkflowRequest, context: Context) -> pb.DeleteWorkflowResponse:
        await self._registry.delete(request.workflow_id)
        return pb.DeleteWorkflowResponse()


def _after(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidRequest("page_token", "is not one that a listing gave", pages.INVALID) from None


def _whole(flow: SavedWorkflow) -> pb.Workflow:
    message = _summary(flow)
    message.workflow_json = masked_document(flow.document)
    return message


def _summary(flow: SavedWorkflow) -> pb.Workflow:
    return pb.Workflow(
        workflow_id=flow.workflow_id,
        version=flow.version,
        name=flow.name,
        published=flow.version == flow.published_version,
        published_version=flow.published_version,
        latest_version=flow.latest_version,
        saved_at=timestamp_of(flow.saved_at_ms),
        published_at=None if flow.published_at_ms is None else timestamp_of(flow.published_at_ms),
        trigger_type=flow.trigger_type,
        next_run_at=None if flow.next_run_at_ms is None else timestamp_of(flow.next_run_at_ms),
    )
