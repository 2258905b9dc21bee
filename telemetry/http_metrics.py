"""How long HTTP requests take, by route and status."""

import time

from telemetry import attributes
from telemetry.http_tracing import UNTRACED_PATHS, App, Message, Receive, Scope, Send
from telemetry.instruments import HTTP_SERVER_DURATION
from telemetry.metrics import Meters

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_UNKNOWN_METHOD = "_OTHER"
_NO_ROUTE = "none"
_NO_ANSWER = 499


def measured(app: App, meters: Meters) -> App:
    """Returns the application with each request measured; the application itself where nobody looks."""
    if not meters.recording:
        return app
    duration = meters.histogram(HTTP_SERVER_DURATION)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED_PATHS:
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        status = _NO_ANSWER

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, send_noting_status)
        finally:
            duration.record(
                time.perf_counter() - started,
                {
                    attributes.HTTP_METHOD: scope["method"] if scope["method"] in _METHODS else _UNKNOWN_METHOD,
                    # The template of the path and never the path, which may hold a number or the token.
                    attributes.HTTP_ROUTE: getattr(scope.get("route"), "path", _NO_ROUTE),
                    attributes.HTTP_STATUS_CODE: status,
                },
            )

    return serve
