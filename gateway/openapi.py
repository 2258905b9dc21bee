"""The OpenAPI document and the page that shows it."""

import asyncio
from importlib import metadata, resources
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from gateway.access import SCHEME, scope_of
from gateway.answers import json_answer
from gateway.documents.schemas import schemas_of
from gateway.requests import BODIES
from gateway.responses import ANSWERS, KEY_REFUSALS

DESCRIPTION = """
Runs communication workflows on Africa's Talking: save a flow, publish it, run it, read what happened.

Everything is JSON in UTF-8, camelCase; times are ISO 8601 in UTC with milliseconds and `Z`, durations milliseconds.
Every refused or failed request is answered with an `Error`; `code` is what a program should look at.
"""

KEYS_DESCRIPTION = (
    "An API key, where the platform asks for one. A call needs the scope that it lists: read, execute, publish or "
    "admin, which includes the others."
)

TAGS = [
    {"name": "Flows", "description": "Check and compile flows; the catalogue of node types."},
    {"name": "Executions", "description": "Run flows, read what happened, stop what runs."},
    {
        "name": "Registry",
        "description": "Saved flows. Every save is a new version; a published one answers its trigger.",
    },
    {"name": "Sessions", "description": "Sessions of phone users: look into them, end them."},
    {"name": "Webhooks", "description": "The addresses of published flows with an `HTTP_WEBHOOK` trigger."},
    {"name": "Operations", "description": "Who did what; what is erased."},
    {"name": "Health", "description": "Whether the platform is up."},
]

_PAGE = resources.files("gateway") / "page"
_PAGE_FILES = {"": "text/html", "/page.js": "text/javascript", "/page.css": "text/css"}

_ONLY_OURS = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"}
"""The page loads nothing from elsewhere and works without the internet."""


class DescribedApp(FastAPI):
    """An application whose OpenAPI document also has the bodies that it reads by itself."""

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI 3.1 document; it is made once, when it is first asked for."""
        if self.openapi_schema is None:
            document = get_openapi(
                title="Njia",
                version=metadata.version("njia"),
                summary="Workflows on USSD, SMS, voice and payments",
                description=DESCRIPTION.strip(),
                tags=TAGS,
                routes=self.routes,
            )
            schemas = schemas_of(BODIES, "validation") | schemas_of(ANSWERS, "serialization")
            document["components"] = {"schemas": dict(sorted(schemas.items()))}
            _say_who_may_call(document)
            self.openapi_schema = document
        return self.openapi_schema


def _say_who_may_call(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {
        SCHEME: {"type": "http", "scheme": "bearer", "description": KEYS_DESCRIPTION}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scope = scope_of(method.upper(), path)
            operation["security"] = [] if scope is None else [{SCHEME: [scope.value]}]
            if scope is not None:
                operation["responses"] |= KEY_REFUSALS


def operation_id(route: APIRoute) -> str:
    """Returns the name of a call in generated clients, such as executeWorkflow."""
    return to_camel(route.name)


def docs_router() -> APIRouter:
    """Returns the routes of the document at /openapi.json and of the page at /docs."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/openapi.json", _document, methods=["GET"])
    for suffix, media_type in _PAGE_FILES.items():
        content = (_PAGE / (suffix.removeprefix("/") or "index.html")).read_bytes()
        router.add_api_route(f"/docs{suffix}", _file(content, media_type), methods=["GET"])
    return router


async def _document(request: Request) -> Response:
    app: DescribedApp = request.app
    # Making it takes most of a second, in which other requests, and in one process other services, must go on.
    return json_answer(await asyncio.to_thread(app.openapi))


def _file(content: bytes, media_type: str) -> Any:
    async def file() -> Response:
        return Response(content, headers=_ONLY_OURS, media_type=media_type)

    return file
