"""From what a caller sent to a report: every fault of a flow, sorted by place."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.validator.checks import check
from workflow.issues import Issue, in_order
from workflow.parse import Parsed
from workflow.spec import WorkflowSpec


@dataclass(frozen=True, slots=True)
class Report:
    """
    Attributes:
        spec: The flow, None when it has an error.
    """

    spec: WorkflowSpec | None
    issues: tuple[Issue, ...]

    @property
    def valid(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return self.spec is not None


def validate(parsed: Parsed, earlier: Iterable[Issue] = ()) -> Report:
    """
    Runs every check.

    Args:
        earlier: Issues that were found before the document was there.
    """
    found = [*earlier, *parsed.issues]
    if parsed.draft is not None:
        found.extend(check(parsed.draft))
    issues = in_order(found)
    has_error = any(not issue.is_warning for issue in issues)
    spec = None if has_error or parsed.draft is None else parsed.draft.spec
    return Report(spec, issues)
