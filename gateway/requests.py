"""What each call takes as its body, as the OpenAPI document shows it. The body itself is read by gateway.bodies."""

from collections.abc import Mapping
from typing import Any

from gateway.documents.executions import ExecuteRequest, ReplayRequest
from gateway.documents.flows import WorkflowSpec
from gateway.documents.registry import PublishRequest
from gateway.documents.schemas import reference_to

BODIES = (ExecuteRequest, ReplayRequest, WorkflowSpec, PublishRequest)
"""Every document that a request may carry."""


def body_of(document: type, examples: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Describes the body of a request; `document` is one of BODIES."""
    content = {
        "schema": reference_to(document),
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": required, "content": {"application/json": content}}}
