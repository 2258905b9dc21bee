"""
What is surely in a text with templates: the text itself, the defaults of its variables, and of variables whose size is
known as many characters as they have at least.
"""

from collections.abc import Mapping

from workflow.paths import UNSET
from workflow.templates import Formatting, Template, TemplateError

_SHORTEST_NUMBER = "+" + 11 * "0"
"""South Africa's numbers are the shortest of the countries that Africa's Talking serves: +27 and nine digits."""

_KNOWN: Mapping[str, str] = {
    "msisdn": _SHORTEST_NUMBER,
    "callerNumber": _SHORTEST_NUMBER,
    "networkCode": 5 * "0",
    "timestamp": "2026-01-01T00:00:00.000Z",
    "scheduledAt": "2026-01-01T00:00:00.000Z",
}

_EMPTY = Formatting(missing_variable="empty")


class _Surely:
    """A scope in which only variables of known size have a value."""

    def lookup(self, root: str) -> object:
        """Returns a value of the least size, UNSET where that is not known."""
        match root:
            case "triggerPayload":
                return _KNOWN
            case "session":
                return {"msisdn": _KNOWN["msisdn"]}
        return _KNOWN.get(root, UNSET)

    def opened(self, value: object) -> object:
        """Returns the value: nothing is encrypted."""
        return value


def literal_text(template: Template) -> str | None:
    """Returns what is surely in the text, None where a filter cannot work on that."""
    try:
        return template.render(_Surely(), _EMPTY)
    except TemplateError:
        return None
