"""Saved flows: save, list, read, publish, unpublish, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway.answers import json_answer, message_answer, page_answer
from gateway.bodies import optional_document_of, text_of
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.compilation import with_all_faults
from gateway.documents.examples import COMPILATION_FAILED, PUBLISHED, SAVED, WORKFLOW
from gateway.documents.faults import Error
from gateway.documents.flows import WorkflowSpec
from gateway.documents.registry import PublishRequest, SaveAnswer, SavedWorkflow, WorkflowPage
from gateway.errors import HttpError, bad_request
from gateway.members import check_members, version_of
from gateway.parameters import NoQuery, PageQuery, VersionQuery, WorkflowId
from gateway.requests import body_of
from gateway.responses import (
    BAD_QUERY,
    BODY_REFUSALS,
    NO_WORKFLOW,
    SERVICE_REFUSALS,
    answered,
    location,
    refusal,
)
from njia.engine.v1 import workflow_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document

_SAVED_AT = location("Address of the saved version.")

router = APIRouter(prefix="/api/workflows", tags=["Registry"])


@router.post(
    "",
    status_code=201,
    openapi_extra=body_of(WorkflowSpec, {"greeting": WORKFLOW}),
    responses={
        200: answered(SaveAnswer, "It equals the newest version.", SAVED | {"warnings": []}, _SAVED_AT),
        201: answered(SaveAnswer, "A new version.", SAVED | {"warnings": []}, _SAVED_AT),
        400: answered(
            Error,
            "The flow does not compile.",
            COMPILATION_FAILED,
        ),
        **BODY_REFUSALS,
        **SERVICE_REFUSALS,
    },
)
async def save_workflow(request: Request, _: Annotated[NoQuery, Query()]) -> Response:
    """Saves a flow as a new version. Saving what equals the newest version changes nothing."""
    source = workflow_pb2.WorkflowSource(workflow_json=await text_of(request))
    clients = clients_of(request)
    try:
        answer = await answer_of(clients.workflows.SaveWorkflow, pb.SaveWorkflowRequest(source=source))
    except HttpError as error:
        raise await with_all_faults(clients, source, error) from None
    saved_at = f"/api/workflows/{answer.workflow.workflow_id}?version={answer.workflow.version}"
    document = {**to_document(answer.workflow), "warnings": [to_document(issue) for issue in answer.warnings]}
    return json_answer(document, 201 if answer.created else 200, {"Location": saved_at})


@router.get(
    "",
    responses={
        200: answered(WorkflowPage, "A page of flows.", {"workflows": [SAVED]}),
        **BAD_QUERY,
        **SERVICE_REFUSALS,
    },
)
async def list_workflows(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Lists the newest version of every flow, by id."""
    call = pb.ListWorkflowsRequest(page_size=query.limit, page_token=query.cursor)
    answer = await answer_of(clients_of(request).workflows.ListWorkflows, call)
    return page_answer("workflows", map(to_document, answer.workflows), answer.next_page_token)


@router.get(
    "/{workflow_id}",
    responses={
        200: answered(SavedWorkflow, "The flow.", SAVED | {"workflow": WORKFLOW}),
        **BAD_QUERY,
        **NO_WORKFLOW,
        **SERVICE_REFUSALS,
    },
)
async def read_workflow(request: Request, workflow_id: WorkflowId, query: Annotated[VersionQuery, Query()]) -> Response:
    """Reads a version of a flow; by default the published one, else the newest."""
    call = pb.GetWorkflowRequest(ref=_ref(workflow_id, query.version))
    return message_answer((await answer_of(clients_of(request).workflows.GetWorkflow, call)).workflow)


@router.delete(
    "/{workflow_id}",
    status_code=204,
    responses={
        204: {"description": "It is gone."},
        409: refusal("It is published.", "Workflow is published", "unpublish greeting first", "WORKFLOW_PUBLISHED"),
        **BAD_QUERY,
        **NO_WORKFLOW,
        **SERVICE_REFUSALS,
    },
)
async def delete_workflow(request: Request, workflow_id: WorkflowId, _: Annotated[NoQuery, Query()]) -> Response:
    """Removes a flow and all of its versions; running executions go on."""
    await answer_of(clients_of(request).workflows.DeleteWorkflow, pb.DeleteWorkflowRequest(workflow_id=workflow_id))
    return Response(status_code=204)


@router.post(
    "/{workflow_id}/publish",
    openapi_extra=body_of(PublishRequest, {"version": {"version": 1}}, required=False),
    responses={
        200: answered(SavedWorkflow, "The published version.", PUBLISHED),
        409: refusal(
            "Another published flow claims the same trigger, or it trusts callbacks that anybody can post.",
            "Trigger is claimed",
            "greeting and farewell claim the same trigger; unpublish one of them",
            "TRIGGER_CLAIMED",
        ),
        **BAD_QUERY,
        **NO_WORKFLOW,
        **BODY_REFUSALS,
        **SERVICE_REFUSALS,
    },
)
async def publish_workflow(
    request: Request, workflow_id: WorkflowId, query: Annotated[VersionQuery, Query()]
) -> Response:
    """
    Publishes a version, named by the query or the body; by default the newest. It answers its trigger from now on.

    Safe to repeat.
    """
    body = await optional_document_of(request)
    call = pb.PublishWorkflowRequest(ref=_ref(workflow_id, _version_to_publish(body, query.version)))
    return message_answer((await answer_of(clients_of(request).workflows.PublishWorkflow, call)).workflow)


@router.post(
    "/{workflow_id}/unpublish",
    responses={
        200: answered(SavedWorkflow, "The flow as it stands.", SAVED),
        **BAD_QUERY,
        **NO_WORKFLOW,
        **SERVICE_REFUSALS,
    },
)
async def unpublish_workflow(request: Request, workflow_id: WorkflowId, _: Annotated[NoQuery, Query()]) -> Response:
    """Takes the published version off its trigger; running executions go on. Safe to repeat."""
    call = pb.UnpublishWorkflowRequest(workflow_id=workflow_id)
    return message_answer((await answer_of(clients_of(request).workflows.UnpublishWorkflow, call)).workflow)


def _ref(workflow_id: str, version: int | None) -> workflow_pb2.WorkflowRef:
    return workflow_pb2.WorkflowRef(workflow_id=workflow_id, version=version or 0)


def _version_to_publish(body: dict[str, Any], queried: int | None) -> int | None:
    check_members(body, ("version",))
    named = version_of(body)
    if named is not None and queried is not None and named != queried:
        raise bad_request(f"the query says version {queried}, the body {named}", "version")
    return named if queried is None else queried
