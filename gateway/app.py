"""The application: routes, and what a refused or failed request is answered."""

import structlog
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from gateway.answers import error_answer
from gateway.clients import Clients
from gateway.errors import HttpError
from gateway.routes import executions, health, sessions, workflows

_log = structlog.get_logger()


def gateway_app(clients: Clients, max_body_bytes: int) -> FastAPI:
    """Returns the REST API over these services."""
    app = FastAPI(title="Njia", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.clients = clients
    app.state.max_body_bytes = max_body_bytes
    # /api/workflows/executions stands before /api/workflows/{id}.
    for module in (health, executions, workflows, sessions):
        app.include_router(module.router)
    app.add_exception_handler(HttpError, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(Exception, _defect)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return error_answer(error)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    if error.status_code == 405:
        refusal = HttpError(
            405, "Method not allowed", f"{where} is not served; see the Allow header", headers=error.headers or {}
        )
    elif error.status_code == 404:
        refusal = HttpError(404, "Not found", f"{where} is not served here")
    else:
        refusal = HttpError(error.status_code, "Request refused", str(error.detail))
    return error_answer(refusal)


async def _defect(request: Request, error: Exception) -> Response:
    _log.error("a request met a defect", path=request.url.path, exc_info=error)
    message = "the request met a defect of the platform; it was logged"
    return error_answer(HttpError(500, "Internal server error", message, "INTERNAL"))
