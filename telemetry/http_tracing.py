"""
Spans of HTTP requests.

opentelemetry-instrumentation-asgi is not used: it puts the whole URL on the span, and with it the secret of the
callback addresses and the phone numbers of query strings.
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.trace import Status, StatusCode, TracerProvider

from telemetry import attributes, spans, tracing

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNTRACED_PATHS: Collection[str] = ("/health", "/livez", "/metrics")
"""Paths asked by machines all day; their spans would drown the others."""

_SERVER_ERROR = 500


def traced(app: App, provider: TracerProvider) -> App:
    """Returns the application with a span around each request; the application itself when nothing is recorded."""
    if not tracing.records(provider):
        return app
    tracer = provider.get_tracer("njia.http")

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED_PATHS:
            await app(scope, receive, send)
            return
        method: str = scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with tracing.span_of(
            tracer,
            spans.HTTP_REQUEST,
            {attributes.HTTP_METHOD: method},
            context=propagate.extract(headers),
        ) as span:

            async def send_noting_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute(attributes.HTTP_STATUS_CODE, message["status"])
                    if message["status"] >= _SERVER_ERROR:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            try:
                await app(scope, receive, send_noting_status)
            finally:
                # The router has put it there by now.
                route = getattr(scope.get("route"), "path", None)
                if route is not None:
                    span.update_name(
                        spans.HTTP_REQUEST.named({attributes.HTTP_METHOD: method, attributes.HTTP_ROUTE: route})
                    )
                    span.set_attribute(attributes.HTTP_ROUTE, route)

    return serve
