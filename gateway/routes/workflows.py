"""Flows: check, compile, save, publish."""

from fastapi import APIRouter, Request, Response

from gateway import queries
from gateway.answers import json_answer, message_answer
from gateway.bodies import text_of
from gateway.calls import CALL_SECONDS, answer_of
from gateway.clients import Clients
from gateway.compilation import all_faults
from gateway.errors import HttpError
from njia.engine.v1 import workflow_service_pb2 as pb
from njia.validator.v1 import validator_service_pb2 as validator_pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document

router = APIRouter(prefix="/api")


@router.get("/node-types", response_model=None)
async def node_types(request: Request) -> Response:
    """The catalogue: enough for a canvas to draw palette and forms."""
    call = _clients(request).validator.ListNodeTypes(validator_pb.ListNodeTypesRequest(), timeout=CALL_SECONDS)
    return message_answer(await answer_of(call))


@router.post("/workflows/validate", response_model=None)
async def validate(request: Request) -> Response:
    """Reports every fault of a flow."""
    source = workflow_pb2.WorkflowSource(workflow_json=await text_of(request))
    call = _clients(request).validator.ValidateWorkflow(
        validator_pb.ValidateWorkflowRequest(source=source), timeout=CALL_SECONDS
    )
    answer = await answer_of(call)
    return message_answer(answer, 200 if answer.valid else 400)


@router.post("/workflows/compile", response_model=None)
async def compile_flow(request: Request) -> Response:
    """Makes the graph that the engine runs."""
    source = workflow_pb2.WorkflowSource(workflow_json=await text_of(request))
    call = _clients(request).validator.CompileWorkflow(
        validator_pb.CompileWorkflowRequest(source=source), timeout=CALL_SECONDS
    )
    document = to_document(await answer_of(call))
    if document["success"]:
        del document["errors"]
        return json_answer(document)
    return json_answer(document, 400)


@router.post("/workflows", response_model=None)
async def save(request: Request) -> Response:
    """Saves a flow as a new version."""
    source = workflow_pb2.WorkflowSource(workflow_json=await text_of(request))
    clients = _clients(request)
    try:
        answer = await answer_of(
            clients.workflows.SaveWorkflow(pb.SaveWorkflowRequest(source=source), timeout=CALL_SECONDS)
        )
    except HttpError as error:
        raise await all_faults(clients, source, error) from None
    location = f"/api/workflows/{answer.workflow.workflow_id}?version={answer.workflow.version}"
    document = {**to_document(answer.workflow), "warnings": [to_document(issue) for issue in answer.warnings]}
    return json_answer(document, 201 if answer.created else 200, {"Location": location})


@router.get("/workflows", response_model=None)
async def list_flows(request: Request) -> Response:
    """Lists the newest version of every flow, by id."""
    queries.check_names(request, ("limit", "cursor"))
    answer = await answer_of(
        _clients(request).workflows.ListWorkflows(
            pb.ListWorkflowsRequest(
                page_size=queries.limit(request), page_token=request.query_params.get("cursor", "")
            ),
            timeout=CALL_SECONDS,
        )
    )
    page: dict[str, object] = {"workflows": [to_document(flow) for flow in answer.workflows]}
    if answer.next_page_token:
        page["nextCursor"] = answer.next_page_token
    return json_answer(page)


@router.get("/workflows/{workflow_id}", response_model=None)
async def read(request: Request, workflow_id: str) -> Response:
    """Reads a version of a flow, else the published one, else the newest."""
    queries.check_names(request, ("version",))
    call = _clients(request).workflows.GetWorkflow(
        pb.GetWorkflowRequest(ref=_ref(request, workflow_id)), timeout=CALL_SECONDS
    )
    return message_answer((await answer_of(call)).workflow)


@router.delete("/workflows/{workflow_id}", response_model=None)
async def delete(request: Request, workflow_id: str) -> Response:
    """Removes a flow and all of its versions."""
    call = _clients(request).workflows.DeleteWorkflow(
        pb.DeleteWorkflowRequest(workflow_id=workflow_id), timeout=CALL_SECONDS
    )
    await answer_of(call)
    return Response(status_code=204)


@router.post("/workflows/{workflow_id}/publish", response_model=None)
async def publish(request: Request, workflow_id: str) -> Response:
    """Publishes a version (?version=), else the newest."""
    queries.check_names(request, ("version",))
    call = _clients(request).workflows.PublishWorkflow(
        pb.PublishWorkflowRequest(ref=_ref(request, workflow_id)), timeout=CALL_SECONDS
    )
    return message_answer((await answer_of(call)).workflow)


@router.post("/workflows/{workflow_id}/unpublish", response_model=None)
async def unpublish(request: Request, workflow_id: str) -> Response:
    """Takes the published version off its trigger."""
    call = _clients(request).workflows.UnpublishWorkflow(
        pb.UnpublishWorkflowRequest(workflow_id=workflow_id), timeout=CALL_SECONDS
    )
    return message_answer((await answer_of(call)).workflow)


def _ref(request: Request, workflow_id: str) -> workflow_pb2.WorkflowRef:
    return workflow_pb2.WorkflowRef(workflow_id=workflow_id, version=queries.version(request))


def _clients(request: Request) -> Clients:
    clients: Clients = request.app.state.clients
    return clients
