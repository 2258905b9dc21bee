"""
The config of every node type keeps to the table, in its JSON Schema as a canvas reads it and when it is checked.

Rules over several fields are tested with the types.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from services.validator.schemas import config_defaults, config_schema
from tests.workflow.node_table import TABLE
from workflow.catalogue import CATALOGUE
from workflow.fields import COMPILING


def _with(config: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(dict(config))
    *parents, name = path.split(".")
    place = changed
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = value
    return changed


def _accepted() -> Iterator[Any]:
    for name, row in TABLE.items():
        yield pytest.param(name, row.least, id=f"{name} at the least")
        for path, values in row.accepted.items():
            for value in values:
                yield pytest.param(name, _with(row.least, path, value), id=f"{name} {path} {value}")


def _refused() -> Iterator[Any]:
    for name, row in TABLE.items():
        for required in row.least:
            without = {key: value for key, value in row.least.items() if key != required}
            if name != "PLAY_IVR":  # Its text gives way to an address, which its own tests are about.
                yield pytest.param(name, without, id=f"{name} without {required}")
        for path, values in row.refused.items():
            for value in values:
                yield pytest.param(name, _with(row.least, path, value), id=f"{name} {path} {value}")


def test_the_table_has_a_row_for_each_type() -> None:
    assert set(TABLE) == set(CATALOGUE)


@pytest.mark.parametrize(("name", "config"), list(_accepted()))
def test_what_the_table_allows_is_accepted(name: str, config: dict[str, Any]) -> None:
    node_type = CATALOGUE[name]
    assert [fault.message for fault in Draft202012Validator(config_schema(node_type.config)).iter_errors(config)] == []
    node_type.config.model_validate(config, context=COMPILING)


@pytest.mark.parametrize(("name", "config"), list(_refused()))
def test_what_the_table_forbids_is_refused(name: str, config: dict[str, Any]) -> None:
    node_type = CATALOGUE[name]
    assert not Draft202012Validator(config_schema(node_type.config)).is_valid(config)
    with pytest.raises(ValidationError):
        node_type.config.model_validate(config, context=COMPILING)


@pytest.mark.parametrize("name", list(TABLE))
def test_what_is_absent_has_the_default_of_the_table(name: str) -> None:
    defaults = config_defaults(CATALOGUE[name].config)
    for path, default in TABLE[name].defaults.items():
        found: Any = defaults
        for part in path.split("."):
            found = found[part]
        assert (path, found) == (path, default)
