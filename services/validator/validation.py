"""From what a caller sent to a report: every fault of a flow, sorted by place."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.validator.checks import check
from services.validator.quoted_secrets import without_secrets
from workflow.issues import Issue, in_order
from workflow.parse import Parsed
from workflow.spec import WorkflowSpec

MAX_LISTED = 500
"""Most errors, and most warnings, that a report lists. Nobody reads more, and an answer has to fit into a message."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    Attributes:
        spec: The flow, None when it has an error.
        issues: The errors and then the warnings, each sorted by place.
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
        parsed: What was read.
        earlier: Issues that were found before the document was there.
    """
    found = [*earlier, *parsed.issues]
    if parsed.draft is not None:
        found.extend(check(parsed.draft))
        found = without_secrets(parsed.draft, found)
    issues = in_order(found)
    errors = [issue for issue in issues if not issue.is_warning]
    warnings = [issue for issue in issues if issue.is_warning]
    spec = None if errors or parsed.draft is None else parsed.draft.spec
    return Report(spec, (*_listed(errors, "errors"), *_listed(warnings, "warnings")))


def _listed(issues: list[Issue], what: str) -> list[Issue]:
    if len(issues) <= MAX_LISTED:
        return issues
    left_out = len(issues) - MAX_LISTED
    message = f"{left_out} more {what} are not listed; mend these first"
    return [*issues[:MAX_LISTED], Issue("MORE_ISSUES", message, is_warning=issues[0].is_warning)]
