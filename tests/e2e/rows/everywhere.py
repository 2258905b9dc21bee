"""What many calls answer alike."""

from tests.e2e.rows.calls import (
    AUDIT,
    CANCEL,
    COMPILE,
    DELETE,
    END_SESSION,
    ERASE,
    EVENTS,
    EXECUTE,
    FLOW,
    FLOWS,
    LIST,
    PUBLISH,
    REPLAY,
    SAVE,
    SESSIONS,
    UNCLAIMED,
    UNPUBLISH,
    VALIDATE,
)
from tests.e2e.rows.row import LONGEST_BODY, Row

WITH_JSON = (VALIDATE, COMPILE, EXECUTE, REPLAY, SAVE, PUBLISH)
WITHOUT_UNKNOWN_PARAMETERS = (
    *(LIST, CANCEL, EVENTS, REPLAY, AUDIT, ERASE, UNCLAIMED, SAVE, FLOWS, FLOW, DELETE, PUBLISH, UNPUBLISH),
    *(SESSIONS, END_SESSION),
)
SOMEWHERE = {"execution_id": "$done", "workflow_id": "$saved", "session_id": "$open", "msisdn": "+254711999999"}

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
