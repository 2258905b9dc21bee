"""One flow and what becomes of it, as the examples of the OpenAPI document."""

from typing import Any, Final

Example = dict[str, Any]

ISSUE: Final[Example] = {
    "code": "UNKNOWN_VARIABLE",
    "message": "{{nme}} is bound by nothing; did you mean name?",
    "nodeId": "answer",
    "path": "nodes[0].config.message",
}
COMPILATION_FAILED: Final[Example] = {
    "error": "Compilation failed",
    "message": "the flow has 1 error",
    "code": "COMPILATION_FAILED",
    "errors": [ISSUE],
}

WORKFLOW: Final[Example] = {
    "metadata": {
        "workflowId": "greeting",
        "version": 1,
        "name": "Greeting",
        "description": "Answers every SMS.",
        "createdBy": "wanjiru",
        "createdAt": "2026-01-31T08:00:00.000Z",
    },
    "trigger": {"id": "incoming", "type": "SMS_RECEIVED", "config": {"shortCode": "22384"}},
    "nodes": [
        {"id": "answer", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "You said: {{message}}"}},
    ],
    "edges": [{"id": "e1", "source": "incoming", "target": "answer"}],
}

EXECUTE: Final[Example] = {
    "workflow": WORKFLOW,
    "triggerPayload": {"msisdn": "+254711000001", "message": "hello"},
    "options": {"dryRun": True},
}

EXECUTE_SAVED: Final[Example] = {
    "workflowId": "greeting",
    "triggerPayload": {"msisdn": "+254711000001", "message": "hello"},
    "options": {"dryRun": True},
}

_NODE_RESULTS: Final = [
    {
        "nodeId": "incoming",
        "status": "success",
        "output": {"msisdn": "+254711000001", "message": "hello"},
        "durationMs": 0,
        "executedAt": "2026-01-31T08:00:01.000Z",
        "attempt": 1,
        "visit": 0,
    },
    {
        "nodeId": "answer",
        "status": "success",
        "output": {"messageId": "ATXid_1", "status": "Success"},
        "durationMs": 118,
        "executedAt": "2026-01-31T08:00:01.001Z",
        "attempt": 1,
        "visit": 0,
    },
]

RESULT: Final[Example] = {
    "executionId": "ex-1",
    "status": "completed",
    "output": {"messageId": "ATXid_1", "status": "Success"},
    "nodeResults": _NODE_RESULTS,
    "durationMs": 121,
    "workflowId": "greeting",
    "workflowVersion": 1,
}

SUMMARY: Final[Example] = {
    "executionId": "ex-1",
    "workflowId": "greeting",
    "workflowVersion": 1,
    "status": "completed",
    "startedAt": "2026-01-31T08:00:01.000Z",
    "completedAt": "2026-01-31T08:00:01.121Z",
    "durationMs": 121,
    "output": {"messageId": "ATXid_1", "status": "Success"},
    "traceIds": [],
}

LOG: Final[Example] = SUMMARY | {"nodeResults": _NODE_RESULTS, "deliveryReports": []}

SAVED: Final[Example] = {
    "workflowId": "greeting",
    "version": 1,
    "name": "Greeting",
    "published": False,
    "publishedVersion": 0,
    "latestVersion": 1,
    "savedAt": "2026-01-31T08:00:00.000Z",
    "triggerType": "SMS_RECEIVED",
}

PUBLISHED: Final[Example] = SAVED | {
    "published": True,
    "publishedVersion": 1,
    "publishedAt": "2026-01-31T08:00:00.500Z",
}

GRAPH: Final[Example] = {
    "workflowId": "greeting",
    "workflowVersion": 1,
    "workflowName": "Greeting",
    "trigger": "incoming",
    "nodes": {
        "incoming": {
            "id": "incoming",
            "type": "SMS_RECEIVED",
            "definition": {
                "name": "SMS received",
                "category": "trigger",
                "inputHandles": [],
                "outputHandles": ["default"],
                "description": "Starts the flow when an SMS comes in.",
            },
            "config": {"shortCode": "22384"},
            "timeout": 1000,
            "disabled": False,
            "incomingEdges": [],
            "outgoingEdges": [],
            "metadata": {"requiresSession": False, "endsSession": False, "executionOrder": 0},
        }
    },
    "executionOrder": ["incoming"],
    "metadata": {"requiresSession": False, "hasSessionEnd": False, "maxDepth": 1, "hasCycles": False},
}

NODE_TYPES: Final[Example] = {
    "nodeTypes": [
        {
            "type": "SMS_RECEIVED",
            "name": "SMS received",
            "category": "trigger",
            "description": "Starts the flow when an SMS comes in.",
            "inputHandles": [],
            "outputHandles": ["default"],
            "requiresSession": False,
            "configSchema": {"type": "object", "properties": {"shortCode": {"type": "string"}}},
            "defaults": {},
            "outputSchema": {"type": "object"},
            "timeout": 1000,
        }
    ]
}

SESSION: Final[Example] = {
    "sessionId": "ATUid_1",
    "type": "ussd",
    "msisdn": "+254711000001",
    "data": {"name": "Wanjiru"},
    "createdAt": "2026-01-31T08:00:00.000Z",
    "lastActivityAt": "2026-01-31T08:00:05.000Z",
    "expiresAt": "2026-01-31T08:05:05.000Z",
    "isActive": True,
    "version": 2,
}

REPLAY: Final[Example] = {
    "execution": LOG | {"dryRun": True},
    "differences": [
        {"nodeId": "answer", "visit": 0, "field": "error", "before": "RATE_LIMIT"},
        {"nodeId": "answer", "visit": 0, "field": "status", "before": "error", "after": "success"},
    ],
}
