"""Tells the address that a flow names of its failed executions."""

from typing import Any

import orjson

from services.engine.core.program import Program
from services.engine.core.state import NodeResult, NodeStatus
from services.engine.core.timestamps import timestamp
from services.engine.store.execution_store import Stored
from workflow.errors import NodeError, NodeFailure
from workflow.ports import Credentials, HttpClient, HttpRequest

TIMEOUT_MS = 10_000


class ErrorWebhooks:
    """Posts a document to `errorHandling.errorWebhook`; what a flow may not reach, this does not reach either."""

    def __init__(self, web: HttpClient) -> None:
        self._web = web

    async def tell(self, program: Program, stored: Stored) -> str | None:
        """
        Tells of one failed execution; the same Idempotency-Key each time, since it may be told more than once.

        Returns why it has to be told again; None once an answer of 2xx came.
        """
        url = program.graph.error_handling.error_webhook or ""
        try:
            answer = await self._web.send(
                HttpRequest(
                    method="POST",
                    url=url,
                    headers={
                        "Content-Type": "application/json",
                        "Idempotency-Key": f"{stored.state.execution_id}:error-webhook",
                    },
                    body=orjson.dumps(document_of(stored)),
                    credentials=Credentials(),
                    timeout_ms=TIMEOUT_MS,
                    max_redirects=5,
                    verifies_tls=True,
                    is_repeatable=True,
                )
            )
        except NodeFailure as problem:
            return problem.error.message
        return None if 200 <= answer.status < 300 else f"the error webhook was answered {answer.status}"


def document_of(stored: Stored) -> dict[str, Any]:
    """What is told: the execution, why it failed, and the attempt of the node that failed it, where one did."""
    state = stored.state
    failed = _failed_node(stored)
    return {
        "executionId": state.execution_id,
        "workflowId": state.workflow_id,
        "version": state.workflow_version,
        "status": state.status,
        "error": None if state.error is None else _error(state.error),
        "failedNode": None
        if failed is None
        else {"nodeId": failed.node_id, "attempt": failed.attempt, "visit": failed.visit},
        "startedAt": timestamp(state.started_at_ms),
        "completedAt": None if state.completed_at_ms is None else timestamp(state.completed_at_ms),
    }


def _failed_node(stored: Stored) -> NodeResult | None:
    """The last attempt with the error that the execution has; none where it ran out of time or met a limit."""
    return next(
        (
            result
            for result in reversed(stored.results)
            if result.status in (NodeStatus.ERROR, NodeStatus.TIMEOUT) and result.error == stored.state.error
        ),
        None,
    )


def _error(error: NodeError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "type": error.type, "details": dict(error.details)}
