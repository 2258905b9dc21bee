"""What each call asks for, and who may make it. A path that is not listed here asks for admin."""

import re
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope as HttpScope, Send

from gateway.answers import error_answer
from gateway.errors import refused
from rpc.callers import ANONYMOUS, Scope, set_caller
from rpc.guard import Guard, only_one
from rpc.status import CallRefused

SCHEME = "ApiKey"
"""Name of the security scheme in the OpenAPI document."""

_STILL_ADMITS = "still_admits"

_ANY = "DELETE|GET|HEAD|PATCH|POST|PUT"
_READ = "GET|HEAD"

_RULES: Sequence[tuple[str, str, Scope | None]] = (
    # Orchestrators and browsers come without a key; a webhook is asked for what its flow says.
    (_READ, r"/(?:health|livez|docs(?:/.*|\..*)?|openapi\.json)", None),
    (_ANY, r"/webhooks/.*", None),
    (_READ, r"/api/audit", Scope.ADMIN),
    (_READ, r"/(?:api/.*|metrics)", Scope.READ),
    ("POST", r"/api/workflows/(?:validate|compile)", Scope.READ),
    ("POST", r"/api/workflows/(?:execute|executions/.*)", Scope.EXECUTE),
    ("DELETE", r"/api/sessions/.*", Scope.EXECUTE),
    ("POST|DELETE", r"/api/workflows(?:/.*)?", Scope.PUBLISH),
)


def scope_of(method: str, path: str) -> Scope | None:
    """Returns what a call asks for; None where everybody may make it."""
    for methods, pattern, scope in _RULES:
        if method in methods.split("|") and re.fullmatch(pattern, path):
            return scope
    return Scope.ADMIN


class Access:
    """Lets requests through that have a key with the scope that they ask for. Preflights of browsers have none."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: HttpScope, receive: Receive, send: Send) -> None:
        """Serves a request, or refuses it before its body is read."""
        asked = scope_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if asked is None:
            # A request that was sent before the answer to another one begins where that one ends, with its name.
            set_caller(ANONYMOUS)
        else:
            authorization = _authorization(scope)
            scope.setdefault("state", {})[_STILL_ADMITS] = lambda: self._guard.still_admits(authorization, asked)
            try:
                set_caller(self._guard.admit(authorization, asked).name)
            except CallRefused as problem:
                await error_answer(refused(problem.refusal))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def may_go_on(request: Request) -> bool:
    """Whether the key of a request that lasts still stands in the list."""
    asks: Callable[[], bool] | None = getattr(request.state, _STILL_ADMITS, None)
    return asks is None or asks()


def _authorization(scope: HttpScope) -> str | None:
    return only_one([bytes(value).decode("latin-1") for name, value in scope["headers"] if name == b"authorization"])
