"""What a call is refused with over gRPC, and the same call over REST."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grpc import StatusCode

from njia.engine.v1 import engine_service_pb2 as pb
from njia.workflow.v1 import workflow_pb2
from tests.e2e.driving import CALL_SECONDS, Platform
from tests.e2e.rows.calls import VALID

World = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """
    One call in both ways.

    Attributes:
        rpc: Makes it over gRPC.
        call: Method and path over REST; names in braces stand for what the test has made.
        status: What it is over HTTP.
    """

    code: StatusCode
    reason: str
    rpc: Callable[[Platform, World], Awaitable[Any]]
    call: str
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def execute(**more: Any) -> Callable[[Platform, World], Awaitable[Any]]:
    return lambda platform, _: platform.engine.Execute(
        pb.ExecuteRequest(workflow=workflow_pb2.WorkflowSource(workflow_json=json.dumps(VALID)), **more),
        timeout=CALL_SECONDS,
    )


def hook(token: str, method: str) -> Callable[[Platform, World], Awaitable[Any]]:
    headers = [pb.HttpHeader(name=name, value=value) for name, value in (("Authorization", token), ("X-Shop", "1"))]
    return lambda platform, world: platform.engine.HandleWebhook(
        pb.HandleWebhookRequest(workflow_id=world["hook_POST"], method=method, path="/orders/new", headers=headers),
        timeout=CALL_SECONDS,
    )


REFUSALS = [
    Refusal(
        code=StatusCode.INVALID_ARGUMENT,
        reason="INVALID_REQUEST",
        rpc=execute(options=pb.ExecuteOptions(wait_ms=60_001)),
        call="POST /api/workflows/execute",
        body={"workflow": VALID, "options": {"waitMs": 60_001}},
        status=400,
    ),
    Refusal(
        code=StatusCode.UNAUTHENTICATED,
        reason="WEBHOOK_UNAUTHENTICATED",
        rpc=hook("Bearer other", "POST"),
        call="POST /webhooks/{hook_POST}/orders/new",
        headers={"Authorization": "Bearer other", "X-Shop": "1"},
        status=401,
    ),
    Refusal(
        code=StatusCode.NOT_FOUND,
        reason="EXECUTION_NOT_FOUND",
        rpc=lambda platform, _: platform.engine.GetExecution(
            pb.GetExecutionRequest(execution_id="nothing"), timeout=CALL_SECONDS
        ),
        call="GET /api/workflows/executions/nothing",
        status=404,
    ),
    Refusal(
        code=StatusCode.FAILED_PRECONDITION,
        reason="EXECUTION_ENDED",
        rpc=lambda platform, world: platform.engine.CancelExecution(
            pb.CancelExecutionRequest(execution_id=world["done"]), timeout=CALL_SECONDS
        ),
        call="POST /api/workflows/executions/{done}/cancel",
        status=409,
    ),
    Refusal(
        code=StatusCode.RESOURCE_EXHAUSTED,
        reason="WORKFLOW_BUSY",
        rpc=lambda platform, world: platform.engine.Execute(
            pb.ExecuteRequest(ref=workflow_pb2.WorkflowRef(workflow_id=world["full"])), timeout=CALL_SECONDS
        ),
        call="POST /api/workflows/execute",
        body={"workflowId": "$full"},
        status=429,
    ),
    Refusal(
        code=StatusCode.UNIMPLEMENTED,
        reason="METHOD_NOT_ALLOWED",
        rpc=hook("Bearer a-token", "PUT"),
        call="PUT /webhooks/{hook_POST}/orders/new",
        headers={"Authorization": "Bearer a-token", "X-Shop": "1"},
        status=405,
    ),
]
"""Those that a set without keys and outages gives; tests/gateway/test_refusals.py has every status there is."""
