"""Executions: run a flow, look at what happened, stop it."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from gateway import queries
from gateway.answers import json_answer, message_answer
from gateway.bodies import document_of
from gateway.calls import CALL_SECONDS, EXECUTE_SECONDS, answer_of
from gateway.clients import Clients
from gateway.compilation import all_faults
from gateway.errors import HttpError, bad_request
from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import DocumentError, from_document, to_document

STATUSES = {
    "completed": workflow_pb2.EXECUTION_STATUS_COMPLETED,
    "failed": workflow_pb2.EXECUTION_STATUS_FAILED,
    "running": workflow_pb2.EXECUTION_STATUS_RUNNING,
    "timeout": workflow_pb2.EXECUTION_STATUS_TIMEOUT,
    "cancelled": workflow_pb2.EXECUTION_STATUS_CANCELLED,
}
MEMBERS = ("workflow", "workflowId", "version", "triggerPayload", "sessionId", "options")
FILTERS = ("workflowId", "status", "startDate", "endDate", "limit", "cursor")

router = APIRouter(prefix="/api/workflows")


@router.post("/execute", response_model=None)
async def execute(request: Request) -> Response:
    """Runs a flow that comes with the call (`workflow`) or is saved (`workflowId`), or resumes a session's."""
    call = _execute_request(await document_of(request))
    call.idempotency_key = request.headers.get("idempotency-key", "")
    clients = _clients(request)
    try:
        answer = await answer_of(clients.engine.Execute(call, timeout=EXECUTE_SECONDS))
    except HttpError as error:
        raise await all_faults(clients, call.workflow, error) from None
    return message_answer(answer.result)


@router.get("/executions", response_model=None)
async def list_executions(request: Request) -> Response:
    """Lists executions, newest first."""
    queries.check_names(request, FILTERS)
    status = queries.choice(request, "status", STATUSES)
    answer = await answer_of(
        _clients(request).engine.ListExecutions(
            pb.ListExecutionsRequest(
                workflow_id=request.query_params.get("workflowId", ""),
                status=workflow_pb2.EXECUTION_STATUS_UNSPECIFIED if status is None else STATUSES[status],
                start_time=queries.time(request, "startDate"),
                end_time=queries.time(request, "endDate"),
                page_size=queries.limit(request),
                page_token=request.query_params.get("cursor", ""),
            ),
            timeout=CALL_SECONDS,
        )
    )
    page: dict[str, Any] = {"executions": [_summary(execution) for execution in answer.executions]}
    if answer.next_page_token:
        page["nextCursor"] = answer.next_page_token
    return json_answer(page)


@router.get("/executions/{execution_id}", response_model=None)
async def read(request: Request, execution_id: str) -> Response:
    """Reads the log of an execution."""
    call = _clients(request).engine.GetExecution(
        pb.GetExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
    )
    return message_answer((await answer_of(call)).execution)


@router.post("/executions/{execution_id}/cancel", response_model=None)
async def cancel(request: Request, execution_id: str) -> Response:
    """Stops an execution that runs or waits."""
    call = _clients(request).engine.CancelExecution(
        pb.CancelExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
    )
    return message_answer((await answer_of(call)).execution)


def _execute_request(body: dict[str, Any]) -> pb.ExecuteRequest:
    for member in body:
        if member not in MEMBERS:
            raise bad_request(f"{member!r} is not known here; known are {', '.join(MEMBERS)}")
    request = pb.ExecuteRequest(session_id=_text(body, "sessionId"))
    flow, workflow_id = body.get("workflow"), _text(body, "workflowId")
    if (flow is None) == (not workflow_id):
        raise bad_request("send either workflow (a flow) or workflowId (the id of a saved one)")
    if flow is not None:
        request.workflow.workflow_json = _written(body, "workflow")
    else:
        version = body.get("version", 0)
        if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**31:
            raise bad_request("version must be a whole number from 1")
        request.ref.workflow_id, request.ref.version = workflow_id, version
    if body.get("triggerPayload") is not None:
        request.trigger_payload_json = _written(body, "triggerPayload")
    if body.get("options") is not None:
        try:
            request.options.CopyFrom(from_document(_object(body, "options"), pb.ExecuteOptions))
        except DocumentError as problem:
            raise bad_request(f"options.{problem}") from None
    return request


def _object(body: dict[str, Any], member: str) -> dict[str, Any]:
    value = body[member]
    if not isinstance(value, dict):
        raise bad_request(f"{member} must be an object")
    return value


def _written(body: dict[str, Any], member: str) -> str:
    try:
        return orjson.dumps(_object(body, member)).decode()
    except TypeError as problem:
        raise bad_request(f"{member} holds a value that cannot be kept: {problem}") from None


def _text(body: dict[str, Any], member: str) -> str:
    value = body.get(member)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_request(f"{member} must be text")
    return value


def _summary(execution: pb.ExecutionLog) -> dict[str, Any]:
    document = to_document(execution)
    for part in ("nodeResults", "deliveryReports"):
        document.pop(part, None)
    return document


def _clients(request: Request) -> Clients:
    clients: Clients = request.app.state.clients
    return clients
