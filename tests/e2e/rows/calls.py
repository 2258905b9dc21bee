"""The calls of the REST API, as its document writes them, and the flows that are sent in the rows."""

from tests.e2e.flows import ask, bye, dialled, flow, node, texted

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
