"""The JSON Schemas of documents, as the OpenAPI document has them: each stands once, and is referred to by its name."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

COMPONENTS = "#/components/schemas/{model}"


def reference_to(document: Any) -> dict[str, Any]:
    """Refers to the schema of a document, or to those of a union of documents."""
    options = get_args(document)
    if options:
        return {"anyOf": [reference_to(option) for option in options]}
    return {"$ref": COMPONENTS.format(model=document.__name__)}


def schemas_of(documents: Iterable[type], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Returns the schemas of documents that are read (validation) or written, and of what stands in them, by name."""
    adapters = [(document, mode, TypeAdapter[Any](document)) for document in documents]
    _, schemas = TypeAdapter.json_schemas(adapters, ref_template=COMPONENTS)
    return dict(schemas["$defs"])
