"""What each call takes as its body, as the OpenAPI document shows it. The body itself is read by gateway.bodies."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from gateway.documents.executions import ExecuteRequest, ReplayRequest
from gateway.documents.flows import WorkflowSpec
from gateway.documents.registry import PublishRequest

COMPONENTS = "#/components/schemas/{model}"

BODIES = (ExecuteRequest, ReplayRequest, WorkflowSpec, PublishRequest)
"""Every document that a request may carry."""


def body_of(document: type, examples: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Describes the body of a request; `document` is one of BODIES."""
    content = {
        "schema": {"$ref": COMPONENTS.format(model=document.__name__)},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def body_schemas() -> dict[str, Any]:
    """Returns the schemas of BODIES, and of what stands in them, by name."""
    adapters = [(document, "validation", TypeAdapter[Any](document)) for document in BODIES]
    _, schemas = TypeAdapter.json_schemas(adapters, ref_template=COMPONENTS)  # type: ignore[arg-type]
    return dict(schemas["$defs"])
