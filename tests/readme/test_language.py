"""docs/language.md has every filter, part of a time and operator that there is, and what it shows can be read."""

import re
from pathlib import Path

import pytest

from workflow.expressions import parse_expression
from workflow.expressions.scanner import OPERATORS
from workflow.templates import parse_template
from workflow.templates.dates import DIRECTIVES
from workflow.templates.filters import FILTERS

PAGE = (Path(__file__).parents[2] / "docs/language.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## Filters", 1)[1].split("\n## ", 1)[0]
SHOWN = [text for text in re.findall(r"`([^`\n]+)`", PAGE) if "{{" in text and "…" not in text.partition("{{")[2]]
COMPARED = re.compile(r"(?<!\|) (==|!=|<|<=|>|>=|in|matches) ")


def test_every_filter_stands_in_the_table_as_it_is_written() -> None:
    cells = re.findall(r"^\| (`.*?) \|", TABLE, re.MULTILINE)
    written = {usage for cell in cells for usage in re.findall("`(.+?)`", cell)}
    known = {usage for found in FILTERS.values() for usage in re.findall(r"\w+\([^)]*\)", found.usage)}

    assert {usage.partition("(")[0] for usage in written} == set(FILTERS)
    assert known <= written


def test_every_part_of_a_time_is_named() -> None:
    assert set(re.findall(r"`(%-?.)`", PAGE)) == {f"%{name}" for name in DIRECTIVES}


def test_every_operator_is_named() -> None:
    written = set(re.findall(r"`([^`\n]+)`", PAGE.split("## Expressions", 1)[1].split("\n## ", 1)[0]))
    assert OPERATORS - {"||"} <= written


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_can_be_read(text: str) -> None:
    plain = text.replace('\\"', '"')
    if COMPARED.search(plain):
        parse_expression(plain)
    else:
        parse_template(plain)
