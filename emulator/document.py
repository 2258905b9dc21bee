"""JSON documents of the control API: camelCase keys, nothing unknown, nothing converted behind the caller's back."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Document(BaseModel):
    """What the control API takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)
