"""Attribute names are an interface."""

import re

from telemetry import attributes


def test_every_name_stands_once_and_reads_like_an_attribute() -> None:
    names = [value for name, value in vars(attributes).items() if name.isupper()]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(\.[a-z_]+)+", name)] == []
