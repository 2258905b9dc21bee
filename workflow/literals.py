"""What is always in a text with templates: the text itself and the defaults of its variables."""

from workflow.paths import UNSET
from workflow.templates import Formatting, Template, TemplateError

_EMPTY = Formatting(missing_variable="empty")


class _Nothing:
    """A scope in which no variable has a value."""

    def lookup(self, root: str) -> object:
        """Returns that there is none."""
        del root
        return UNSET

    def opened(self, value: object) -> object:
        """Returns the value: nothing is encrypted."""
        return value


def literal_text(template: Template) -> str | None:
    """Returns the text with every variable empty, None where a filter cannot work on that."""
    try:
        return template.render(_Nothing(), _EMPTY)
    except TemplateError:
        return None
