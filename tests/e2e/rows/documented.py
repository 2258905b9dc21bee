"""The documented calls with each status that they list."""

from tests.e2e.rows.calls import (
    COMPILE,
    DECIDES_NOTHING,
    EXECUTE,
    FAILING,
    FAULT,
    FAULTY,
    LIST,
    MENU,
    READ,
    VALID,
    VALIDATE,
)
from tests.e2e.rows.row import Row

TIMED = {"startedAt": ..., "durationMs": ...}

DOCUMENTED = [
    Row(call="GET /health", status=200, why="all serve", says={"status": "ok", "timestamp": ...}),
    Row(
        call=VALIDATE,
        status=200,
        why="valid",
        body=VALID,
        says={"valid": True, "errors": [], "warnings": [DECIDES_NOTHING]},
    ),
    Row(
        call=VALIDATE, status=400, why="a fault", body=FAULTY, says={"valid": False, "errors": [FAULT], "warnings": []}
    ),
    Row(
        call=COMPILE,
        status=200,
        why="valid",
        body=VALID,
        says={
            "success": True,
            "warnings": [DECIDES_NOTHING],
            "graph": {
                "workflowId": "row-valid",
                "workflowVersion": 1,
                "trigger": "start",
                "executionOrder": ["start", "check"],
                "metadata": {"requiresSession": False, "hasSessionEnd": False, "maxDepth": 2, "hasCycles": False},
                "nodes": {
                    "check": {
                        "id": "check",
                        "type": "CONDITION",
                        "definition": {
                            "name": ...,
                            "category": "logic",
                            "inputHandles": ["default"],
                            "outputHandles": ...,
                        },
                        "config": {"expression": "1 == 1"},
                        "timeout": 1000,
                        "disabled": False,
                        "incomingEdges": [...],
                        "outgoingEdges": [],
                        "metadata": {"requiresSession": False, "endsSession": False, "executionOrder": 1},
                    }
                },
            },
        },
    ),
    Row(
        call=COMPILE, status=400, why="a fault", body=FAULTY, says={"success": False, "errors": [FAULT], "warnings": []}
    ),
    Row(
        call=EXECUTE,
        status=200,
        why="completed",
        body={"workflow": VALID, "triggerPayload": {"msisdn": "$phone", "message": "x"}, "options": {"waitMs": 10000}},
        says={
            "status": "completed",
            "executionId": ...,
            "nodeResults": [..., {"nodeId": "check", "status": "success", "attempt": 1}],
            "output": {"result": True},
        },
    ),
    Row(
        call=EXECUTE,
        status=200,
        why="the flow failed",
        body={"workflow": FAILING, "triggerPayload": {"msisdn": "$phone"}},
        says={"status": "failed", "error": {"code": ..., "message": ..., "type": "validation"}},
    ),
    Row(
        call=EXECUTE,
        status=200,
        why="a screen waits",
        body={"workflow": MENU, "triggerPayload": {"msisdn": "$phone"}},
        says={
            "status": "running",
            "reply": {"kind": "con", "text": "Hi"},
            "waitingFor": {"nodeId": "menu", "kind": "input", "expiresAt": ...},
            "sessionId": ...,
        },
    ),
    Row(
        call=EXECUTE,
        status=200,
        why="a dry run",
        body={"workflow": VALID, "options": {"dryRun": True, "continueOnError": True, "maxExecutionTimeMs": 60000}},
        says={"status": "completed"},
    ),
    Row(
        call=EXECUTE,
        status=200,
        why="repeated by its key",
        body={"workflow": VALID},
        headers={"Idempotency-Key": "$key"},
        says={"executionId": "$first_of_key", "status": "completed"},
    ),
    Row(
        call=EXECUTE,
        status=400,
        why="a fault",
        body={"workflow": FAULTY},
        says={"error": "Compilation failed", "code": "COMPILATION_FAILED", "errors": [FAULT]},
    ),
    Row(
        call=EXECUTE,
        status=404,
        why="unknown session",
        body={"workflow": MENU, "sessionId": "nobody"},
        says={"error": "Session not found", "code": "SESSION_NOT_FOUND"},
    ),
    Row(
        call=EXECUTE,
        status=404,
        why="unknown flow",
        body={"workflowId": "row-nothing"},
        says={"code": "WORKFLOW_NOT_FOUND"},
    ),
    Row(
        call=EXECUTE,
        status=409,
        why="ended session",
        body={"workflow": MENU, "sessionId": "$ended"},
        says={"code": "SESSION_ENDED"},
    ),
    Row(
        call=EXECUTE,
        status=409,
        why="another flow is live there",
        body={"workflowId": "$saved_menu", "sessionId": "$open"},
        says={"code": "SESSION_BUSY"},
    ),
    Row(
        call=EXECUTE,
        status=429,
        why="as many as its limit",
        body={"workflowId": "$full"},
        says={"code": "WORKFLOW_BUSY"},
        heads={"Retry-After": "5"},
    ),
    Row(
        call=READ,
        status=200,
        why="ended",
        at={"execution_id": "$done"},
        says={
            "executionId": "$done",
            "workflowId": "row-valid",
            "workflowVersion": 1,
            "status": "completed",
            "completedAt": ...,
            "nodeResults": [..., ...],
            **TIMED,
        },
    ),
    Row(
        call=READ,
        status=200,
        why="waiting",
        at={"execution_id": "$waiting"},
        says={"status": "running", "waitingFor": {"nodeId": "menu"}, "sessionId": "$open", **TIMED},
    ),
    Row(call=READ, status=404, why="unknown", at={"execution_id": "nothing"}, says={"error": "Execution not found"}),
    Row(
        call=LIST,
        status=200,
        why="every filter",
        query={
            "workflowId": "row-valid",
            "status": "completed",
            "startDate": "2026-01-01",
            "endDate": "2999-01-01T00:00:00Z",
            "limit": "1",
        },
        says={"executions": [{"workflowId": "row-valid", "status": "completed"}], "nextCursor": ...},
    ),
    *(
        Row(call=LIST, status=400, why=f"{name}={value}", query={name: value}, says={"code": "INVALID_FILTER"})
        for name, value in (
            ("status", "asleep"),
            ("startDate", "soon"),
            ("endDate", "late"),
            ("limit", "1001"),
            ("cursor", "x"),
        )
    ),
]
