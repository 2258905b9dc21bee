"""What a row of the tables of REST and of callbacks says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
LONGEST_BODY = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Row:
    """
    One call and its answer. A text that begins with $ stands for what the test has made under that name.

    Attributes:
        call: Method and path, as the OpenAPI document writes them.
        status: What is answered.
        why: What makes the answer this one.
        at: Values of the placeholders of the path.
        body: What is sent as JSON; bytes are sent as they are, as JSON unless the headers say otherwise.
        says: What stands in the answer, among other things; ... stands for anything.
        heads: Headers of the answer; ... stands for any value.
    """

    call: str
    status: int
    why: str
    at: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    says: Any = field(default_factory=dict)
    heads: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.call} {self.status} {self.why}"


@dataclass(frozen=True, kw_only=True)
class Callback:
    """
    What Africa's Talking posts, as a form and as JSON, and what it is answered.

    Attributes:
        path: Below /at.
        says: The beginning of the answer.
    """

    path: str
    why: str
    status: int = 200
    says: str
    fields: Mapping[str, str]
