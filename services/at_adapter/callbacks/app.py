"""The HTTP face of the adapter: the addresses that are entered in the dashboard of Africa's Talking."""

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Literal

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.at_adapter.callbacks.fields import MAX_BODY_BYTES, BodyTooLarge, UnusableCallback
from storage.outages import Outage

CallbackPath = Literal[
    "/ussd",
    "/ussd/events",
    "/sms",
    "/sms/delivery",
    "/sms/opt-out",
    "/sms/subscriptions",
    "/voice",
    "/voice/events",
    "/airtime/status",
    "/airtime/validation",
    "/payments",
    "/payments/validation",
]
"""Every address that Africa's Talking posts to, below /at."""

Callback = Callable[[Request], Awaitable[Response]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ENTER_THEM_ANEW = "enter the addresses with NJIA_AT_CALLBACK_TOKEN, as this adapter has it, at Africa's Talking"

_log = structlog.get_logger()


def callback_app(
    callbacks: Mapping[CallbackPath, Callback],
    *,
    ready: Callable[[], Awaitable[bool]],
    token: str | None,
) -> App:
    """
    Returns the application.

    Args:
        callbacks: What takes what is posted, by its path.
        ready: What GET /health says.
        token: Secret part of the addresses, /at/{token}/…; every other address is then 404.
    """
    prefix = "/at" if token is None else "/at/{token}"
    strays = _Strays(tuple(callbacks))

    async def health(_: Request) -> JSONResponse:
        serving = await ready()
        return JSONResponse({"status": "ok" if serving else "unavailable"}, 200 if serving else 503)

    app = Starlette(
        routes=[
            Route("/health", health),
            *(Route(prefix + path, _endpoint(callback), methods=["POST"]) for path, callback in callbacks.items()),
        ],
        exception_handlers={
            BodyTooLarge: _too_large,
            UnusableCallback: _unusable,
            ClientDisconnect: _gone,
            404: strays.not_found,
        },
    )
    return app if token is None else _TokenGate(app, token, strays)


def _endpoint(callback: Callback) -> Callback:
    async def endpoint(request: Request) -> Response:
        return await callback(request)

    # Starlette takes an object for an ASGI application; only a function is called with the request.
    return endpoint


async def _too_large(_: Request, __: Exception) -> PlainTextResponse:
    return PlainTextResponse(f"the body is longer than {MAX_BODY_BYTES} bytes", 413)


async def _gone(_: Request, __: Exception) -> Response:
    # Nobody reads this answer; without it the log would show a defect.
    return Response(status_code=499)


async def _unusable(request: Request, error: Exception) -> PlainTextResponse:
    _log.warning("a callback cannot be used", route=request.scope["route"].path, problem=str(error))
    return PlainTextResponse(str(error), 400)


class _Strays:
    """
    Answers what came to no address. What ends like one of ours is told of: those at Africa's Talking have another token
    then, and all that callers see is a fault of the network. The path itself may hold a token and stays out of the log.
    """

    def __init__(self, paths: Sequence[CallbackPath]) -> None:
        self._paths = paths
        self._outage = Outage("a callback came to an address that is none of this adapter")

    async def not_found(self, request: Request, _: Exception) -> PlainTextResponse:
        return self.answered(request.url.path)

    def answered(self, path: str) -> PlainTextResponse:
        """Returns 404."""
        for known in self._paths:
            if path.endswith(known):
                self._outage.goes_on(callback=known, what_to_do=_ENTER_THEM_ANEW)
                break
        return PlainTextResponse("Not Found", 404)


class _TokenGate:
    """Lets through what knows the token, compared in constant time, and the health check."""

    def __init__(self, app: App, token: str, strays: _Strays) -> None:
        self._app = app
        self._token = token.encode()
        self._strays = strays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["path"].split("/")
        given = parts[2] if len(parts) > 2 and parts[1] == "at" else ""
        if scope["path"] == "/health" or hmac.compare_digest(given.encode(), self._token):
            await self._app(scope, receive, send)
        else:
            await self._strays.answered(scope["path"])(scope, receive, send)
