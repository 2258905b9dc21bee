"""One `{{...}}`: a path and the filters behind it."""

from dataclasses import dataclass

from workflow.paths import UNSET, Path, Scope, resolve
from workflow.templates.errors import MissingVariable
from workflow.templates.formatting import Formatting
from workflow.templates.signature import Work


@dataclass(frozen=True, slots=True)
class Reference:
    """
    A path that a template or an expression reads.

    Attributes:
        has_default: Whether a `default` filter stands there, so that the path may lead to nothing.
    """

    path: Path
    has_default: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One filter, with its arguments bound. `takes_null` tells whether it works on null as well."""

    name: str
    work: Work
    takes_null: bool


class Placeholder:
    """
    Immutable. Missing means: the path leads to nothing, or to null.

    Where it is missing, the filters before the first `default` are left out.
    """

    __slots__ = ("_after_default", "_steps", "path", "reference")

    def __init__(self, path: Path, steps: tuple[Step, ...]) -> None:
        self.path = path
        self._steps = steps
        defaults = [index for index, step in enumerate(steps) if step.name == "default"]
        self._after_default = steps[defaults[0] :] if defaults else None
        self.reference = Reference(path, has_default=bool(defaults))

    def value(self, scope: Scope, formatting: Formatting) -> object:
        """
        Returns the value behind the path, after the filters, in its native type.

        Raises:
            MissingVariable: It is missing, nothing stands in for it, and the formatting wants an error.
            FilterError: A filter cannot work on it.
        """
        value = resolve(self.path, scope)
        if value is None or value is UNSET:
            if self._after_default is None and formatting.missing_variable == "error":
                raise MissingVariable(self.path)
            return self._stand_in(formatting)
        return _through(self._steps, value, formatting) if self._steps else value

    def value_or_null(self, scope: Scope, formatting: Formatting) -> object:
        """Returns the same, and null where it is missing. Raises FilterError."""
        value = resolve(self.path, scope)
        if value is None or value is UNSET:
            return self._stand_in(formatting)
        return _through(self._steps, value, formatting) if self._steps else value

    def _stand_in(self, formatting: Formatting) -> object:
        steps = self._steps if self._after_default is None else self._after_default
        return _through(steps, None, formatting)


def _through(steps: tuple[Step, ...], value: object, formatting: Formatting) -> object:
    for step in steps:
        if value is not None or step.takes_null:
            value = step.work(value, formatting)
    return value
