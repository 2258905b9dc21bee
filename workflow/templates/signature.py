"""What filters are made of, and the checks of their arguments."""

from collections.abc import Callable
from typing import Any

from workflow.templates.formatting import Formatting

Work = Callable[[Any, Formatting], Any]
"""What a filter does to a value. Raises FilterError."""


class ArgumentError(Exception):
    """
    An argument that a filter cannot take.

    Attributes:
        message: What it takes instead.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def whole_number(value: Any, name: str, least: int, most: int) -> int:
    """Returns `value` when it is an integer in the inclusive range. Raises ArgumentError."""
    if type(value) is not int or not least <= value <= most:
        raise ArgumentError(f"{name} is a whole number from {least} to {most}")
    return value
