"""How values are written."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Formatting:
    """
    Attributes:
        timezone: IANA name of the zone that `date` writes times in.
        missing_variable: What a path without a value does: `error` raises MissingVariable, `empty` renders as nothing.
    """

    timezone: str = "UTC"
    missing_variable: Literal["error", "empty"] = "error"
