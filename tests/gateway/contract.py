"""Holds every answer of the gateway against the gateway's own OpenAPI document."""

import copy
import re
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator, oas31_format_checker

Document = dict[str, Any]


def closed(components: Document) -> Document:
    """The components with no room for members that they do not describe."""
    result = copy.deepcopy(components)
    for schema in result["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return result


class Contract:
    """What the document says of paths, statuses and bodies."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._components = closed(document["components"])

    def faults(self, schema: Document, value: Any) -> list[str]:
        """What is wrong with a value; nothing when it fits."""
        validator = OAS31Validator({**schema, "components": self._components}, format_checker=oas31_format_checker)
        return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]

    def check(self, response: httpx.Response) -> None:
        """Asserts that the call may be answered so."""
        described = self._described(response)
        where = f"{response.request.method} {response.request.url} {response.status_code}"
        if "content" not in described:
            assert response.content == b"", where
            return
        assert response.headers["content-type"] == "application/json", where
        found = self.faults(described["content"]["application/json"]["schema"], response.json())
        assert not found, (where, found, response.text)
        for name in described.get("headers", {}):
            assert name in response.headers, (where, name)

    def _described(self, response: httpx.Response) -> Document:
        operation = self._operation(response.request.method.lower(), response.request.url.path)
        if operation is None:
            assert response.status_code in (401, 403, 404, 405), response.text
            return {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        responses: Document = operation["responses"]
        described = responses.get(str(response.status_code), responses.get("default"))
        assert described is not None, (response.request.url, response.status_code)
        return dict(described)

    def _operation(self, method: str, path: str) -> Document | None:
        # A path without placeholders beats one with them, as in the router.
        for template in sorted(self.document["paths"], key=lambda template: template.count("{")):
            # The path of a webhook may have slashes.
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template).replace(r"\{path\}", ".+"))
            if re.fullmatch(pattern, path):
                operation: Document | None = self.document["paths"][template].get(method)
                return operation
        return None
