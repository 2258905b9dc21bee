"""What each RPC asks for."""

from rpc.callers import Scope

_SERVICE = "/njia.sessions.v1.SessionService"

_RPCS = {
    Scope.READ: ("GetSession", "FindSession", "ListSessions"),
    Scope.EXECUTE: ("OpenSession", "UpdateSession", "TouchSession", "EndSession", "DeleteSession"),
    Scope.SERVICE: ("CommitSession",),
    Scope.ADMIN: ("EraseMsisdn",),
}

SCOPES = {f"{_SERVICE}/{rpc}": scope for scope, rpcs in _RPCS.items() for rpc in rpcs}
