"""One row for each answer of each call of the REST API, and for each callback of Africa's Talking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.flows import ask, bye, dialled, flow, node, texted

TOKEN = {"Authorization": "Bearer a-token", "X-Shop": "1"}
JSON = "application/json"
LONGEST_BODY = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Row:
    """
    One call and its answer. A text that begins with $ stands for what the test has made under that name.

    Attributes:
        call: Method and path, as the OpenAPI document writes them.
        status: What is answered.
        why: What makes the answer this one.
        at: Values of the placeholders of the path.
        body: What is sent as JSON; bytes are sent as they are, as JSON unless the headers say otherwise.
        says: What stands in the answer, among other things; ... stands for anything.
        heads: Headers of the answer; ... stands for any value.
    """

    call: str
    status: int
    why: str
    at: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    says: Any = field(default_factory=dict)
    heads: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.call} {self.status} {self.why}"


VALID = flow("row-valid", texted(), [node("check", "CONDITION", {"expression": "1 == 1"})], ["start>check"])
DECIDES_NOTHING = {"code": "DEAD_END_NODE", "nodeId": "check", "path": "nodes[0]"}
FAULTY = flow("row-faulty", texted(), [node("pigeon", "SEND_PIGEON", {})], ["start>pigeon"])
FAULT = {"code": "INVALID_NODE_TYPE", "message": ..., "nodeId": "pigeon", "path": "nodes[0].type"}
FAILING = flow(
    "row-failing",
    texted(),
    [node("route", "SWITCH", {"value": "{{session.data.none}}", "cases": [{"value": "1", "label": "1"}]})],
    ["start>route"],
)
MENU = flow("row-menu", dialled(), [ask("menu", "Hi"), bye("end", "Bye")], ["start>menu", "menu>end"])
TIMED = {"startedAt": ..., "durationMs": ...}

VALIDATE, COMPILE = "POST /api/workflows/validate", "POST /api/workflows/compile"
EXECUTE = "POST /api/workflows/execute"
LIST, READ = "GET /api/workflows/executions", "GET /api/workflows/executions/{execution_id}"
CANCEL, REPLAY = (f"POST /api/workflows/executions/{{execution_id}}/{verb}" for verb in ("cancel", "replay"))
EVENTS = f"{READ}/events"
SAVE, FLOWS, FLOW = "POST /api/workflows", "GET /api/workflows", "GET /api/workflows/{workflow_id}"
DELETE = "DELETE /api/workflows/{workflow_id}"
PUBLISH, UNPUBLISH = (f"POST /api/workflows/{{workflow_id}}/{verb}" for verb in ("publish", "unpublish"))
SESSIONS, SESSION = "GET /api/sessions", "GET /api/sessions/{session_id}"
END_SESSION = "DELETE /api/sessions/{session_id}"
UNCLAIMED, AUDIT, ERASE = "GET /api/unclaimed", "GET /api/audit", "DELETE /api/subjects/{msisdn}"
HOOK = "/webhooks/{workflow_id}/{path}"

WITH_JSON = (VALIDATE, COMPILE, EXECUTE, REPLAY, SAVE, PUBLISH)
WITHOUT_UNKNOWN_PARAMETERS = (
    *(LIST, CANCEL, EVENTS, REPLAY, AUDIT, ERASE, UNCLAIMED, SAVE, FLOWS, FLOW, DELETE, PUBLISH, UNPUBLISH),
    *(SESSIONS, END_SESSION),
)
SOMEWHERE = {"execution_id": "$done", "workflow_id": "$saved", "session_id": "$open", "msisdn": "+254711999999"}

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

BEYOND = [
    Row(call="GET /api/node-types", status=200, why="the catalogue", says={"nodeTypes": [...] * 25}),
    Row(
        call=SAVE,
        status=201,
        why="a new flow",
        body="$new_flow",
        says={"version": 1, "warnings": ...},
        heads={"Location": ...},
    ),
    Row(
        call=SAVE,
        status=200,
        why="the same again",
        body="$saved_flow",
        says={"workflowId": "$saved", "version": 1},
        heads={"Location": ...},
    ),
    Row(call=SAVE, status=400, why="a fault", body=FAULTY, says={"error": "Compilation failed", "errors": [FAULT]}),
    Row(
        call=FLOWS,
        status=200,
        why="a page",
        query={"limit": "1"},
        says={"workflows": [{"workflowId": ...}], "nextCursor": ...},
    ),
    Row(
        call=FLOW,
        status=200,
        why="the newest",
        at={"workflow_id": "$saved"},
        says={"workflowId": "$saved", "version": 1, "workflow": "$saved_flow"},
    ),
    Row(
        call=FLOW,
        status=200,
        why="a version",
        at={"workflow_id": "$saved"},
        query={"version": "1"},
        says={"version": 1},
    ),
    Row(call=FLOW, status=404, why="unknown", at={"workflow_id": "row-nothing"}, says={"error": "Workflow not found"}),
    Row(
        call=FLOW,
        status=404,
        why="unknown version",
        at={"workflow_id": "$saved"},
        query={"version": "9"},
        says={"code": "WORKFLOW_NOT_FOUND"},
    ),
    Row(
        call=PUBLISH,
        status=200,
        why="a version",
        at={"workflow_id": "$to_publish"},
        body={"version": 1},
        says={"publishedVersion": 1},
    ),
    Row(
        call=PUBLISH, status=404, why="unknown", at={"workflow_id": "row-nothing"}, says={"code": "WORKFLOW_NOT_FOUND"}
    ),
    Row(
        call=PUBLISH,
        status=409,
        why="claimed",
        at={"workflow_id": "$rival"},
        says={"code": "TRIGGER_CLAIMED", "message": "$both_names"},
    ),
    Row(
        call=UNPUBLISH,
        status=200,
        why="published",
        at={"workflow_id": "$to_unpublish"},
        says={"workflowId": "$to_unpublish"},
    ),
    Row(
        call=UNPUBLISH,
        status=404,
        why="unknown",
        at={"workflow_id": "row-nothing"},
        says={"code": "WORKFLOW_NOT_FOUND"},
    ),
    Row(call=DELETE, status=204, why="saved", at={"workflow_id": "$to_delete"}),
    Row(call=DELETE, status=404, why="unknown", at={"workflow_id": "row-nothing"}, says={"code": "WORKFLOW_NOT_FOUND"}),
    Row(
        call=DELETE, status=409, why="published", at={"workflow_id": "$published"}, says={"code": "WORKFLOW_PUBLISHED"}
    ),
    Row(
        call=CANCEL,
        status=200,
        why="waiting",
        at={"execution_id": "$to_cancel"},
        says={"status": "cancelled", "completedAt": ...},
    ),
    Row(call=CANCEL, status=404, why="unknown", at={"execution_id": "nothing"}, says={"code": "EXECUTION_NOT_FOUND"}),
    Row(call=CANCEL, status=409, why="ended", at={"execution_id": "$done"}, says={"code": "EXECUTION_ENDED"}),
    Row(
        call=REPLAY,
        status=200,
        why="a rehearsal",
        at={"execution_id": "$done"},
        says={"execution": {"executionId": ..., "status": "completed", "dryRun": True}, "differences": []},
    ),
    Row(
        call=REPLAY,
        status=400,
        why="dryRun is no flag",
        at={"execution_id": "$done"},
        body={"dryRun": "no"},
        says={"errors": [{"path": "dryRun"}]},
    ),
    Row(call=REPLAY, status=404, why="unknown", at={"execution_id": "nothing"}, says={"code": "EXECUTION_NOT_FOUND"}),
    Row(
        call=REPLAY,
        status=409,
        why="not wanted",
        at={"execution_id": "$not_replayed"},
        says={"code": "REPLAY_DISABLED"},
    ),
    Row(
        call=EVENTS,
        status=200,
        why="to the end",
        at={"execution_id": "$done"},
        says="event: nodeResult",
        heads={"content-type": ...},
    ),
    Row(call=EVENTS, status=204, why="all seen", at={"execution_id": "$done"}, headers={"Last-Event-ID": "2"}),
    Row(call=EVENTS, status=400, why="no number", at={"execution_id": "$done"}, headers={"Last-Event-ID": "x"}),
    Row(call=EVENTS, status=404, why="unknown", at={"execution_id": "nothing"}, says={"code": "EXECUTION_NOT_FOUND"}),
    Row(
        call=SESSION,
        status=200,
        why="live",
        at={"session_id": "$open"},
        says={"sessionId": "$open", "type": "ussd", "isActive": True, "msisdn": "$phone"},
    ),
    Row(call=SESSION, status=404, why="unknown", at={"session_id": "nobody"}, says={"error": "Session not found"}),
    Row(
        call=SESSIONS,
        status=200,
        why="every filter",
        query={"msisdn": "$phone", "type": "ussd", "active": "true"},
        says={"sessions": ...},
    ),
    Row(call=SESSIONS, status=400, why="unknown type", query={"type": "fax"}, says={"code": "INVALID_FILTER"}),
    Row(
        call=END_SESSION,
        status=200,
        why="live",
        at={"session_id": "$to_end"},
        says={"sessionId": "$to_end", "isActive": False},
    ),
    Row(call=END_SESSION, status=404, why="unknown", at={"session_id": "nobody"}, says={"code": "SESSION_NOT_FOUND"}),
    *(
        Row(
            call=f"{method} {HOOK}",
            status=202,
            why="started",
            at={"workflow_id": f"$hook_{method}", "path": "orders/new"},
            headers=TOKEN,
            body=body,
            says={"executionId": ...},
        )
        for method, body in (
            ("GET", None),
            ("POST", {"a": 1}),
            ("PUT", {"a": 1}),
            ("PATCH", {"a": 1}),
            ("DELETE", None),
        )
    ),
    *(
        Row(
            call=f"{method} {HOOK}",
            status=200,
            why="waited for",
            at={"workflow_id": f"$hook_{method}", "path": "orders/new"},
            query={"wait": "true"},
            headers=TOKEN,
            says={"status": "completed", "executionId": ...},
        )
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
    *(
        Row(
            call=f"{method} {HOOK}",
            status=status,
            why=why,
            at={"workflow_id": f"$hook_{method}", "path": path},
            headers=headers,
            says={"code": code},
            heads=heads,
        )
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for status, why, path, headers, code, heads in (
            (400, "a header is missing", "orders/new", {"Authorization": "Bearer a-token"}, "MISSING_HEADER", {}),
            (
                401,
                "another token",
                "orders/new",
                {"Authorization": "Bearer other", "X-Shop": "1"},
                "WEBHOOK_UNAUTHENTICATED",
                {"WWW-Authenticate": "Webhook"},
            ),
            (404, "another path", "orders/old", TOKEN, "WEBHOOK_NOT_FOUND", {}),
        )
    ),
    *(
        Row(
            call=f"{method} {HOOK}",
            status=405,
            why="another method",
            at={"workflow_id": f"$hook_{other}", "path": "orders/new"},
            headers=TOKEN,
            says={"code": "METHOD_NOT_ALLOWED"},
            heads={"Allow": other},
        )
        for method, other in (
            ("GET", "POST"),
            ("POST", "PUT"),
            ("PUT", "PATCH"),
            ("PATCH", "DELETE"),
            ("DELETE", "GET"),
        )
    ),
    *(
        Row(
            call=f"{method} {HOOK}",
            status=status,
            why=why,
            at={"workflow_id": f"$hook_{method}", "path": "orders/new"},
            headers=TOKEN | {"Content-Type": kind},
            body=body,
            says={"code": code},
        )
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for status, why, kind, body, code in (
            (413, "too large", JSON, b" " * (LONGEST_BODY + 1), "BODY_TOO_LARGE"),
            (415, "a picture", "image/png", b"\x89PNG", "UNSUPPORTED_MEDIA_TYPE"),
        )
    ),
    Row(call="GET /docs", status=200, why="the page", says="<html", heads={"content-type": "text/html; charset=utf-8"}),
    Row(call="GET /openapi.json", status=200, why="the document", says={"openapi": "3.1.0", "paths": ...}),
    Row(call="GET /metrics", status=200, why="for Prometheus", says="http_server_request_duration_seconds"),
    Row(call="GET /livez", status=200, why="it runs", says={"status": "ok"}),
    Row(
        call=UNCLAIMED,
        status=200,
        why="a channel",
        query={"channel": "sms", "limit": "1"},
        says={"unclaimed": [{"channel": "sms", "payload": {"shortCode": "22999"}}]},
    ),
    Row(
        call=AUDIT,
        status=200,
        why="a page",
        query={"limit": "1"},
        says={"entries": [{"who": ..., "action": ..., "at": ...}]},
    ),
    Row(
        call=ERASE,
        status=200,
        why="a number",
        at={"msisdn": "$to_erase"},
        says={"sessions": 1, "executions": 1, "left": 0},
    ),
    Row(call=ERASE, status=400, why="no number", at={"msisdn": "nobody"}, says={"code": "INVALID_REQUEST"}),
]

EVERYWHERE = [
    *(
        Row(
            call=call,
            status=400,
            why="an unknown parameter",
            at=SOMEWHERE,
            query={"colour": "red"},
            says={"error": ..., "message": ..., "code": "INVALID_FILTER"},
        )
        for call in WITHOUT_UNKNOWN_PARAMETERS
    ),
    *(
        Row(
            call=call,
            status=413,
            why="a body over 1 MiB",
            at=SOMEWHERE,
            body=b" " * (LONGEST_BODY + 1),
            says={"error": "Body too large", "code": "BODY_TOO_LARGE"},
        )
        for call in WITH_JSON
    ),
    *(
        Row(
            call=call,
            status=415,
            why="a form",
            at=SOMEWHERE,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=b"a=b",
            says={"code": "UNSUPPORTED_MEDIA_TYPE"},
        )
        for call in WITH_JSON
    ),
    *(
        Row(call=call, status=400, why="no JSON", at=SOMEWHERE, body=b'{\n "a": oops}', says=says)
        for call, says in {
            VALIDATE: {"valid": False, "errors": [{"code": "SCHEMA_VALIDATION_ERROR", "message": "$where"}]},
            COMPILE: {"success": False, "errors": [{"code": "SCHEMA_VALIDATION_ERROR", "message": "$where"}]},
            EXECUTE: {"code": "NOT_JSON", "message": "$where"},
            REPLAY: {"code": "NOT_JSON", "message": "$where"},
            SAVE: {"error": "Compilation failed", "errors": [{"message": "$where"}]},
            PUBLISH: {"code": "NOT_JSON", "message": "$where"},
        }.items()
    ),
]

ROWS = [*DOCUMENTED, *BEYOND, *EVERYWHERE]

SERVICE_AWAY = {"500", "503", "504", "default"}
"""What takes a defect, an outage or an older service: tests/gateway/test_answers.py and tests/e2e/test_outages.py."""

KEYS = {"401", "403"}
"""What takes keys, which this set does not ask for: tests/gateway/test_access.py."""

ONCE = {"429"}
"""What any call may be answered and one shows."""


@dataclass(frozen=True, kw_only=True)
class Callback:
    """
    What Africa's Talking posts, as a form and as JSON, and what it is answered.

    Attributes:
        path: Below /at.
        says: The beginning of the answer.
    """

    path: str
    why: str
    status: int = 200
    says: str
    fields: Mapping[str, str]


SCREEN = {"sessionId": "$new", "phoneNumber": "$phone", "serviceCode": "$code", "networkCode": "63902", "text": ""}
CALL = {
    "sessionId": "$new",
    "isActive": "1",
    "direction": "Inbound",
    "callerNumber": "$phone",
    "destinationNumber": "+254711082099",
}
PAID = {
    "transactionId": "$new",
    "category": "MobileCheckout",
    "provider": "Mpesa",
    "status": "Success",
    "value": "KES 10.0000",
    "source": "$phone",
    "sourceType": "PhoneNumber",
    "productName": "shop",
}
ASKED = {
    "transactionId": "$new",
    "phoneNumber": "$phone",
    "sourceIpAddress": "127.0.0.1",
    "currencyCode": "KES",
    "amount": "500.00",
}

CALLBACKS = [
    Callback(path="/ussd", why="a dialled code", says="CON Hi", fields=SCREEN),
    Callback(
        path="/ussd", why="a code that nobody claims", says="END ", fields=SCREEN | {"serviceCode": "*384*999999#"}
    ),
    Callback(path="/ussd", why="nothing in it", says="END ", fields={"text": ""}),
    Callback(
        path="/ussd/events",
        why="an end",
        says="OK",
        fields={
            "sessionId": "$new",
            "serviceCode": "$code",
            "networkCode": "63902",
            "phoneNumber": "$phone",
            "status": "Incomplete",
            "cost": "KES 0",
            "durationInMillis": "1",
            "hopsCount": "1",
            "input": "",
            "lastAppResponse": "",
        },
    ),
    Callback(
        path="/sms",
        why="nobody claims it",
        says="OK",
        fields={"id": "$new", "from": "$phone", "to": "22998", "text": "hello", "date": "2026-01-31 08:00:00"},
    ),
    Callback(
        path="/sms/delivery",
        why="a report",
        says="OK",
        fields={"id": "$new", "status": "Success", "phoneNumber": "$phone", "networkCode": "63902"},
    ),
    Callback(path="/sms/opt-out", why="an opt-out", says="OK", fields={"phoneNumber": "$phone", "senderId": "22997"}),
    Callback(
        path="/sms/subscriptions",
        why="a subscription",
        says="OK",
        fields={"phoneNumber": "$phone", "shortCode": "22997", "keyword": "news", "updateType": "addition"},
    ),
    Callback(
        path="/voice",
        why="nobody claims it",
        says='<?xml version="1.0" encoding="UTF-8"?><Response><Reject/>',
        fields=CALL,
    ),
    Callback(
        path="/voice/events",
        why="an end",
        says="OK",
        fields=CALL | {"isActive": "0", "status": "Completed", "durationInSeconds": "3"},
    ),
    Callback(
        path="/airtime/status",
        why="a report",
        says="OK",
        fields={"requestId": "$new", "phoneNumber": "$phone", "value": "KES 10.00", "status": "Success"},
    ),
    Callback(path="/airtime/validation", why="nobody asked for it", says='{"status":"Failed"}', fields=ASKED),
    Callback(path="/payments", why="a payment", says="OK", fields=PAID),
    Callback(path="/payments/validation", why="nobody asked for it", says='{"status":"Failed"}', fields=ASKED),
    Callback(
        path="/payments/validation",
        why="of their own accord",
        says='{"status":"Validated"}',
        fields={"phoneNumber": "$phone", "value": "KES 10.0000", "provider": "Mpesa"},
    ),
    *(
        Callback(path=path, why="nothing in it", status=400, says="", fields={"text": "x"})
        for path in (
            "/ussd/events",
            "/sms",
            "/sms/delivery",
            "/sms/opt-out",
            "/sms/subscriptions",
            "/voice/events",
            "/airtime/status",
            "/payments",
        )
    ),
]
