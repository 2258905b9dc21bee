"""Flows that are not saved: check and compile them; the catalogue of node types."""

from fastapi import APIRouter, Request, Response

from gateway.answers import json_answer, message_answer
from gateway.bodies import text_of
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.documents.examples import GRAPH, ISSUE, NODE_TYPES, WORKFLOW
from gateway.documents.faults import CompilationFailure, Error, ValidationReport
from gateway.documents.flows import WorkflowSpec
from gateway.documents.graphs import Compilation, NodeTypes
from gateway.requests import body_of
from gateway.responses import BODY_REFUSALS, SERVICE_REFUSALS, answered
from njia.validator.v1 import validator_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import to_document

router = APIRouter(prefix="/api", tags=["Flows"])


@router.get("/node-types", responses={200: answered(NodeTypes, "Every node type.", NODE_TYPES), **SERVICE_REFUSALS})
async def list_node_types(request: Request) -> Response:
    """Lists the node types with all that a canvas needs to draw palette and forms."""
    answer = await answer_of(clients_of(request).validator.ListNodeTypes, pb.ListNodeTypesRequest())
    return message_answer(answer)


@router.post(
    "/workflows/validate",
    openapi_extra=body_of(WorkflowSpec, {"greeting": WORKFLOW}),
    responses={
        200: answered(ValidationReport, "The flow is valid.", {"valid": True, "errors": [], "warnings": []}),
        400: answered(
            ValidationReport | Error,
            "The flow is not valid, or not even JSON; an Error only where the body is not text.",
            {"valid": False, "errors": [ISSUE], "warnings": []},
        ),
        **BODY_REFUSALS,
        **SERVICE_REFUSALS,
    },
)
async def validate_workflow(request: Request) -> Response:
    """Reports every fault of a flow at once, sorted by place."""
    call = pb.ValidateWorkflowRequest(source=workflow_pb2.WorkflowSource(workflow_json=await text_of(request)))
    answer = await answer_of(clients_of(request).validator.ValidateWorkflow, call)
    return message_answer(answer, 200 if answer.valid else 400)


@router.post(
    "/workflows/compile",
    openapi_extra=body_of(WorkflowSpec, {"greeting": WORKFLOW}),
    responses={
        200: answered(Compilation, "The graph.", {"success": True, "graph": GRAPH, "warnings": []}),
        400: answered(
            CompilationFailure | Error,
            "The flow is not valid, or not even JSON; an Error only where the body is not text.",
            {"success": False, "errors": [ISSUE], "warnings": []},
        ),
        **BODY_REFUSALS,
        **SERVICE_REFUSALS,
    },
)
async def compile_workflow(request: Request) -> Response:
    """Makes the graph that the engine runs."""
    call = pb.CompileWorkflowRequest(source=workflow_pb2.WorkflowSource(workflow_json=await text_of(request)))
    answer = await answer_of(clients_of(request).validator.CompileWorkflow, call)
    document = to_document(answer)
    if not document["success"]:
        return json_answer(document, 400)
    del document["errors"]
    return json_answer(document)
