"""Webhooks: the addresses of published flows. They prove who calls by their own config, and by nothing else."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from gateway.answers import json_answer
from gateway.bodies import bytes_of
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.documents.faults import Error
from gateway.documents.webhooks import WebhookOutcome, WebhookTaken
from gateway.errors import bad_request
from gateway.parameters import WebhookPath, WorkflowId
from gateway.responses import BODY_REFUSALS, SERVICE_REFUSALS, answered, refusal
from njia.engine.v1 import engine_service_pb2 as pb
from rpc.documents import to_document

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY = ("POST", "PUT", "PATCH")

LONGEST_SECONDS = 40.0
"""A trigger waits at most 30 s for the outcome; the rest is for the engine's own work."""

WAIT = "wait"
TOLD = ("executionId", "status", "output", "reply")

router = APIRouter(tags=["Webhooks"])

_WAIT_PARAMETER = {
    "name": WAIT,
    "in": "query",
    "required": False,
    "schema": {"type": "boolean", "default": False},
    "description": "Whether to answer with the outcome, if there is one within the trigger's `timeoutMs`.",
}

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: answered(
        WebhookOutcome,
        "The outcome, where the call waits for it.",
        {"executionId": "exe_1", "status": "completed", "output": {"messageId": "ATXid_1"}},
    ),
    202: answered(WebhookTaken, "The request is recorded, and the flow runs.", {"executionId": "exe_1"}),
    400: answered(
        Error,
        "A required header is missing (`MISSING_HEADER`), or the body cannot be read (`INVALID_BODY`).",
        {"error": "Bad request", "message": "the body is not JSON: a value is missing", "code": "INVALID_BODY"},
    ),
    401: refusal(
        "Credentials or signature are missing or wrong.",
        "Unauthorized",
        "the request does not prove who sent it: check its credentials and its signature",
        "WEBHOOK_UNAUTHENTICATED",
    ),
    404: refusal(
        "No published flow listens at this address.",
        "Not found",
        "no published flow listens at this address",
        "WEBHOOK_NOT_FOUND",
    ),
    405: refusal(
        "The flow listens for another method.",
        "Method not allowed",
        "this address takes POST",
        "METHOD_NOT_ALLOWED",
        {"Allow": {"description": "The method that it takes.", "schema": {"type": "string"}}},
    ),
    **BODY_REFUSALS,
    **SERVICE_REFUSALS,
}


async def call_webhook(request: Request, workflow_id: WorkflowId, path: WebhookPath) -> Response:
    """
    Starts a published flow with an `HTTP_WEBHOOK` trigger.

    Answers at once, or with the outcome where `wait` is true. An `Idempotency-Key` makes a repeat within 24 h safe.
    """
    query = request.scope["query_string"].decode("latin-1")
    call = pb.HandleWebhookRequest(
        workflow_id=workflow_id,
        method=request.method,
        path=f"/{path}",
        headers=[pb.HttpHeader(name=name, value=value) for name, value in request.headers.items()],
        query="&".join(field for field in query.split("&") if field.partition("=")[0] != WAIT),
        body=await bytes_of(request),
        wait=_wait(request),
    )
    answer = await answer_of(clients_of(request).engine.HandleWebhook, call, LONGEST_SECONDS)
    if answer.HasField("result"):
        return json_answer(_outcome(to_document(answer.result)))
    return json_answer({"executionId": answer.execution_id}, 202)


def _wait(request: Request) -> bool:
    written = request.query_params.get(WAIT, "false")
    if written not in ("true", "false"):
        raise bad_request(f'query parameter wait: must be true or false, not "{written[:40]}"', WAIT)
    return written == "true"


def _outcome(result: Mapping[str, Any]) -> dict[str, Any]:
    outcome = {name: result[name] for name in TOLD if name in result}
    if "error" in result:
        outcome["error"] = {name: result["error"][name] for name in ("code", "message")}
    return outcome


_BODY = {
    "requestBody": {
        "required": False,
        "description": "JSON, a form, text or XML. The keys of an object stand at the top level of the payload too.",
        "content": {
            "application/json": {"schema": {}, "examples": {"an alert": {"value": {"service": "billing"}}}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}

for _method in METHODS:
    router.add_api_route(
        "/webhooks/{workflow_id}/{path:path}",
        call_webhook,
        methods=[_method],
        name=f"{_method.lower()}_webhook",
        responses=_RESPONSES,
        openapi_extra={"parameters": [_WAIT_PARAMETER]} | (_BODY if _method in WITH_BODY else {}),
    )
