"""The addresses of published flows, by each method."""

from tests.e2e.rows.calls import HOOK
from tests.e2e.rows.row import JSON, LONGEST_BODY, Row

TOKEN = {"Authorization": "Bearer a-token", "X-Shop": "1"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

WEBHOOKS = [
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
        for method in METHODS
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
        for method in METHODS
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
        for method in METHODS
        for status, why, kind, body, code in (
            (413, "too large", JSON, b" " * (LONGEST_BODY + 1), "BODY_TOO_LARGE"),
            (415, "a picture", "image/png", b"\x89PNG", "UNSUPPORTED_MEDIA_TYPE"),
        )
    ),
]
