"""One evaluation: what it reads and how much work it may still do."""

from collections.abc import Callable
from dataclasses import dataclass

from workflow.expressions.errors import ExpressionError
from workflow.paths import Scope
from workflow.templates.formatting import Formatting

MAX_WORK = 200_000
"""
Items compared in one evaluation. 256 characters searched count as one item, a character matched by a pattern as three.

That is some tens of milliseconds; half a second for the worst pattern on the longest text that it may meet.
"""


@dataclass(slots=True)
class Run:
    """
    Attributes:
        work: Units that are left.
    """

    scope: Scope
    formatting: Formatting
    work: int = MAX_WORK

    def spend(self, units: int, column: int) -> None:
        """Counts work. Raises ExpressionError when it is used up."""
        self.work -= units
        if self.work < 0:
            raise ExpressionError("the expression compares too much data", column)


Code = Callable[[Run], object]
"""A compiled expression or part of one."""
