"""The application: routes, and what a refused or failed request is answered."""

import asyncio
from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from gateway.access import Access
from gateway.answers import error_answer
from gateway.clients import Clients
from gateway.errors import HttpError, defect
from gateway.openapi import DescribedApp, docs_router, operation_id
from gateway.refused_parameters import refused_parameter
from gateway.routes import admin, events, executions, flows, health, metrics, registry, sessions, unclaimed, webhooks
from rpc.guard import Guard

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
"""Every method that a route may take."""

CORS_SECONDS = 600
"""How long a browser may remember what a page is allowed."""

_NOT_FOUND, _METHOD_NOT_ALLOWED, _CLIENT_GONE = 404, 405, 499


def gateway_app(
    clients: Clients,
    max_body_bytes: int,
    stopping: asyncio.Event,
    guard: Guard | None = None,
    cors_origins: Sequence[str] = (),
) -> DescribedApp:
    """
    Returns the REST API over these services.

    Args:
        clients: The services.
        max_body_bytes: The largest request body.
        stopping: Set when the gateway stops; what lasts ends then.
        guard: Asks for keys; None where everybody may call.
        cors_origins: Web pages elsewhere that may call.
    """
    app = DescribedApp(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        # telemetry.http_tracing makes the spans; those of FastAPI would hold queries, and with them phone numbers.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.clients = clients
    app.state.max_body_bytes = max_body_bytes
    app.state.stopping = stopping
    # /api/workflows/executions stands before /api/workflows/{workflow_id}.
    for routes in (health, metrics, flows, executions, events, registry, unclaimed, sessions, webhooks, admin):
        app.include_router(routes.router)
    app.include_router(docs_router())
    app.add_exception_handler(HttpError, _refused)
    app.add_exception_handler(RequestValidationError, _unusable_parameter)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(ClientDisconnect, _client_gone)
    app.add_exception_handler(Exception, _defect)
    if guard is not None:
        app.add_middleware(Access, guard=guard)
    if cors_origins:
        # Outside of the keys: a browser asks first without one, and a refusal must be readable by the page too.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=list(METHODS),
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["Location", "Retry-After"],
            max_age=CORS_SECONDS,
        )
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return error_answer(error)


async def _unusable_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_answer(refused_parameter(error.errors()[0], _query_names(request)))


def _query_names(request: Request) -> list[str]:
    """Names of the parameters that the call takes in its query; those of a call are the fields of one model."""
    models = [parameter.field_info.annotation for parameter in request.scope["route"].dependant.query_params]
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    if error.status_code == _METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods_of_path(request))
        message = f"{where} is not served; this path takes {allowed}"
        return error_answer(HttpError(_METHOD_NOT_ALLOWED, "Method not allowed", message, headers={"Allow": allowed}))
    if error.status_code == _NOT_FOUND:
        return error_answer(HttpError(_NOT_FOUND, "Not found", f"{where} is not served here; /docs shows what is"))
    return error_answer(HttpError(error.status_code, "Request refused", str(error.detail)))


def _methods_of_path(request: Request) -> list[str]:
    """Every method that some route takes on this path; the router itself names those of one route only."""

    def taken(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in METHODS if taken(method)]


async def _client_gone(_: Request, _error: Exception) -> Response:
    # Nobody reads this answer; without it the log would show a defect.
    return error_answer(HttpError(_CLIENT_GONE, "Client closed request", "the body was not sent to its end"))


async def _defect(_: Request, _error: Exception) -> Response:
    # The error goes on to the HTTP server, which logs it with its traceback.
    return error_answer(defect())
