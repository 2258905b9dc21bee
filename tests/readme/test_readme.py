"""What README and docs/settings.md say of node types and variables is what the code has."""

import re
from pathlib import Path
from typing import get_args

import pytest

from services.at_adapter.callbacks.app import CallbackPath
from workflow.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
CODE = ("cli", "services", "gateway", "emulator", "rpc", "storage", "telemetry", "launcher")

SERVICES = ("VALIDATOR", "ENGINE", "SESSIONS", "AT_ADAPTER")

NAME = re.compile(r"\b(?:NJIA|AT)_[A-Z]+(?:_[A-Z]+)*\b")

ELSEWHERE = {"NJIA_EMULATOR_"}
"""Beginnings of variables that emulator/README.md has."""


def section(title: str) -> str:
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_table_of_node_types_has_all_of_them_and_no_other() -> None:
    table = re.findall(r"^\| ([^|]+) \|", section("Make a flow"), re.MULTILINE)
    assert {name for cell in table for name in re.findall(r"`([A-Z_]+)`", cell)} == set(CATALOGUE)


def test_the_addresses_of_callbacks_are_all_there_are() -> None:
    assert set(re.findall(r"(?:`|address>)/at((?:/[a-z-]+)+)`", README)) == set(get_args(CallbackPath))


def variables_read() -> set[str]:
    read: set[str] = set()
    for folder in CODE:
        for file in (ROOT / folder).rglob("*.py"):
            read |= set(
                re.findall(
                    r'"(NJIA_[A-Z_]+|AT_(?:ENVIRONMENT|USERNAME|API_KEY|BASE_URL))"', file.read_text(encoding="utf-8")
                )
            )
            # One variable a service.
            read |= {
                f"NJIA_{service}{ending}"
                for ending in re.findall(r'f"NJIA_\{service\.upper\(\)\}(_[A-Z_]+)"', file.read_text(encoding="utf-8"))
                for service in SERVICES
            }
    return read


def test_the_table_of_settings_has_every_variable_that_the_code_reads() -> None:
    read = variables_read()
    wanted = {name for name in read if not name.startswith(tuple(ELSEWHERE)) and not name.endswith(("_", "_FILE"))}
    written = set(NAME.findall(SETTINGS))
    assert wanted - written == set()
    assert written - read == set()


def test_the_settings_to_begin_with_are_some_of_them() -> None:
    begin_with = set(NAME.findall(section("Settings")))
    assert begin_with
    assert begin_with <= set(NAME.findall(SETTINGS))


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
