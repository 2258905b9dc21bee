"""Values that paths can name."""

from collections.abc import Callable, Mapping

import pytest

from workflow.paths import UNSET, Scope


class _Values:
    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def lookup(self, root: str) -> object:
        return self._values.get(root, UNSET)

    def opened(self, value: object) -> object:
        return value


@pytest.fixture(scope="session")
def scope_of() -> Callable[[Mapping[str, object]], Scope]:
    """Makes a scope of a mapping from roots to values."""
    return _Values
