"""What all described documents share."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

WORDED = ConfigDict(use_attribute_docstrings=True)
"""The text under a member is its description."""

CLOSED = ConfigDict(use_attribute_docstrings=True, extra="forbid")
"""For requests in which an unknown member is refused."""

JsonObject = dict[str, Any]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO 8601 in UTC with milliseconds and Z."""

Milliseconds = Annotated[int, Field(ge=0)]
