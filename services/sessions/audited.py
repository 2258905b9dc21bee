"""Calls that are noted in the audit log."""

from storage.audit import Audited

_SERVICE = "/njia.sessions.v1.SessionService"

AUDITED = {
    f"{_SERVICE}/EndSession": Audited("session.end", lambda request, _: request.session_id),
    f"{_SERVICE}/DeleteSession": Audited(
        "session.delete", lambda request, answer: request.session_id if answer.deleted else None
    ),
}
