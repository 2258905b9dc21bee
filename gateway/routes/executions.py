"""Executions: run a flow, look at what happened, stop it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway import members
from gateway.answers import message_answer, page_answer
from gateway.bodies import document_of, optional_document_of
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.compilation import with_all_faults
from gateway.documents.examples import COMPILATION_FAILED, EXECUTE, EXECUTE_SAVED, LOG, REPLAY, RESULT, SUMMARY
from gateway.documents.executions import (
    ExecuteRequest,
    ExecutionLog,
    ExecutionPage,
    ExecutionResult,
    ReplayAnswer,
    ReplayRequest,
)
from gateway.documents.faults import Error
from gateway.errors import HttpError, bad_request
from gateway.parameters import ExecutionId, ExecutionQuery, IdempotencyKey, NoQuery, timestamp
from gateway.requests import body_of
from gateway.responses import BAD_QUERY, BODY_REFUSALS, NO_EXECUTION, SERVICE_REFUSALS, answered, refusal
from gateway.routes.events import summary_of
from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from rpc.documents import DocumentError, from_document

DEFAULT_WAIT_MS = 10_000
"""How long the engine waits where the call does not say; see ExecuteOptions.wait_ms."""

MARGIN_SECONDS = 10.0
"""What a call of the engine may take beyond the wait, for its own work and its stores."""

LONGEST_SECONDS = 70.0
REPLAY_SECONDS = 45.0
"""What a replay may take, which the engine answers within 30 s."""

STATUSES = {
    "completed": workflow_pb2.EXECUTION_STATUS_COMPLETED,
    "failed": workflow_pb2.EXECUTION_STATUS_FAILED,
    "running": workflow_pb2.EXECUTION_STATUS_RUNNING,
    "timeout": workflow_pb2.EXECUTION_STATUS_TIMEOUT,
    "cancelled": workflow_pb2.EXECUTION_STATUS_CANCELLED,
}
MEMBERS = ("workflow", "workflowId", "version", "triggerPayload", "sessionId", "options")

router = APIRouter(prefix="/api/workflows", tags=["Executions"])


@router.post(
    "/execute",
    openapi_extra=body_of(ExecuteRequest, {"a flow that comes along": EXECUTE, "a saved flow": EXECUTE_SAVED}),
    responses={
        200: answered(ExecutionResult, "How the execution stands; a failed one is an answer too.", RESULT),
        400: answered(
            Error,
            "The body cannot be used, or the flow does not compile.",
            COMPILATION_FAILED,
        ),
        404: refusal(
            "There is no such session or saved flow.",
            "Session not found",
            "no session has the id ATUid_1",
            "SESSION_NOT_FOUND",
        ),
        409: refusal(
            "The session has ended, or another flow is live on it.",
            "Session has ended",
            "the session ATUid_1 has ended",
            "SESSION_ENDED",
        ),
        **BODY_REFUSALS,
        **SERVICE_REFUSALS,
    },
)
async def execute_workflow(
    request: Request, _: Annotated[NoQuery, Query()], idempotency_key: IdempotencyKey = None
) -> Response:
    """
    Runs a flow that comes with the call or is saved, or gives the execution that waits on a session its next input.

    Answers when the execution ended, waits for a person, or `waitMs` passed. A caller that goes away does not stop it.
    """
    call = _execute_request(await document_of(request))
    call.idempotency_key = idempotency_key or ""
    clients = clients_of(request)
    try:
        answer = await answer_of(clients.engine.Execute, call, _seconds_for(call.options))
    except HttpError as error:
        raise await with_all_faults(clients, call.workflow, error) from None
    return message_answer(answer.result)


@router.get(
    "/executions",
    responses={
        200: answered(ExecutionPage, "A page of executions.", {"executions": [SUMMARY]}),
        **BAD_QUERY,
        **SERVICE_REFUSALS,
    },
)
async def list_executions(request: Request, query: Annotated[ExecutionQuery, Query()]) -> Response:
    """Lists executions, newest first, without node results."""
    call = pb.ListExecutionsRequest(
        workflow_id=query.workflow_id,
        status=workflow_pb2.EXECUTION_STATUS_UNSPECIFIED if query.status is None else STATUSES[query.status],
        start_time=timestamp(query.start_date),
        end_time=timestamp(query.end_date),
        page_size=query.limit,
        page_token=query.cursor,
    )
    answer = await answer_of(clients_of(request).engine.ListExecutions, call)
    return page_answer("executions", map(summary_of, answer.executions), answer.next_page_token)


@router.get(
    "/executions/{execution_id}",
    responses={200: answered(ExecutionLog, "The log.", LOG), **NO_EXECUTION, **SERVICE_REFUSALS},
)
async def read_execution(request: Request, execution_id: ExecutionId) -> Response:
    """Reads the log of an execution."""
    call = pb.GetExecutionRequest(execution_id=execution_id)
    return message_answer((await answer_of(clients_of(request).engine.GetExecution, call)).execution)


@router.post(
    "/executions/{execution_id}/cancel",
    responses={
        200: answered(ExecutionLog, "The log as it stands now.", LOG | {"status": "cancelled"}),
        409: refusal("It has ended.", "Execution has ended", "ex-1 is completed", "EXECUTION_ENDED"),
        **BAD_QUERY,
        **NO_EXECUTION,
        **SERVICE_REFUSALS,
    },
)
async def cancel_execution(request: Request, execution_id: ExecutionId, _: Annotated[NoQuery, Query()]) -> Response:
    """Stops an execution that runs or waits."""
    call = pb.CancelExecutionRequest(execution_id=execution_id)
    answer = await answer_of(clients_of(request).engine.CancelExecution, call, DEFAULT_WAIT_MS / 1000 + MARGIN_SECONDS)
    return message_answer(answer.execution)


@router.post(
    "/executions/{execution_id}/replay",
    openapi_extra=body_of(ReplayRequest, {"for real": {"dryRun": False}}, required=False),
    responses={
        200: answered(ReplayAnswer, "The new execution, and what went otherwise.", REPLAY),
        400: answered(
            Error, "The body cannot be used.", {"error": "Bad request", "message": "dryRun: must be true or false"}
        ),
        409: refusal(
            "Its flow does not want to be run again.",
            "Replay is disabled",
            "flow greeting has settings.enableReplay: false",
            "REPLAY_DISABLED",
        ),
        **NO_EXECUTION,
        **BODY_REFUSALS,
        **SERVICE_REFUSALS,
    },
)
async def replay_execution(request: Request, execution_id: ExecutionId, _: Annotated[NoQuery, Query()]) -> Response:
    """
    Runs an execution again from the same trigger payload with the same inputs, and compares; a dry run by default.

    A session that it needs is a new, empty one.
    """
    body = await optional_document_of(request)
    members.check_members(body, ("dryRun",))
    call = pb.ReplayExecutionRequest(execution_id=execution_id, dry_run=members.flag_of(body, "dryRun"))
    answer = await answer_of(clients_of(request).engine.ReplayExecution, call, REPLAY_SECONDS)
    return message_answer(answer)


def _execute_request(body: Mapping[str, Any]) -> pb.ExecuteRequest:
    members.check_members(body, MEMBERS)
    flow, workflow_id = members.json_of(body, "workflow"), members.text_of(body, "workflowId")
    version = members.version_of(body)
    if (flow is None) == (workflow_id is None):
        raise bad_request("send either workflow (a flow) or workflowId (the id of a saved one)", "workflow")
    if flow is not None and version is not None:
        raise bad_request("version goes with workflowId; a flow that comes along has its own", "version")
    return pb.ExecuteRequest(
        workflow=None if flow is None else workflow_pb2.WorkflowSource(workflow_json=flow),
        ref=None if workflow_id is None else workflow_pb2.WorkflowRef(workflow_id=workflow_id, version=version or 0),
        trigger_payload_json=members.json_of(body, "triggerPayload") or "",
        session_id=members.text_of(body, "sessionId") or "",
        options=_options(members.object_of(body, "options")),
    )


def _options(written: Mapping[str, Any] | None) -> pb.ExecuteOptions | None:
    if written is None:
        return None
    try:
        return from_document(written, pb.ExecuteOptions)
    except DocumentError as problem:
        path = f"options.{problem.path}"
        raise bad_request(f"{path}: {problem.message}", path) from None


def _seconds_for(options: pb.ExecuteOptions) -> float:
    wait_ms = options.wait_ms if options.HasField("wait_ms") else DEFAULT_WAIT_MS
    return min(wait_ms / 1000 + MARGIN_SECONDS, LONGEST_SECONDS)
